#include "rtc/ice_agent.h"

#include <string.h>

bool ice_is_stun(const uint8_t *data, size_t size)
{
    return size >= STUN_HEADER_BYTES && data[0] <= 3 && data[4] == 0x21 && data[5] == 0x12 &&
           data[6] == 0xa4 && data[7] == 0x42;
}

int ice_peek_local_ufrag(const uint8_t *data, size_t size, char *ufrag, size_t ufrag_size)
{
    struct stun_message message;
    int err = stun_parse(&message, data, size);
    if (err)
        return err;
    if (message.class != STUN_REQUEST || !message.username)
        return OW_EPARSE;
    const uint8_t *colon = memchr(message.username, ':', message.username_size);
    size_t length = colon ? (size_t)(colon - message.username) : 0;
    if (length == 0 || length >= ufrag_size || memchr(message.username, 0, length))
        return OW_EPARSE;
    memcpy(ufrag, message.username, length);
    ufrag[length] = '\0';
    return OW_OK;
}

/* ---- requests ---- */

/* A request of the peer, and the generation of credentials that it was made with. */
struct incoming {
    const struct address *from;
    const struct stun_message *message;
    bool old;
    const struct ice_credentials *credentials;
};

static bool is_for(const struct ice_credentials *credentials, const struct stun_message *message)
{
    return credentials->ufrag[0] != '\0' && message->username &&
           message->username_size > ICE_UFRAG_CHARS &&
           memcmp(message->username, credentials->ufrag, ICE_UFRAG_CHARS) == 0 &&
           message->username[ICE_UFRAG_CHARS] == ':';
}

/* Opens a place for a response; NULL when the caller has not drained for long. */
static struct ice_response *begin_response(struct ice_agent *agent, const struct incoming *request,
                                           enum stun_class class, struct stun_writer *writer)
{
    if (agent->response_count == ICE_MAX_RESPONSES)
        return NULL;
    int tail = (agent->response_head + agent->response_count) % ICE_MAX_RESPONSES;
    struct ice_response *response = &agent->responses[tail];
    response->to = *request->from;
    stun_begin(writer, response->data, sizeof response->data, class, request->message->transaction);
    return response;
}

static int end_response(struct ice_agent *agent, const struct incoming *request,
                        struct ice_response *response, struct stun_writer *writer)
{
    int err = stun_finish(writer, request->credentials->pwd);
    if (err)
        return err;
    response->size = writer->size;
    agent->response_count++;
    return OW_OK;
}

static int answer_error(struct ice_agent *agent, const struct incoming *request, int code)
{
    struct stun_writer writer;
    struct ice_response *response = begin_response(agent, request, STUN_ERROR, &writer);
    if (!response)
        return OW_ELIMIT;
    stun_put_error(&writer, code);
    if (code == STUN_ERROR_UNKNOWN_ATTRIBUTE)
        stun_put_unknown(&writer, request->message->unknown, request->message->unknown_count);
    return end_response(agent, request, response, &writer);
}

static int answer_success(struct ice_agent *agent, const struct incoming *request)
{
    struct stun_writer writer;
    struct ice_response *response = begin_response(agent, request, STUN_SUCCESS, &writer);
    if (!response)
        return OW_ELIMIT;
    stun_put_xor_mapped(&writer, request->from);
    return end_response(agent, request, response, &writer);
}

/* RFC 8445 section 7.3.1.1: both sides claim one role; the larger tie-breaker controls. True when
 * the request is to be refused with 487. */
static bool refuse_for_role(struct ice_agent *agent, const struct stun_message *request)
{
    if (request->role != agent->role)
        return false;
    if (agent->lite)
        return true; /* a lite agent cannot control */
    bool ours_controls = agent->tie_breaker >= request->tie_breaker;
    bool we_control = agent->role == STUN_ROLE_CONTROLLING;
    if (ours_controls == we_control)
        return true;
    ice_switch_role(agent);
    return false;
}

static void learn_from_request(struct ice_agent *agent, struct ice_pair *pair,
                               const struct stun_message *request)
{
    pair->validated = true;
    pair->heard_us = agent->now_us;
    if (agent->lite)
        pair->consent_us = agent->now_us;
    else if (pair->state != ICE_PAIR_SUCCEEDED)
        ice_trigger_check(agent, pair);
    if (request->use_candidate && agent->role == STUN_ROLE_CONTROLLED)
        ice_nominate(agent, pair);
    if (agent->state == ICE_NEW)
        agent->state = ICE_CHECKING;
}

