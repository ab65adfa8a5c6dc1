#include "core/bounds.h"
#include "rtc/ice_agent.h"

#include <string.h>

static bool is_selected(const struct ice_agent *agent, const struct ice_pair *pair)
{
    return agent->selected >= 0 && pair == &agent->pairs[agent->selected];
}

static bool is_usable(const struct ice_agent *agent, const struct ice_pair *pair)
{
    return pair->state == ICE_PAIR_SUCCEEDED &&
           agent->now_us - pair->consent_us < ICE_CONSENT_EXPIRY_US;
}

static bool is_doubted(const struct ice_pair *pair)
{
    return pair->doubted_us > pair->heard_us;
}

static int64_t doubt_end(const struct ice_pair *pair)
{
    int64_t patience_us = 3 * pair->round_trip_us;
    return pair->doubted_us + (patience_us > ICE_DOUBT_US ? patience_us : ICE_DOUBT_US);
}

static bool is_silent(const struct ice_agent *agent, const struct ice_pair *pair)
{
    return agent->now_us - pair->heard_us >= ICE_SILENCE_US ||
           (is_doubted(pair) && agent->now_us >= doubt_end(pair));
}

/* ---- sending ---- */

static void new_transaction(struct ice_agent *agent, struct ice_pair *pair)
{
    agent->random->fill(agent->random, pair->transaction, sizeof pair->transaction);
    pair->sent_role = agent->role;
    pair->sent_use_candidate = agent->role == STUN_ROLE_CONTROLLING && pair->nominate_on_success;
    pair->transmissions = 0;
    pair->answered = false;
}

static void transmit(struct ice_agent *agent, struct ice_pair *pair)
{
    pair->send_pending = true;
    pair->sent_us = agent->now_us;
    /* 500 ms, then doubling (RFC 8489 section 6.2.1). */
    pair->retransmit_us = agent->now_us + (ICE_RTO_US << pair->transmissions);
    pair->transmissions++;
}

static void start_check(struct ice_agent *agent, struct ice_pair *pair)
{
    new_transaction(agent, pair);
    pair->state = ICE_PAIR_IN_PROGRESS;
    transmit(agent, pair);
    if (agent->state == ICE_NEW)
        agent->state = ICE_CHECKING;
}

/* RFC 8445 section 7.3.1.4. A check in progress is not replaced but sent again at once, with its
 * patience renewed: the first one may have died at a NAT that is open now. Not more often than the
 * pace, or a peer could make us flood its address. */
void ice_trigger_check(struct ice_agent *agent, struct ice_pair *pair)
{
    if (agent->lite)
        return;
    if (pair->state == ICE_PAIR_IN_PROGRESS) {
        if (agent->now_us - pair->sent_us < ICE_PACE_US)
            return;
        pair->transmissions = 0;
        transmit(agent, pair);
    } else if (agent->now_us - pair->sent_us >= ICE_PACE_US) {
        if (pair->state == ICE_PAIR_SUCCEEDED) {
            new_transaction(agent, pair); /* a repeated proof does not undo the first one */
            transmit(agent, pair);
        } else {
            start_check(agent, pair);
        }
    } else {
        pair->state = ICE_PAIR_WAITING;
    }
}

/* ---- selection ---- */

static void select_pair(struct ice_agent *agent, struct ice_pair *pair)
{
    if (is_selected(agent, pair))
        return;
    agent->selected = (int)(pair - agent->pairs);
    if (pair->old) {
        agent->old_end_us = INT64_MAX;
    } else {
        agent->patience_us = ICE_NEVER_US;
        if (agent->old.ufrag[0] != '\0' && agent->old_end_us == INT64_MAX)
            agent->old_end_us = agent->now_us + ICE_OLD_GENERATION_US;
    }
    double factor = 0.8 + 0.4 * random_unit(agent->random);
    agent->consent_check_us = agent->now_us + (int64_t)((double)ICE_CONSENT_US * factor);
}

/* Heard from lately before silent; of this generation before the last; nominated before merely
 * working; then by priority. */
static bool is_better(const struct ice_agent *agent, const struct ice_pair *a,
                      const struct ice_pair *b)
{
    if (is_silent(agent, a) != is_silent(agent, b))
        return !is_silent(agent, a);
    if (a->old != b->old)
        return b->old;
    if (a->nominated != b->nominated)
        return a->nominated;
    return ice_pair_priority(agent, a) > ice_pair_priority(agent, b);
}

