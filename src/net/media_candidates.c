#include "net/media_candidates.h"

#include "net/socket_address.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8445 section 5.1.2.2; TCP's below UDP's of the same kind, so that it is taken only where UDP
 * does not pass. */
enum { PREFERENCE_HOST = 126, PREFERENCE_REFLEXIVE = 100, PREFERENCE_RELAYED = 0 };

struct media_candidates {
    bool has_public, tcp;
    uint16_t port;
    struct address bind_address, public_address;
    pthread_mutex_t lock; /* guards the two below; family ADDRESS_NONE = none */
    struct address reflexive, relayed;
};

int media_candidates_create(struct media_candidates **out,
                            const struct media_candidates_settings *settings, struct reason *why)
{
    struct address bound = {0}, public_address = {0};
    bool has_public = settings->public_address && settings->public_address[0];
    if (settings->bind_address && address_parse(&bound, settings->bind_address, 0) != OW_OK)
        return reason_set(why, OW_EINVAL, "The media address \"%s\" is not an IP address.",
                          settings->bind_address);
    if (has_public && address_parse(&public_address, settings->public_address, 0) != OW_OK)
        return reason_set(why, OW_EINVAL,
                          "The public address \"%s\" is not an IP address (--public-address).",
                          settings->public_address);
    struct media_candidates *self = calloc(1, sizeof *self);
    if (!self)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    self->has_public = has_public;
    self->tcp = settings->tcp;
    self->port = settings->port;
    self->bind_address = bound;
    self->public_address = public_address;
    pthread_mutex_init(&self->lock, NULL);
    *out = self;
    return OW_OK;
}

void media_candidates_destroy(struct media_candidates **candidates)
{
    if (!*candidates)
        return;
    pthread_mutex_destroy(&(*candidates)->lock);
    free(*candidates);
    *candidates = NULL;
}

static bool replace(struct media_candidates *self, struct address *held,
                    const struct address *address)
{
    struct address none = {0};
    const struct address *next = address ? address : &none;
    pthread_mutex_lock(&self->lock);
    bool news = !address_equal(held, next) || held->family != next->family;
    *held = *next;
    pthread_mutex_unlock(&self->lock);
    return news;
}

bool media_candidates_set_reflexive(struct media_candidates *self, const struct address *address)
{
    return replace(self, &self->reflexive, address);
}

bool media_candidates_set_relayed(struct media_candidates *self, const struct address *address)
{
    return replace(self, &self->relayed, address);
}

bool media_candidates_has_relay(struct media_candidates *self)
{
    pthread_mutex_lock(&self->lock);
    bool has = self->relayed.family != ADDRESS_NONE;
    pthread_mutex_unlock(&self->lock);
    return has;
}

/* -- the list -- */

struct list {
    struct sdp_candidate *out;
    int count, max;
};

static void add(struct list *list, const struct address *address, const char *type, int preference)
{
    if (list->count >= list->max)
        return;
    for (int i = 0; i < list->count; i++)
        if (address_equal(&list->out[i].address, address))
            return;
    struct sdp_candidate *candidate = &list->out[list->count];
    memset(candidate, 0, sizeof *candidate);
    candidate->address = *address;
    uint32_t local = 65535 - (uint32_t)list->count;
    if (address->transport == ADDRESS_TCP)
        local = 32767 - (uint32_t)list->count;
    candidate->priority = (uint32_t)preference << 24 | local << 8 | 255;
    memcpy(candidate->type, type, strlen(type) + 1);
    list->count++;
}

static void add_host(struct list *list, const struct address *ip, uint16_t port)
{
    struct address address = *ip;
    address.transport = ADDRESS_UDP;
    address.port = port;
    add(list, &address, "host", PREFERENCE_HOST);
}

static void add_interfaces(struct list *list, uint16_t port, bool loopback)
{
    struct address found[SDP_MAX_LOCAL_CANDIDATES];
    int count = media_local_addresses(found, SDP_MAX_LOCAL_CANDIDATES, loopback);
    for (int i = 0; i < count; i++)
        add_host(list, &found[i], port);
}

static bool is_any(const struct address *address)
{
    static const uint8_t zero[16] = {0};
    return memcmp(address->ip, zero, sizeof zero) == 0;
}

/* In order of hope: the address by which the browser reached us, the public one, the interfaces. */
static void add_hosts(const struct media_candidates *self, const struct address *via,
                      struct list *list)
{
    const struct address *bound = &self->bind_address;
    bool bound_to_one = bound->family != ADDRESS_NONE && !is_any(bound);
    bool via_known = via && via->family != ADDRESS_NONE && !is_any(via);
    if (bound_to_one)
        add_host(list, bound, self->port);
    else if (via_known)
        add_host(list, via, self->port);
    if (self->has_public)
        add_host(list, &self->public_address, self->port);
    if (bound_to_one)
        return;
    if (via_known && address_is_loopback(via))
        add_interfaces(list, self->port, true);
    add_interfaces(list, self->port, false);
    if (list->count == 0)
        add_interfaces(list, self->port, true);
}

int media_candidates_list(struct media_candidates *self, const struct address *via,
                          struct sdp_candidate *out, int max)
{
    struct list list = {.out = out, .max = max};
    add_hosts(self, via, &list);
    pthread_mutex_lock(&self->lock);
    struct address reflexive = self->reflexive, relayed = self->relayed;
    pthread_mutex_unlock(&self->lock);
    /* The few that come from outside are not to be crowded out by a machine's many interfaces. */
    int kept = (self->tcp ? max / 2 : max) - (reflexive.family != ADDRESS_NONE) -
               (relayed.family != ADDRESS_NONE);
    if (list.count > kept)
        list.count = kept > 0 ? kept : 0;
    if (reflexive.family != ADDRESS_NONE)
        add(&list, &reflexive, "srflx", PREFERENCE_REFLEXIVE);
    if (relayed.family != ADDRESS_NONE)
        add(&list, &relayed, "relay", PREFERENCE_RELAYED);
    int datagram_count = list.count;
    for (int i = 0; self->tcp && i < datagram_count; i++) {
        if (strcmp(out[i].type, "host") != 0)
            continue;
        struct address address = out[i].address;
        address.transport = ADDRESS_TCP;
        add(&list, &address, "host", PREFERENCE_HOST);
    }
    return list.count;
}
