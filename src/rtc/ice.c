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

/* Fresh ones of ours, beside the peer's. OW_EINVAL for empty or overlong ones. */
static int make_credentials(struct ice_credentials *out, struct random_source *random,
                            const char *remote_ufrag, const char *remote_pwd)
{
    size_t ufrag_size = strnlen(remote_ufrag, SDP_UFRAG_BYTES);
    size_t pwd_size = strnlen(remote_pwd, SDP_PWD_BYTES);
    if (ufrag_size == 0 || ufrag_size == SDP_UFRAG_BYTES || pwd_size == 0 ||
        pwd_size == SDP_PWD_BYTES)
        return OW_EINVAL;
    random_text(random, out->ufrag, ICE_UFRAG_CHARS);
    random_text(random, out->pwd, ICE_PWD_CHARS);
    memcpy(out->remote_pwd, remote_pwd, pwd_size + 1);
    out->remote_pwd_size = pwd_size;
    memcpy(out->username, remote_ufrag, ufrag_size);
    out->username[ufrag_size] = ':';
    memcpy(out->username + ufrag_size + 1, out->ufrag, ICE_UFRAG_CHARS + 1);
    return OW_OK;
}

int ice_agent_create(struct ice_agent **out, const struct ice_settings *settings, int64_t now_us)
{
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
    int err = make_credentials(&agent->current, agent->random, settings->remote_ufrag,
                               settings->remote_pwd);
    if (err) {
        free(agent);
        return err;
    }
    agent->now_us = agent->pace_us = now_us;
    agent->patience_us = now_us + ICE_CONNECT_US;
    agent->old_end_us = INT64_MAX;
    agent->selected = -1;
    *out = agent;
    return OW_OK;
}

/* Of the pairs there were, those that authentic bytes came from stay for a while, and one of them
 * carries the media until the new generation has its own. Should that still be one of the
 * generation before, it is the pairs of the one that never worked that go. */
static void age_pairs(struct ice_agent *agent)
{
    bool keep_old = agent->selected >= 0 && agent->pairs[agent->selected].old;
    for (int i = agent->pair_count - 1; i >= 0; i--) {
        struct ice_pair *pair = &agent->pairs[i];
        if (pair->old != keep_old || !pair->validated) {
            ice_remove_pair(agent, i);
            continue;
        }
        pair->old = true;
        pair->signalled = pair->nominate_on_success = false;
    }
    if (!keep_old)
        agent->old = agent->current;
}

int ice_agent_restart(struct ice_agent *agent, int64_t now_us, const char *remote_ufrag,
                      const char *remote_pwd)
{
    if (agent->state == ICE_CLOSED)
        return OW_ESTATE;
    struct ice_credentials fresh = {0};
    int err = make_credentials(&fresh, agent->random, remote_ufrag, remote_pwd);
    if (err)
        return err;
    agent->now_us = agent->pace_us = now_us;
    age_pairs(agent);
    agent->current = fresh;
    explicit_bzero(&fresh, sizeof fresh);
    agent->old_end_us = INT64_MAX;
    agent->patience_us = now_us + ICE_CONNECT_US;
    if (agent->state == ICE_FAILED)
        agent->state = ICE_CHECKING;
    return OW_OK;
}

static bool is_peer(const struct ice_credentials *credentials, const char *ufrag, const char *pwd)
{
    size_t size = strlen(ufrag);
    return strncmp(credentials->username, ufrag, size) == 0 && credentials->username[size] == ':' &&
           (pwd[0] == '\0' || strcmp(credentials->remote_pwd, pwd) == 0);
}

enum ice_generation ice_agent_generation(const struct ice_agent *agent, const char *remote_ufrag,
                                         const char *remote_pwd)
{
    if (remote_ufrag[0] == '\0' || is_peer(&agent->current, remote_ufrag, remote_pwd))
        return ICE_GENERATION_PRESENT;
    if (is_peer(&agent->old, remote_ufrag, remote_pwd))
        return ICE_GENERATION_OLD;
    return ICE_GENERATION_NEW;
}

const char *ice_agent_ufrag(const struct ice_agent *agent)
{
    return agent->current.ufrag;
}

const char *ice_agent_pwd(const struct ice_agent *agent)
{
    return agent->current.pwd;
}

const struct ice_credentials *ice_credentials_of(const struct ice_agent *agent,
                                                 const struct ice_pair *pair)
{
    return pair->old ? &agent->old : &agent->current;
}

bool ice_is_over(const struct ice_agent *agent)
{
    return agent->state == ICE_FAILED || agent->state == ICE_CLOSED;
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
    const struct ice_credentials *credentials = ice_credentials_of(agent, pair);
    struct stun_writer writer;
    stun_begin(&writer, data, ICE_MAX_DATAGRAM, STUN_REQUEST, pair->transaction);
    stun_put_username(&writer, credentials->username);
    stun_put_priority(&writer, ice_check_priority(pair));
    stun_put_role(&writer, pair->sent_role, agent->tie_breaker);
    if (pair->sent_use_candidate)
        stun_put_use_candidate(&writer);
    int err = stun_finish(&writer, credentials->remote_pwd);
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