/* The best usable pair takes the place of one that is gone, silent or was never nominated. */
static void review_selection(struct ice_agent *agent)
{
    struct ice_pair *current = agent->selected < 0 ? NULL : &agent->pairs[agent->selected];
    if (current && !is_usable(agent, current)) {
        agent->selected = -1;
        current = NULL;
    }
    if (current && current->nominated && !is_silent(agent, current))
        return;
    struct ice_pair *best = current;
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (!is_usable(agent, pair) || (agent->lite && !pair->nominated))
            continue;
        if (!best || is_better(agent, pair, best))
            best = pair;
    }
    if (best)
        select_pair(agent, best);
}

static void accept_nomination(struct ice_agent *agent, struct ice_pair *pair)
{
    struct ice_pair *current = agent->selected < 0 ? NULL : &agent->pairs[agent->selected];
    pair->nominated = true;
    pair->nominate_on_success = false;
    pair->nominated_us = agent->now_us;
    if (current && current->old != pair->old) {
        if (current->old) /* the restart has come to its end */
            select_pair(agent, pair);
        return;
    }
    if (!current || !current->nominated ||
        ice_pair_priority(agent, pair) > ice_pair_priority(agent, current) ||
        agent->now_us - current->nominated_us >= ICE_NOMINATION_HOLD_US)
        select_pair(agent, pair);
}

/* RFC 8445 section 7.3.1.5: USE-CANDIDATE counts at once on a pair that is known to work, else when
 * our own check succeeds. A pair that has not answered for a while has to prove itself again. */
void ice_nominate(struct ice_agent *agent, struct ice_pair *pair)
{
    if (agent->lite) {
        pair->state = ICE_PAIR_SUCCEEDED;
        accept_nomination(agent, pair);
        return;
    }
    bool fresh = pair->state == ICE_PAIR_SUCCEEDED &&
                 (is_selected(agent, pair) || agent->now_us - pair->consent_us < ICE_SILENCE_US);
    if (fresh) {
        accept_nomination(agent, pair);
    } else {
        pair->nominate_on_success = true;
        ice_trigger_check(agent, pair);
    }
}

/* When this side controls (the peer is lite, or a role conflict made it so): the first pair that
 * works is nominated by a second check (RFC 8445 section 8.1.1). */
static void consider_nominating(struct ice_agent *agent, struct ice_pair *pair)
{
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].old == pair->old &&
            (agent->pairs[i].nominated || agent->pairs[i].nominate_on_success))
            return;
    pair->nominate_on_success = true;
    new_transaction(agent, pair);
    transmit(agent, pair);
}

void ice_check_succeeded(struct ice_agent *agent, struct ice_pair *pair)
{
    pair->state = ICE_PAIR_SUCCEEDED;
    pair->answered = true;
    pair->consent_us = agent->now_us;
    if (agent->role == STUN_ROLE_CONTROLLING) {
        if (pair->sent_use_candidate)
            accept_nomination(agent, pair);
        else
            consider_nominating(agent, pair);
    } else if (pair->nominate_on_success) {
        accept_nomination(agent, pair);
    }
}

/* Section 7.3.1.1 and 7.2.5.1. Checks under way keep the role they were sent with. */
void ice_switch_role(struct ice_agent *agent)
{
    agent->role =
        agent->role == STUN_ROLE_CONTROLLED ? STUN_ROLE_CONTROLLING : STUN_ROLE_CONTROLLED;
    for (int i = 0; i < agent->pair_count; i++)
        agent->pairs[i].nominate_on_success = false;
    if (agent->role != STUN_ROLE_CONTROLLING)
        return;
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].state == ICE_PAIR_SUCCEEDED)
            consider_nominating(agent, &agent->pairs[i]);
}

/* ---- time ---- */

/* Consent checks are not repeated (the next one is new); first proofs, nominations and questions in
 * doubt are. */
static bool is_repeated(const struct ice_pair *pair)
{
    return pair->state == ICE_PAIR_IN_PROGRESS ||
           (is_doubted(pair) && !pair->answered && pair->transmissions < ICE_DOUBT_TRANSMISSIONS) ||
           (pair->state == ICE_PAIR_SUCCEEDED && pair->nominate_on_success && !pair->answered);
}

static void run_retransmissions(struct ice_agent *agent)
{
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (!is_repeated(pair) || agent->now_us < pair->retransmit_us)
            continue;
        if (pair->transmissions < ICE_MAX_TRANSMISSIONS) {
            transmit(agent, pair);
        } else {
            pair->nominate_on_success = false;
            if (pair->state == ICE_PAIR_IN_PROGRESS)
                pair->state = ICE_PAIR_FAILED;
        }
    }
}

/* Nobody is asked through the relay while a direct path serves, unless the peer came that way. */
static bool is_deferred(const struct ice_agent *agent, const struct ice_pair *pair)
{
    if (pair->remote.transport != ADDRESS_RELAY || pair->validated || agent->selected < 0)
        return false;
    const struct ice_pair *selected = &agent->pairs[agent->selected];
    return selected->old == pair->old && !is_silent(agent, selected);
}

