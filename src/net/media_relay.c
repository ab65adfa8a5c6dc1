#include "net/media_relay.h"

#include "core/clock.h"
#include "core/log.h"
#include "net/name_lookup.h"
#include "net/turn_credentials.h"
#include "net/turn_link.h"
#include "rtc/turn_client.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BACKOFF_US = 1 * 1000 * 1000,
    MAX_BACKOFF_US = 60 * 1000 * 1000,
    CONNECT_US = 10 * 1000 * 1000,
    READS = 32, /* datagrams or stretches in one round */
    /* Longer than anybody keeps a server running without a break: the name may not change while the
     * allocation lives. */
    CREDENTIALS_S = 30 * 24 * 3600,
};

struct media_relay {
    struct media_timer timer; /* first, see media_timer */
    struct media_watch watch;
    struct media_thread *thread;
    struct server_url url;
    struct name_lookup *lookup;
    struct address servers[NAME_LOOKUP_ADDRESSES];
    int server_count, server_next;
    struct address server; /* that is connected to */
    bool redirected;       /* by the server that was asked first; one hop per attempt */
    char host[256];        /* the name that a TLS server must have a certificate for */
    struct turn_link *link;
    struct turn_client *client; /* once the link is open */
    bool available;             /* the viewers know of it */
    int64_t backoff_us, give_up_us;
};

static void work(struct media_relay *self, int64_t now_us);

/* -- what viewers are told -- */

static void run_available(struct media_thread *thread, void *argument)
{
    bool available = argument != NULL;
    int64_t now_us = clock_now_us();
    for (struct media_part *part = thread->parts; part; part = part->next) {
        for (struct media_viewer *i = part->viewers; i; i = i->next) {
            if (i->closed)
                continue;
            rtc_session_set_relay(i->session, now_us, available);
            media_viewer_drain(i, now_us);
        }
    }
}

static void tell(struct media_relay *self, bool available)
{
    struct media_server *server = self->thread->server;
    if (self->available == available)
        return;
    self->available = available;
    media_candidates_set_relayed(server->candidates,
                                 available ? turn_client_relayed(self->client) : NULL);
    for (int i = 0; i < server->thread_count; i++)
        (void)media_thread_post(server->threads[i], run_available, available ? self : NULL);
    if (available)
        media_server_offer_candidates(server);
}

/* -- the link -- */

static void drop_link(struct media_relay *self)
{
    tell(self, false);
    if (self->link)
        media_thread_unwatch(self->thread, &self->watch);
    turn_client_destroy(&self->client);
    turn_link_destroy(&self->link);
}

static void fail(struct media_relay *self, int64_t now_us, const char *why)
{
    log_warn("The relay at %s cannot be used: %s. Trying again in %" PRId64 " s.", self->url.host,
             why, self->backoff_us / 1000000);
    drop_link(self);
    media_timer_set(self->thread, &self->timer, now_us + self->backoff_us);
    self->backoff_us =
        2 * self->backoff_us < MAX_BACKOFF_US ? 2 * self->backoff_us : MAX_BACKOFF_US;
}

static void watch_link(struct media_relay *self)
{
    (void)media_thread_watch(self->thread, &self->watch, turn_link_events(self->link));
}

static void on_ready(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)thread;
    (void)events;
    size_t offset = offsetof(struct media_relay, watch);
    struct media_relay *self = (struct media_relay *)(void *)((char *)watch - offset);
    if (self->link) /* else an event of before it was dropped */
        work(self, clock_now_us());
}

static void connect_link(struct media_relay *self, int64_t now_us)
{
    if (turn_link_create(&self->link, self->url.kind, &self->server, self->host,
                         self->thread->server->settings.turn_ca_file) != OW_OK) {
        fail(self, now_us, "it cannot be connected to");
        return;
    }
    self->watch = (struct media_watch){turn_link_fd(self->link), on_ready};
    self->give_up_us = now_us + CONNECT_US;
    work(self, now_us);
}

static void on_found(void *context, const struct address *addresses, int count)
{
    struct media_relay *self = context;
    int64_t now_us = clock_now_us();
    name_lookup_cancel(&self->lookup);
    memcpy(self->servers, addresses, (size_t)count * sizeof *addresses);
    self->server_count = count;
    if (count == 0) {
        fail(self, now_us, "its name is not known to the name service");
        return;
    }
    self->server = self->servers[self->server_next++ % self->server_count];
    self->redirected = false;
    snprintf(self->host, sizeof self->host, "%s", self->url.host);
    connect_link(self, now_us);
}

static void begin(struct media_relay *self, int64_t now_us)
{
    if (name_lookup_start(&self->lookup, self->thread, self->url.host, self->url.port, on_found,
                          self) != OW_OK)
        fail(self, now_us, "its name cannot be looked up");
}

/* -- the client -- */

static int create_client(struct media_relay *self, int64_t now_us)
{
    const struct media_server_settings *settings = &self->thread->server->settings;
    char username[TURN_CREDENTIAL_BYTES], password[TURN_CREDENTIAL_BYTES];
    struct turn_settings turn = {.username = settings->turn_username,
                                 .password = settings->turn_password,
                                 .stream = turn_link_is_stream(self->link),
                                 .random = &self->thread->server->random};
    if (settings->turn_secret && settings->turn_secret[0]) {
        int rc = turn_credentials(settings->turn_secret, clock_wall_us() / 1000000, CREDENTIALS_S,
                                  username, password);
        if (rc != OW_OK)
            return rc;
        turn.username = username;
        turn.password = password;
    }
    if (!turn.username || !turn.password)
        return OW_EINVAL;
    return turn_client_create(&self->client, &turn, now_us);
}

