#include "net/media_reflexive.h"

#include "core/clock.h"
#include "core/log.h"
#include "net/name_lookup.h"
#include "rtc/stun_query.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_UP_AGAIN_US = 30 * 1000 * 1000 };

struct media_reflexive {
    struct media_timer timer; /* first, see media_timer */
    struct media_thread *thread;
    struct server_url url;
    struct name_lookup *lookup;
    bool told_failure;
    atomic_bool asking; /* the address below is known and does not change any more */
    struct address server;
    struct stun_query query;
};

static void arm(struct media_reflexive *self)
{
    media_timer_set(self->thread, &self->timer, stun_query_deadline(&self->query));
}

static void drain(struct media_reflexive *self)
{
    uint8_t data[STUN_QUERY_BYTES];
    size_t size;
    while (stun_query_poll(&self->query, data, &size) == OW_OK)
        media_socket_send(self->thread->socket, &self->server, data, size);
    arm(self);
}

static void take_news(struct media_reflexive *self)
{
    struct media_candidates *candidates = self->thread->server->candidates;
    const struct address *mapped = stun_query_mapped(&self->query);
    char text[ADDRESS_TEXT_BYTES];
    if (stun_query_state(&self->query) == STUN_QUERY_FAILED && !self->told_failure) {
        self->told_failure = true;
        log_warn("The STUN server %s does not answer: viewers elsewhere may not find this server. "
                 "Is UDP let out?",
                 self->url.host);
    }
    if (!mapped || !media_candidates_set_reflexive(candidates, mapped))
        return;
    self->told_failure = false;
    log_info("Seen from outside this server is %s", address_text(mapped, text));
    media_server_offer_candidates(self->thread->server);
}

static void on_found(void *context, const struct address *addresses, int count)
{
    struct media_reflexive *self = context;
    int64_t now_us = clock_now_us();
    name_lookup_cancel(&self->lookup);
    if (count == 0) {
        log_warn("The STUN server %s is not known to the name service.", self->url.host);
        media_timer_set(self->thread, &self->timer, now_us + LOOK_UP_AGAIN_US);
        return;
    }
    self->server = addresses[0];
    stun_query_init(&self->query, &self->server, &self->thread->server->random, now_us);
    atomic_store(&self->asking, true);
    stun_query_handle_timeout(&self->query, now_us);
    drain(self);
}

static void look_up(struct media_reflexive *self, int64_t now_us)
{
    if (name_lookup_start(&self->lookup, self->thread, self->url.host, self->url.port, on_found,
                          self) != OW_OK)
        media_timer_set(self->thread, &self->timer, now_us + LOOK_UP_AGAIN_US);
}

static void on_timer(struct media_thread *thread, struct media_timer *timer, int64_t now_us)
{
    (void)thread;
    struct media_reflexive *self = (struct media_reflexive *)timer;
    if (!atomic_load(&self->asking)) {
        look_up(self, now_us);
        return;
    }
    stun_query_handle_timeout(&self->query, now_us);
    take_news(self);
    drain(self);
}

bool media_reflexive_receive(struct media_thread *thread, const struct address *from,
                             const uint8_t *data, size_t size, int64_t now_us)
{
    struct media_reflexive *self = thread->server->reflexive;
    if (!self || !atomic_load(&self->asking) || !address_equal(from, &self->server))
        return false;
    if (thread != self->thread) {
        media_thread_hand_over(thread, self->thread, MEDIA_HANDOVER_IN, from, data, size);
        return true;
    }
    if (stun_query_receive(&self->query, now_us, from, data, size) == OW_ENOTFOUND)
        return false;
    take_news(self);
    drain(self);
    return true;
}

int media_reflexive_create(struct media_reflexive **out, struct media_thread *thread,
                           const struct server_url *server)
{
    struct media_reflexive *self = calloc(1, sizeof *self);
    if (!self)
        return OW_ENOMEM;
    self->timer.fire = on_timer;
    self->thread = thread;
    self->url = *server;
    *out = self;
    look_up(self, clock_now_us());
    return OW_OK;
}

void media_reflexive_destroy(struct media_reflexive **reflexive)
{
    struct media_reflexive *self = *reflexive;
    if (!self)
        return;
    name_lookup_cancel(&self->lookup);
    media_timer_set(self->thread, &self->timer, INT64_MAX);
    free(self);
    *reflexive = NULL;
}
