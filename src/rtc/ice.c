#include "rtc/ice.h"

#include "rtc/ice_agent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *ice_state_name(enum ice_state state)
{
    static const char *const names[] = {
        [ICE_NEW] = "new",
        [ICE_CHECKING] = "checking",
        [ICE_CONNECTED] = "connected",
        [ICE_DISCONNECTED] = "disconnected",
        [ICE_FAILED] = "failed",
        [ICE_CLOSED] = "closed",
    };
    return names[state];
}

/* RFC 8445 section 5.3: characters of the ice-char set, six bits of randomness each. */
static void random_text(struct random_source *random, char *text, size_t chars)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    random->fill(random, text, chars);
    for (size_t i = 0; i < chars; i++)
        text[i] = alphabet[(unsigned char)text[i] & 63];
    text[chars] = '\0';
}

int ice_agent_create(struct ice_agent **out, const struct ice_settings *settings, int64_t now_us)
{
    size_t ufrag_size = strnlen(settings->remote_ufrag, SDP_UFRAG_BYTES);
    size_t pwd_size = strnlen(settings->remote_pwd, SDP_PWD_BYTES);
    if (ufrag_size == 0 || ufrag_size == SDP_UFRAG_BYTES || pwd_size == 0 ||
        pwd_size == SDP_PWD_BYTES)
        return OW_EINVAL;
    if (settings->lite && settings->remote_lite)
        return OW_EUNSUPPORTED; /* nobody would check */
    struct ice_agent *agent = calloc(1, sizeof *agent);
    if (!agent)
        return OW_ENOMEM;
    agent->state = ICE_NEW;
    /* The offerer controls, but for a lite one (RFC 8445 section 6.1.1). */
    agent->role = settings->remote_lite ? STUN_ROLE_CONTROLLING : STUN_ROLE_CONTROLLED;
    agent->lite = settings->lite;
    agent->random = settings->random;
    agent->tie_breaker = random_u64(agent->random);
    random_text(agent->random, agent->ufrag, ICE_UFRAG_CHARS);
    random_text(agent->random, agent->pwd, ICE_PWD_CHARS);
    memcpy(agent->remote_pwd, settings->remote_pwd, pwd_size + 1);
    agent->remote_pwd_size = pwd_size;
    memcpy(agent->username, settings->remote_ufrag, ufrag_size);
    agent->username[ufrag_size] = ':';
    memcpy(agent->username + ufrag_size + 1, agent->ufrag, ICE_UFRAG_CHARS + 1);
    agent->now_us = agent->started_us = agent->pace_us = now_us;
    agent->selected = -1;
    *out = agent;
    return OW_OK;
}

const char *ice_agent_ufrag(const struct ice_agent *agent)
{
    return agent->ufrag;
}

const char *ice_agent_pwd(const struct ice_agent *agent)
{
    return agent->pwd;
}

bool ice_is_over(const struct ice_agent *agent)
{
    return agent->state == ICE_FAILED || agent->state == ICE_CLOSED;
}

/* An offer may name any address: none that stands for many hosts, or for no host, is ever sent to.
 */
bool ice_is_usable_remote(const struct address *address)
{
    static const uint8_t unspecified[16];
    if (address->port == 0)
        return false;
    if (address->family == ADDRESS_IPV4)
        return address->ip[0] != 0 && address->ip[0] < 224;
    if (address->family == ADDRESS_IPV6)
        return address->ip[0] != 0xff && memcmp(address->ip, unspecified, 16) != 0;
    return false;
}

struct ice_pair *ice_find_pair(struct ice_agent *agent, const struct address *remote)
{
    for (int i = 0; i < agent->pair_count; i++)
        if (address_equal(&agent->pairs[i].remote, remote))
            return &agent->pairs[i];
    return NULL;
}

/* The learned pair that was heard from longest ago: a browser that wanders from network to network
 * leaves such behind. */
static struct ice_pair *find_replaceable(struct ice_agent *agent)
{
    struct ice_pair *oldest = NULL;
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (i == agent->selected || pair->signalled)
            continue;
        if (!oldest || pair->heard_us < oldest->heard_us)
            oldest = pair;
    }
    return oldest;
}

struct ice_pair *ice_add_pair(struct ice_agent *agent, const struct address *remote,
                              uint32_t priority, bool signalled)
{
    struct ice_pair *pair;
    if (agent->pair_count < ICE_MAX_PAIRS)
        pair = &agent->pairs[agent->pair_count++];
    else if (signalled || !(pair = find_replaceable(agent)))
        return NULL;
    *pair = (struct ice_pair){.remote = *remote,
                              .remote_priority = priority,
                              .signalled = signalled,
                              .answered = true,
                              .sent_us = ICE_NEVER_US};
    return pair;
}