static void take(struct media_relay *self, int64_t now_us, const uint8_t *data, size_t size)
{
    struct turn_datagram datagram;
    while (turn_client_receive(self->client, now_us, &data, &size, &datagram) == OW_OK)
        media_viewer_receive(self->thread, &datagram.peer, datagram.data, datagram.size, now_us,
                             false);
}

static void read_link(struct media_relay *self, int64_t now_us)
{
    uint8_t data[16 * 1024];
    size_t size;
    for (int i = 0; i < READS && turn_link_read(self->link, data, sizeof data, &size) == OW_OK; i++)
        take(self, now_us, data, size);
}

static void write_link(struct media_relay *self)
{
    uint8_t data[TURN_MAX_MESSAGE];
    size_t size;
    while (turn_client_poll(self->client, data, &size) == OW_OK)
        turn_link_write(self->link, data, size);
}

/* RFC 8489 section 10: the same transport and credentials at another server, and with TLS a
 * certificate for the name that was given or else the one before. A second redirection in one
 * attempt, or one back to where it came from, could go round for ever. False = nothing to follow.
 */
static bool follow_redirection(struct media_relay *self, int64_t now_us)
{
    char text[ADDRESS_TEXT_BYTES];
    const char *domain;
    const struct address *found = turn_client_alternate(self->client, &domain);
    if (!found || self->redirected || found->family != self->server.family ||
        address_equal(found, &self->server))
        return false;
    log_info("The relay at %s sends on to %s", self->url.host, address_text(found, text));
    self->redirected = true;
    self->server = *found;
    if (domain)
        snprintf(self->host, sizeof self->host, "%s", domain);
    drop_link(self);
    connect_link(self, now_us);
    return true;
}

static void follow_state(struct media_relay *self, int64_t now_us)
{
    char text[ADDRESS_TEXT_BYTES];
    enum turn_state state = turn_client_state(self->client);
    if (state == TURN_FAILED && follow_redirection(self, now_us))
        return;
    if (state == TURN_FAILED || state == TURN_CLOSED) {
        fail(self, now_us, turn_client_failure(self->client));
        return;
    }
    if (state == TURN_ALLOCATED && !self->available) {
        log_info("The relay at %s gives this server the address %s", self->url.host,
                 address_text(turn_client_relayed(self->client), text));
        self->backoff_us = FIRST_BACKOFF_US;
        tell(self, true);
    }
    watch_link(self);
    media_timer_set(self->thread, &self->timer, turn_client_deadline(self->client));
}

/* Goes on with whatever can be gone on with. */
static void work(struct media_relay *self, int64_t now_us)
{
    enum turn_link_state state = turn_link_go_on(self->link);
    if (state == TURN_LINK_CONNECTING && now_us >= self->give_up_us) {
        fail(self, now_us, "it does not answer");
        return;
    }
    if (state == TURN_LINK_OPEN && !self->client && create_client(self, now_us) != OW_OK) {
        fail(self, now_us, "name and password, or the secret, are missing or too long");
        return;
    }
    if (self->client) {
        read_link(self, now_us);
        turn_client_handle_timeout(self->client, now_us);
        write_link(self);
        state = turn_link_go_on(self->link);
    }
    if (state == TURN_LINK_FAILED) {
        fail(self, now_us, turn_link_failure(self->link));
    } else if (self->client) {
        follow_state(self, now_us);
    } else {
        watch_link(self);
        media_timer_set(self->thread, &self->timer, self->give_up_us);
    }
}

static void on_timer(struct media_thread *thread, struct media_timer *timer, int64_t now_us)
{
    (void)thread;
    struct media_relay *self = (struct media_relay *)timer;
    if (self->link)
        work(self, now_us);
    else if (!self->lookup)
        begin(self, now_us);
}

void media_relay_send(struct media_thread *thread, const struct address *peer, const uint8_t *data,
                      size_t size)
{
    struct media_relay *self = thread->server->relay;
    if (!self)
        return;
    if (thread != self->thread) {
        media_thread_hand_over(thread, self->thread, MEDIA_HANDOVER_RELAY, peer, data, size);
        return;
    }
    if (!self->client || !self->available)
        return;
    int64_t now_us = clock_now_us();
    if (turn_client_send(self->client, now_us, peer, data, size) != OW_OK)
        return;
    write_link(self);
    /* Not looked at more closely here, in the middle of a viewer's sending: the timer does. */
    media_timer_set(self->thread, &self->timer, turn_client_deadline(self->client));
    if (turn_link_is_stream(self->link))
        watch_link(self);
}

/* -- life -- */

int media_relay_create(struct media_relay **out, struct media_thread *thread,
                       const struct server_url *server)
{
    struct media_relay *self = calloc(1, sizeof *self);
    if (!self)
        return OW_ENOMEM;
    self->timer.fire = on_timer;
    self->thread = thread;
    self->url = *server;
    self->backoff_us = FIRST_BACKOFF_US;
    *out = self;
    begin(self, clock_now_us());
    return OW_OK;
}

void media_relay_destroy(struct media_relay **relay)
{
    struct media_relay *self = *relay;
    if (!self)
        return;
    name_lookup_cancel(&self->lookup);
    if (self->client) {
        turn_client_close(self->client, clock_now_us());
        write_link(self);
    }
    if (self->link)
        media_thread_unwatch(self->thread, &self->watch);
    turn_client_destroy(&self->client);
    turn_link_destroy(&self->link);
    media_timer_set(self->thread, &self->timer, INT64_MAX);
    free(self);
    *relay = NULL;
}
