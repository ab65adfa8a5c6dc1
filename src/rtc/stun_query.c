#include "rtc/stun_query.h"

#include <string.h>

enum { MAX_TRANSMISSIONS = 7 }; /* RFC 8489 section 6.2.1, Rc */

#define RTO_US ((int64_t)500000)
/* NATs forget UDP mappings after 30 s at the earliest that is met in practice. */
#define REFRESH_US ((int64_t)25000000)

void stun_query_init(struct stun_query *query, const struct address *server,
                     struct random_source *random, int64_t now_us)
{
    *query = (struct stun_query){.server = *server, .random = random, .due_us = now_us};
}

int stun_query_poll(struct stun_query *query, uint8_t *data, size_t *size)
{
    if (!query->send_pending)
        return OW_EAGAIN;
    query->send_pending = false;
    struct stun_writer writer;
    stun_begin(&writer, data, STUN_QUERY_BYTES, STUN_REQUEST, query->transaction);
    int err = stun_finish(&writer, NULL);
    if (!err)
        *size = writer.size;
    return err;
}

int stun_query_receive(struct stun_query *query, int64_t now_us, const struct address *from,
                       const uint8_t *data, size_t size)
{
    struct stun_message message;
    if (!query->waiting || !address_equal(from, &query->server) ||
        stun_parse(&message, data, size) ||
        (message.class != STUN_SUCCESS && message.class != STUN_ERROR) ||
        memcmp(message.transaction, query->transaction, STUN_TRANSACTION_BYTES) != 0)
        return OW_ENOTFOUND;
    query->waiting = query->send_pending = false;
    query->due_us = now_us + REFRESH_US;
    if (message.class == STUN_ERROR || message.unknown_count > 0 ||
        message.mapped.family == ADDRESS_NONE || message.mapped.port == 0) {
        query->state = STUN_QUERY_FAILED;
        return OW_EPARSE;
    }
    query->state = STUN_QUERY_KNOWN;
    query->mapped = message.mapped;
    return OW_OK;
}

void stun_query_handle_timeout(struct stun_query *query, int64_t now_us)
{
    if (now_us < query->due_us)
        return;
    if (query->waiting && query->transmissions == MAX_TRANSMISSIONS) {
        query->waiting = false;
        query->state = STUN_QUERY_FAILED;
        query->due_us = now_us + REFRESH_US;
        return;
    }
    if (!query->waiting) {
        query->random->fill(query->random, query->transaction, sizeof query->transaction);
        query->waiting = true;
        query->transmissions = 0;
    }
    query->due_us = now_us + (RTO_US << query->transmissions);
    query->transmissions++;
    query->send_pending = true;
}

int64_t stun_query_deadline(const struct stun_query *query)
{
    return query->due_us;
}

enum stun_query_state stun_query_state(const struct stun_query *query)
{
    return query->state;
}

const struct address *stun_query_mapped(const struct stun_query *query)
{
    return query->mapped.family == ADDRESS_NONE ? NULL : &query->mapped;
}