static struct ice_pair *next_waiting(struct ice_agent *agent)
{
    struct ice_pair *best = NULL;
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (pair->state != ICE_PAIR_WAITING || is_deferred(agent, pair))
            continue;
        if (!best || ice_pair_priority(agent, pair) > ice_pair_priority(agent, best))
            best = pair;
    }
    return best;
}

static void run_pacer(struct ice_agent *agent)
{
    struct ice_pair *pair = next_waiting(agent);
    if (!pair || agent->now_us < agent->pace_us)
        return;
    start_check(agent, pair);
    agent->pace_us = agent->now_us + ICE_PACE_US;
}

/* A nomination of ours that got lost is sent again with the next consent check. */
static void run_consent(struct ice_agent *agent)
{
    if (agent->selected < 0 || agent->now_us < agent->consent_check_us)
        return;
    struct ice_pair *pair = &agent->pairs[agent->selected];
    new_transaction(agent, pair);
    transmit(agent, pair);
    double factor = 0.8 + 0.4 * random_unit(agent->random);
    agent->consent_check_us = agent->now_us + (int64_t)((double)ICE_CONSENT_US * factor);
}

/* Does the peer speak elsewhere, and here no more? */
static void run_doubt(struct ice_agent *agent)
{
    if (agent->selected < 0)
        return;
    struct ice_pair *selected = &agent->pairs[agent->selected];
    if (is_doubted(selected))
        return;
    for (int i = 0; i < agent->pair_count; i++) {
        const struct ice_pair *pair = &agent->pairs[i];
        if (pair->old != selected->old || !is_usable(agent, pair) || is_silent(agent, pair) ||
            pair->heard_us - selected->heard_us < ICE_DOUBT_AFTER_US)
            continue;
        selected->doubted_us = agent->now_us;
        new_transaction(agent, selected);
        transmit(agent, selected);
        return;
    }
}

static void update_state(struct ice_agent *agent)
{
    bool was_connected = agent->state == ICE_CONNECTED || agent->state == ICE_DISCONNECTED;
    if (agent->selected >= 0) {
        bool silent = is_silent(agent, &agent->pairs[agent->selected]);
        agent->state = silent ? ICE_DISCONNECTED : ICE_CONNECTED;
    } else if (agent->now_us >= agent->patience_us) {
        agent->state = ICE_FAILED;
    } else if (was_connected) {
        agent->state = ICE_DISCONNECTED;
    }
}

/* After a restart: what came before it is kept until the new path has carried media for a while. */
static void run_old_generation(struct ice_agent *agent)
{
    if (agent->now_us < agent->old_end_us)
        return;
    for (int i = agent->pair_count - 1; i >= 0; i--)
        if (agent->pairs[i].old)
            ice_remove_pair(agent, i);
    explicit_bzero(&agent->old, sizeof agent->old);
    agent->old_end_us = INT64_MAX;
}

void ice_lost_pairs(struct ice_agent *agent)
{
    bool was_connected = agent->state == ICE_CONNECTED || agent->state == ICE_DISCONNECTED;
    if (agent->selected < 0 && was_connected && agent->patience_us < agent->now_us)
        agent->patience_us = agent->now_us + ICE_CONNECT_US;
    ice_run(agent);
}

void ice_run(struct ice_agent *agent)
{
    if (!agent->lite) {
        run_retransmissions(agent);
        run_pacer(agent);
    }
    review_selection(agent);
    run_old_generation(agent);
    if (!agent->lite) {
        run_consent(agent);
        run_doubt(agent);
    }
    update_state(agent);
}

int64_t ice_next_run(const struct ice_agent *agent)
{
    int64_t next = agent->old_end_us;
    if (agent->selected >= 0) {
        const struct ice_pair *pair = &agent->pairs[agent->selected];
        next = min_i64(next, pair->consent_us + ICE_CONSENT_EXPIRY_US);
        if (agent->state == ICE_CONNECTED)
            next = min_i64(next, pair->heard_us + ICE_SILENCE_US);
        if (agent->state == ICE_CONNECTED && is_doubted(pair))
            next = min_i64(next, doubt_end(pair));
        if (!agent->lite)
            next = min_i64(next, agent->consent_check_us);
    } else {
        next = min_i64(next, agent->patience_us);
    }
    for (int i = 0; !agent->lite && i < agent->pair_count; i++) {
        const struct ice_pair *pair = &agent->pairs[i];
        if (is_repeated(pair))
            next = min_i64(next, pair->retransmit_us);
        else if (pair->state == ICE_PAIR_WAITING && !is_deferred(agent, pair))
            next = min_i64(next, agent->pace_us);
    }
    return next;
}