int ice_agent_add_remote_candidate(struct ice_agent *agent, const struct sdp_candidate *candidate)
{
    if (ice_is_over(agent))
        return OW_ESTATE;
    if (!ice_is_usable_remote(&candidate->address))
        return OW_EINVAL;
    struct ice_pair *known = ice_find_pair(agent, &candidate->address);
    if (known) {
        /* Signalled after its check was here: it keeps its state (RFC 8838 section 11). */
        known->remote_priority = candidate->priority;
        return OW_OK;
    }
    int signalled = 0;
    for (int i = 0; i < agent->pair_count; i++)
        signalled += agent->pairs[i].signalled;
    if (signalled >= ICE_MAX_SIGNALLED ||
        !ice_add_pair(agent, &candidate->address, candidate->priority, true))
        return OW_ELIMIT;
    return OW_OK;
}

/* RFC 8445 section 6.1.2.3; the local candidate is the one socket, taken as the best host. */
uint64_t ice_pair_priority(const struct ice_agent *agent, const struct ice_pair *pair)
{
    uint64_t local = (uint64_t)126 << 24 | 65535 << 8 | 255;
    uint64_t remote = pair->remote_priority;
    uint64_t controlling = agent->role == STUN_ROLE_CONTROLLING ? local : remote;
    uint64_t controlled = agent->role == STUN_ROLE_CONTROLLING ? remote : local;
    uint64_t low = local < remote ? local : remote, high = local < remote ? remote : local;
    return (low << 32) + 2 * high + (controlling > controlled ? 1 : 0);
}

void ice_agent_handle_timeout(struct ice_agent *agent, int64_t now_us)
{
    agent->now_us = now_us;
    if (!ice_is_over(agent))
        ice_run(agent);
}

int64_t ice_agent_deadline(const struct ice_agent *agent)
{
    return ice_is_over(agent) ? INT64_MAX : ice_next_run(agent);
}

static int write_check(const struct ice_agent *agent, struct ice_pair *pair, uint8_t *data,
                       size_t *size)
{
    struct stun_writer writer;
    stun_begin(&writer, data, ICE_MAX_DATAGRAM, STUN_REQUEST, pair->transaction);
    stun_put_username(&writer, agent->username);
    stun_put_priority(&writer, ice_check_priority());
    stun_put_role(&writer, pair->sent_role, agent->tie_breaker);
    if (pair->sent_use_candidate)
        stun_put_use_candidate(&writer);
    int err = stun_finish(&writer, agent->remote_pwd);
    if (!err)
        *size = writer.size;
    return err;
}

int ice_agent_poll(struct ice_agent *agent, struct address *to, uint8_t *data, size_t *size)
{
    if (ice_is_over(agent))
        return OW_EAGAIN;
    if (agent->response_count > 0) {
        const struct ice_response *response = &agent->responses[agent->response_head];
        agent->response_head = (agent->response_head + 1) % ICE_MAX_RESPONSES;
        agent->response_count--;
        *to = response->to;
        memcpy(data, response->data, response->size);
        *size = response->size;
        return OW_OK;
    }
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (!pair->send_pending)
            continue;
        pair->send_pending = false;
        if (write_check(agent, pair, data, size))
            continue; /* out of memory: the retransmission tries again */
        *to = pair->remote;
        return OW_OK;
    }
    return OW_EAGAIN;
}

enum ice_state ice_agent_state(const struct ice_agent *agent)
{
    return agent->state;
}

const struct address *ice_agent_selected(const struct ice_agent *agent)
{
    if (ice_is_over(agent) || agent->selected < 0)
        return NULL;
    return &agent->pairs[agent->selected].remote;
}

bool ice_agent_is_validated(const struct ice_agent *agent, const struct address *from)
{
    if (ice_is_over(agent))
        return false;
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].validated && address_equal(&agent->pairs[i].remote, from))
            return true;
    return false;
}

int64_t ice_agent_round_trip_us(const struct ice_agent *agent)
{
    return agent->selected < 0 ? 0 : agent->pairs[agent->selected].round_trip_us;
}

void ice_agent_close(struct ice_agent *agent)
{
    if (agent->state != ICE_FAILED)
        agent->state = ICE_CLOSED;
}

void ice_agent_destroy(struct ice_agent **agent)
{
    if (!*agent)
        return;
    explicit_bzero(*agent, sizeof **agent);
    free(*agent);
    *agent = NULL;
}
