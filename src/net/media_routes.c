#include "net/media_routes.h"

#include "core/random.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, TRANSACTIONS = 1024 };

struct route {
    struct route *next;
    struct media_viewer *viewer;
    const char *ufrag;      /* in by_ufrag */
    struct address address; /* in by_address */
    uint64_t serial;        /* in by_address: order of arrival */
};

struct transaction {
    uint8_t id[MEDIA_TRANSACTION_BYTES];
    struct media_viewer *viewer;
};

struct media_routes {
    uint64_t seed; /* strangers choose addresses and fragments; they shall not choose the buckets */
    uint64_t serial;
    struct route *by_ufrag[BUCKETS];
    struct route *by_address[BUCKETS];
    struct transaction transactions[TRANSACTIONS];
};

/* FNV-1a, seeded, with a final mix. */
static size_t bucket_of(const struct media_routes *self, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u ^ self->seed;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return (size_t)((hash ^ (hash >> 32)) % BUCKETS);
}

static size_t address_bucket(const struct media_routes *self, const struct address *address)
{
    uint8_t key[20] = {address->family, address->transport, (uint8_t)(address->port >> 8),
                       (uint8_t)address->port};
    memcpy(key + 4, address->ip, 16);
    return bucket_of(self, key, sizeof key);
}

int media_routes_create(struct media_routes **out)
{
    struct media_routes *self = calloc(1, sizeof *self);
    if (!self)
        return OW_ENOMEM;
    struct random_source random;
    random_system(&random);
    self->seed = random_u64(&random);
    *out = self;
    return OW_OK;
}

static void free_chain(struct route *route)
{
    while (route) {
        struct route *next = route->next;
        free(route);
        route = next;
    }
}

void media_routes_destroy(struct media_routes **routes)
{
    if (!*routes)
        return;
    for (int i = 0; i < BUCKETS; i++) {
        free_chain((*routes)->by_ufrag[i]);
        free_chain((*routes)->by_address[i]);
    }
    free(*routes);
    *routes = NULL;
}

int media_routes_add_ufrag(struct media_routes *self, const char *ufrag,
                           struct media_viewer *viewer)
{
    struct route *route = calloc(1, sizeof *route);
    if (!route)
        return OW_ENOMEM;
    size_t bucket = bucket_of(self, ufrag, strlen(ufrag));
    route->viewer = viewer;
    route->ufrag = ufrag;
    route->next = self->by_ufrag[bucket];
    self->by_ufrag[bucket] = route;
    return OW_OK;
}

struct media_viewer *media_routes_by_ufrag(const struct media_routes *self, const char *ufrag)
{
    for (struct route *i = self->by_ufrag[bucket_of(self, ufrag, strlen(ufrag))]; i; i = i->next)
        if (strcmp(i->ufrag, ufrag) == 0)
            return i->viewer;
    return NULL;
}

static struct route *find_address(const struct media_routes *self, const struct address *address)
{
    for (struct route *i = self->by_address[address_bucket(self, address)]; i; i = i->next)
        if (address_equal(&i->address, address))
            return i;
    return NULL;
}

static void remove_where(struct route **link, const struct media_viewer *viewer, uint64_t serial)
{
    while (*link) {
        struct route *route = *link;
        if (route->viewer == viewer && (serial == 0 || route->serial == serial)) {
            *link = route->next;
            free(route);
        } else {
            link = &route->next;
        }
    }
}

/* A viewer that moves on and on keeps a bounded number of addresses. Only new addresses pay for
 * this walk. */
static void drop_oldest(struct media_routes *self, const struct media_viewer *viewer)
{
    int count = 0;
    const struct route *oldest = NULL;
    for (int i = 0; i < BUCKETS; i++)
        for (const struct route *at = self->by_address[i]; at; at = at->next)
            if (at->viewer == viewer) {
                count++;
                if (!oldest || at->serial < oldest->serial)
                    oldest = at;
            }
    if (count < MEDIA_ROUTES_PER_VIEWER)
        return;
    uint64_t serial = oldest->serial;
    remove_where(&self->by_address[address_bucket(self, &oldest->address)], viewer, serial);
}

void media_routes_set_address(struct media_routes *self, const struct address *address,
                              struct media_viewer *viewer)
{
    struct route *route = find_address(self, address);
    if (route) {
        route->viewer = viewer;
        return;
    }
    drop_oldest(self, viewer);
    route = calloc(1, sizeof *route);
    if (!route)
        return; /* the viewer's next check tries again */
    size_t bucket = address_bucket(self, address);
    route->viewer = viewer;
    route->address = *address;
    route->serial = ++self->serial;
    route->next = self->by_address[bucket];
    self->by_address[bucket] = route;
}

struct media_viewer *media_routes_by_address(const struct media_routes *self,
                                             const struct address *address)
{
    struct route *route = find_address(self, address);
    return route ? route->viewer : NULL;
}

void media_routes_add_transaction(struct media_routes *self, const uint8_t *transaction,
                                  struct media_viewer *viewer)
{
    struct transaction *slot =
        &self->transactions[bucket_of(self, transaction, MEDIA_TRANSACTION_BYTES) % TRANSACTIONS];
    memcpy(slot->id, transaction, MEDIA_TRANSACTION_BYTES);
    slot->viewer = viewer;
}

struct media_viewer *media_routes_by_transaction(const struct media_routes *self,
                                                 const uint8_t *transaction)
{
    const struct transaction *slot =
        &self->transactions[bucket_of(self, transaction, MEDIA_TRANSACTION_BYTES) % TRANSACTIONS];
    return memcmp(slot->id, transaction, MEDIA_TRANSACTION_BYTES) == 0 ? slot->viewer : NULL;
}

void media_routes_forget(struct media_routes *self, const struct media_viewer *viewer)
{
    for (int i = 0; i < BUCKETS; i++) {
        remove_where(&self->by_ufrag[i], viewer, 0);
        remove_where(&self->by_address[i], viewer, 0);
    }
    for (int i = 0; i < TRANSACTIONS; i++)
        if (self->transactions[i].viewer == viewer)
            self->transactions[i].viewer = NULL;
}
