#include "rtc/turn_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_TRANSMISSIONS = 7, /* RFC 8489 section 6.2.1, Rc */
    LAST_WAIT = 16,        /* Rm, in units of the first wait */
    MAX_RENEWALS = 3,      /* new nonces within one request */
    MIN_LIFETIME_S = 20,   /* a server that wants refreshes more often does not get them */
    MAX_LIFETIME_S = 3600,
};

#define RTO_US ((int64_t)500000)
#define STREAM_PATIENCE_US ((int64_t)39500000) /* section 6.2.2, Ti: nothing is repeated */
/* Permissions live for 5 minutes (RFC 8656 section 9), channels for 10 (section 12). */
#define GRANT_REFRESH_US ((int64_t)240000000)
#define REFUSAL_US ((int64_t)60000000)

static void schedule(struct turn_client *client, int64_t at_us)
{
    if (at_us < client->next_us)
        client->next_us = at_us;
}

static void fail(struct turn_client *client, const char *what, int code)
{
    client->state = TURN_FAILED;
    client->queue_count = 0;
    client->next_us = INT64_MAX;
    if (code != 0)
        snprintf(client->failure, sizeof client->failure, "the TURN server %s (error %d)", what,
                 code);
    else
        snprintf(client->failure, sizeof client->failure, "the TURN server %s", what);
}

/* ---- sending ---- */

static void transmit(struct turn_client *client, struct turn_transaction *t, int64_t now_us)
{
    t->send_pending = true;
    t->transmissions++;
    if (client->stream)
        t->due_us = now_us + STREAM_PATIENCE_US;
    else if (t->transmissions == MAX_TRANSMISSIONS)
        t->due_us = now_us + LAST_WAIT * RTO_US;
    else
        t->due_us = now_us + (RTO_US << (t->transmissions - 1));
    schedule(client, t->due_us);
}

static void begin(struct turn_client *client, struct turn_transaction *t, int64_t now_us)
{
    client->random->fill(client->random, t->id, sizeof t->id);
    t->waiting = true;
    t->transmissions = 0;
    transmit(client, t, now_us);
}

void turn_request_start(struct turn_client *client, struct turn_transaction *transaction,
                        int64_t now_us)
{
    transaction->renewals = 0;
    begin(client, transaction, now_us);
}

void turn_request_grant(struct turn_client *client, struct turn_grant *grant, int64_t now_us)
{
    turn_request_start(client, &grant->ask, now_us);
    client->asks_pending = true;
}

static int finish(struct turn_client *client, struct stun_writer *writer, size_t *size)
{
    if (client->has_key) {
        stun_put_username(writer, client->username);
        stun_put_realm(writer, client->realm);
        stun_put_nonce(writer, client->nonce, client->nonce_size);
        int err = stun_finish_key(writer, client->key);
        if (err)
            return err;
    }
    if (writer->overflow)
        return OW_ELIMIT;
    *size = writer->size;
    return OW_OK;
}

static int write_allocation(struct turn_client *client, uint8_t *data, size_t *size)
{
    struct stun_writer writer;
    enum stun_method method = client->state == TURN_ALLOCATING ? TURN_ALLOCATE : TURN_REFRESH;
    stun_begin_turn(&writer, data, TURN_MAX_MESSAGE, method, STUN_REQUEST, client->allocation.id);
    if (method == TURN_ALLOCATE) {
        stun_put_requested_udp(&writer);
        if (client->ipv6)
            stun_put_requested_family(&writer, ADDRESS_IPV6);
    } else if (client->state == TURN_CLOSED) {
        stun_put_lifetime(&writer, 0);
    }
    return finish(client, &writer, size);
}

static int write_grant(struct turn_client *client, const struct turn_grant *grant, uint8_t *data,
                       size_t *size)
{
    struct stun_writer writer;
    bool channel = grant->peer.port != 0;
    stun_begin_turn(&writer, data, TURN_MAX_MESSAGE,
                    channel ? TURN_CHANNEL_BIND : TURN_CREATE_PERMISSION, STUN_REQUEST,
                    grant->ask.id);
    if (channel)
        stun_put_channel(&writer, grant->channel);
    stun_put_peer(&writer, &grant->peer);
    return finish(client, &writer, size);
}

static int poll_grants(struct turn_client *client, uint8_t *data, size_t *size)
{
    for (int i = 0; i < client->grants.count; i++) {
        struct turn_grant *grant = &client->grants.rows[i];
        if (!grant->ask.send_pending)
            continue;
        grant->ask.send_pending = false;
        if (write_grant(client, grant, data, size) == OW_OK)
            return OW_OK; /* else out of memory: the retransmission tries again */
    }
    client->asks_pending = false;
    return OW_EAGAIN;
}