static int receive_request(struct ice_agent *agent, const struct address *from,
                           const struct stun_message *message)
{
    struct incoming request = {.from = from, .message = message, .credentials = &agent->current};
    if (!is_for(request.credentials, message)) {
        request.old = true;
        request.credentials = &agent->old;
        if (!is_for(request.credentials, message))
            return OW_ENOTFOUND;
    }
    if (stun_verify(message, request.credentials->pwd, ICE_PWD_CHARS))
        return OW_EAUTH;
    if (!ice_is_usable_remote(from))
        return OW_EINVAL;
    if (message->unknown_count > 0)
        return answer_error(agent, &request, STUN_ERROR_UNKNOWN_ATTRIBUTE);
    if (message->role != STUN_ROLE_NONE && refuse_for_role(agent, message))
        return answer_error(agent, &request, STUN_ERROR_ROLE_CONFLICT);
    struct ice_pair *pair = ice_find_pair(agent, from, request.old);
    if (!pair)
        pair = ice_add_pair(agent, from, message->has_priority ? message->priority : 1, false);
    if (!pair)
        return OW_ELIMIT;
    pair->old = request.old;
    int err = answer_success(agent, &request);
    learn_from_request(agent, pair, message);
    return err;
}

/* ---- responses ---- */

static struct ice_pair *find_transaction(struct ice_agent *agent, const uint8_t *transaction)
{
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (!pair->answered && memcmp(pair->transaction, transaction, STUN_TRANSACTION_BYTES) == 0)
            return pair;
    }
    return NULL;
}

static void receive_error(struct ice_agent *agent, struct ice_pair *pair, int code)
{
    pair->answered = true;
    if (code == STUN_ERROR_ROLE_CONFLICT) {
        /* Section 7.2.5.1: take the other role, with a new tie-breaker, and check again. */
        if (pair->sent_role == agent->role) {
            agent->tie_breaker = random_u64(agent->random);
            ice_switch_role(agent);
        }
        if (pair->state == ICE_PAIR_IN_PROGRESS) {
            pair->state = ICE_PAIR_WAITING;
            pair->sent_us = ICE_NEVER_US; /* the new check goes at once */
            ice_trigger_check(agent, pair);
        }
    } else if (pair->state == ICE_PAIR_IN_PROGRESS) {
        pair->state = ICE_PAIR_FAILED;
    }
}

static int receive_response(struct ice_agent *agent, const struct address *from,
                            const struct stun_message *response)
{
    struct ice_pair *pair = find_transaction(agent, response->transaction);
    if (!pair)
        return OW_ENOTFOUND;
    const struct ice_credentials *credentials = ice_credentials_of(agent, pair);
    if (stun_verify(response, credentials->remote_pwd, credentials->remote_pwd_size))
        return OW_EAUTH;
    /* Section 7.2.5.2.1: an answer from elsewhere proves nothing about the pair. */
    if (!address_equal(&pair->remote, from))
        return OW_EINVAL;
    if (response->unknown_count > 0 || (response->class == STUN_ERROR && !response->error_code))
        return OW_EPARSE;
    pair->validated = true;
    pair->heard_us = agent->now_us;
    if (response->class == STUN_ERROR) {
        receive_error(agent, pair, response->error_code);
        return OW_OK;
    }
    if (pair->transmissions == 1) /* of a repeated check nobody knows which one was answered */
        pair->round_trip_us = agent->now_us > pair->sent_us ? agent->now_us - pair->sent_us : 1;
    ice_check_succeeded(agent, pair);
    return OW_OK;
}

int ice_agent_receive(struct ice_agent *agent, int64_t now_us, const struct address *from,
                      const uint8_t *data, size_t size)
{
    if (ice_is_over(agent))
        return OW_ESTATE;
    struct stun_message message;
    int err = stun_parse(&message, data, size);
    if (err)
        return err;
    agent->now_us = now_us;
    if (message.class == STUN_REQUEST)
        err = receive_request(agent, from, &message);
    else if (message.class == STUN_INDICATION)
        return OW_OK; /* a keep-alive of old implementations */
    else
        err = receive_response(agent, from, &message);
    if (!err)
        ice_run(agent);
    return err;
}