int turn_request_poll(struct turn_client *client, uint8_t *data, size_t *size)
{
    if (client->allocation.send_pending) {
        client->allocation.send_pending = false;
        if (write_allocation(client, data, size) == OW_OK)
            return OW_OK;
    }
    if (client->state == TURN_ALLOCATED && client->asks_pending)
        return poll_grants(client, data, size);
    return OW_EAGAIN;
}

/* ---- answers ---- */

/* RFC 8489 section 9.2.4: realm and nonce of a challenge or of a server that wants a newer nonce.
 */
static bool take_challenge(struct turn_client *client, const struct stun_message *m)
{
    if (!m->nonce || (!m->realm && !client->has_key) ||
        (m->realm && memchr(m->realm, 0, m->realm_size)))
        return false;
    if (m->realm) {
        memcpy(client->realm, m->realm, m->realm_size);
        client->realm[m->realm_size] = '\0';
    }
    memcpy(client->nonce, m->nonce, m->nonce_size);
    client->nonce_size = m->nonce_size;
    client->has_key =
        stun_long_term_key(client->key, client->username, client->realm, client->password) == OW_OK;
    return client->has_key;
}

/* Repeats a request that was refused for want of (fresh) credentials only. */
static bool renew(struct turn_client *client, struct turn_transaction *t, int64_t now_us,
                  const struct stun_message *m)
{
    bool challenged = m->error_code == STUN_ERROR_UNAUTHORIZED && !client->has_key;
    if ((!challenged && m->error_code != STUN_ERROR_STALE_NONCE) || t->renewals == MAX_RENEWALS ||
        !take_challenge(client, m))
        return false;
    t->renewals++;
    begin(client, t, now_us);
    return true;
}

static const char *explain(int code)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        {STUN_ERROR_TRY_ALTERNATE, "sends to another server, which cannot be followed"},
        {STUN_ERROR_UNAUTHORIZED, "refuses the user name or the password"},
        {STUN_ERROR_FORBIDDEN, "forbids an allocation"},
        {STUN_ERROR_ALLOCATION_MISMATCH, "knows no allocation, or another, for this connection"},
        {STUN_ERROR_FAMILY_UNSUPPORTED, "has no relay addresses of this IP version"},
        {STUN_ERROR_WRONG_CREDENTIALS, "wants the user name that made the allocation"},
        {STUN_ERROR_QUOTA_REACHED, "gives this user no more allocations"},
        {STUN_ERROR_NO_CAPACITY, "has no relay address left"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return "refuses the request";
}

static void take_lifetime(struct turn_client *client, int64_t now_us, uint32_t lifetime_s)
{
    int64_t seconds = lifetime_s < MIN_LIFETIME_S   ? MIN_LIFETIME_S
                      : lifetime_s > MAX_LIFETIME_S ? MAX_LIFETIME_S
                                                    : lifetime_s;
    client->refresh_us = now_us + (seconds >= 120 ? seconds - 60 : seconds / 2) * 1000000;
    schedule(client, client->refresh_us);
}

static bool is_relay_address(const struct turn_client *client, const struct address *address)
{
    return address->family == (client->ipv6 ? ADDRESS_IPV6 : ADDRESS_IPV4) && address->port != 0;
}

/* A host name: no pattern, no address, nothing that ends a text early (RFC 8489 section 14.16). */
static bool is_domain(const uint8_t *text, size_t size)
{
    bool letter = false;
    for (size_t i = 0; i < size; i++) {
        uint8_t lower = text[i] | 0x20;
        bool is_letter = lower >= 'a' && lower <= 'z';
        if (!is_letter && !(text[i] >= '0' && text[i] <= '9') && text[i] != '-' && text[i] != '.')
            return false;
        letter |= is_letter;
    }
    return letter;
}

static bool is_server_address(const struct address *address)
{
    static const uint8_t unspecified[16];
    if (address->family == ADDRESS_NONE || address->port == 0)
        return false;
    if (address->family == ADDRESS_IPV4)
        return address->ip[0] != 0 && address->ip[0] < 224;
    return address->ip[0] != 0xff && memcmp(address->ip, unspecified, sizeof unspecified) != 0;
}

/* RFC 8489 section 10. A redirection may come without integrity; a wrong one is not believed. */
static void take_alternate(struct turn_client *client, const struct stun_message *m)
{
    if (m->error_code != STUN_ERROR_TRY_ALTERNATE || client->state != TURN_ALLOCATING ||
        !is_server_address(&m->alternate) ||
        (m->alternate_domain && !is_domain(m->alternate_domain, m->alternate_domain_size)) ||
        (client->has_key && m->integrity_offset != 0 &&
         stun_verify(m, client->key, STUN_KEY_BYTES)))
        return;
    client->alternate = m->alternate;
    if (m->alternate_domain)
        memcpy(client->alternate_domain, m->alternate_domain, m->alternate_domain_size);
}

static void allocation_answered(struct turn_client *client, int64_t now_us,
                                const struct stun_message *m)
{
    struct turn_transaction *t = &client->allocation;
    t->waiting = t->send_pending = false;
    if (m->class == STUN_ERROR) {
        if (renew(client, t, now_us, m))
            return;
        take_alternate(client, m);
        fail(client, explain(m->error_code), m->error_code);
        return;
    }
    if (m->unknown_count > 0 || !m->has_lifetime ||
        (client->state == TURN_ALLOCATING && !is_relay_address(client, &m->relayed))) {
        fail(client, "sent an answer that makes no sense", 0);
        return;
    }
    if (client->state == TURN_ALLOCATING) {
        client->state = TURN_ALLOCATED;
        client->relayed = m->relayed;
        client->mapped = m->mapped;
    }
    take_lifetime(client, now_us, m->lifetime_s);
}

static void grant_answered(struct turn_client *client, struct turn_grant *grant, int64_t now_us,
                           const struct stun_message *m)
{
    grant->ask.waiting = grant->ask.send_pending = false;
    if (m->class == STUN_ERROR && renew(client, &grant->ask, now_us, m)) {
        client->asks_pending = true;
        return;
    }
    bool given = m->class == STUN_SUCCESS && m->unknown_count == 0;
    grant->state = given ? TURN_GRANT_GIVEN : TURN_GRANT_REFUSED;
    grant->refresh_us = now_us + (given ? GRANT_REFRESH_US : REFUSAL_US);
    schedule(client, grant->refresh_us);
}

static bool answers(const struct turn_transaction *t, const struct stun_message *m)
{
    return t->waiting && memcmp(t->id, m->transaction, STUN_TRANSACTION_BYTES) == 0;
}

void turn_request_answered(struct turn_client *client, int64_t now_us,
                           const struct stun_message *message)
{
    if (message->class == STUN_ERROR && message->error_code == 0)
        return;
    /* Errors come without integrity when the server does not know the credentials. */
    if (message->class == STUN_SUCCESS && client->has_key &&
        stun_verify(message, client->key, STUN_KEY_BYTES))
        return;
    if (answers(&client->allocation, message)) {
        allocation_answered(client, now_us, message);
        return;
    }
    for (int i = 0; i < client->grants.count; i++) {
        if (answers(&client->grants.rows[i].ask, message)) {
            grant_answered(client, &client->grants.rows[i], now_us, message);
            return;
        }
    }
}

/* ---- time ---- */

/* False when the answer is overdue for good. */
static bool run_transaction(struct turn_client *client, struct turn_transaction *t, int64_t now_us)
{
    if (!t->waiting || now_us < t->due_us)
        return true;
    if (client->stream || t->transmissions == MAX_TRANSMISSIONS) {
        t->waiting = t->send_pending = false;
        return false;
    }
    transmit(client, t, now_us);
    return true;
}

static void run_grant(struct turn_client *client, struct turn_grant *grant, int64_t now_us)
{
    if (!run_transaction(client, &grant->ask, now_us))
        grant->state = TURN_GRANT_NONE; /* asked again when it is needed */
    if (grant->ask.waiting) {
        client->asks_pending |= grant->ask.send_pending;
        schedule(client, grant->ask.due_us);
        return;
    }
    if (grant->state == TURN_GRANT_NONE)
        return;
    if (now_us < grant->refresh_us)
        schedule(client, grant->refresh_us);
    else if (grant->state == TURN_GRANT_REFUSED)
        grant->state = TURN_GRANT_NONE;
    else if (now_us - grant->used_us >= GRANT_REFRESH_US)
        turn_grants_remove(&client->grants, grant);
    else
        turn_request_grant(client, grant, now_us);
}

void turn_request_run(struct turn_client *client, int64_t now_us)
{
    client->next_us = INT64_MAX;
    struct turn_transaction *t = &client->allocation;
    if (!run_transaction(client, t, now_us)) {
        fail(client, "does not answer", 0);
        return;
    }
    if (client->state == TURN_ALLOCATED && !t->waiting && now_us >= client->refresh_us)
        turn_request_start(client, t, now_us);
    schedule(client, t->waiting ? t->due_us : client->refresh_us);
    for (int i = 0; i < client->grants.count; i++)
        run_grant(client, &client->grants.rows[i], now_us);
}
