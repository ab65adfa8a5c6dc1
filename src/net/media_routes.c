#include "net/media_routes.h"

#include "core/random.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BUCKETS = 256,    /* doubled when there are as many entries */
    TRANSACTIONS = 8192,    /* a check of each of thousands of viewers may be under way */
    MAX_KEY_BYTES = 1 + 257 /* kind, and the longest fragment (RFC 8839 section 5.4) */
};

enum kind { UFRAG, ADDRESS, OWNER };

/* An entry of the one hash table. Its key is the kind and a fragment, an address or the place of a
 * viewer; an owner heads the list of its viewer's entries. */
struct route {
    struct route *next;     /* in the bucket */
    struct route *next_own; /* of the same viewer, the newest first */
    struct media_viewer *viewer;
    uint64_t hash;
    uint64_t serial; /* OWNER: tells it from a later viewer at the same place in memory */
    size_t key_size;
    uint8_t key[];
};

struct transaction {
    uint8_t id[MEDIA_TRANSACTION_BYTES];
    struct media_viewer *viewer;
    uint64_t serial; /* of its owner */
};

struct media_routes {
    uint64_t seed; /* strangers choose addresses and fragments; they shall not choose the buckets */
    uint64_t serial;
    size_t count, bucket_count; /* a power of two */
    struct route **buckets;
    struct transaction transactions[TRANSACTIONS];
};

struct key {
    size_t size;
    uint8_t bytes[MAX_KEY_BYTES];
};

/* FNV-1a, seeded, with a final mix. */
static uint64_t hash_of(const struct media_routes *self, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u ^ self->seed;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash ^ (hash >> 32);
}

static bool ufrag_key(struct key *key, const char *ufrag)
{
    size_t size = strlen(ufrag);
    if (size + 1 > sizeof key->bytes)
        return false;
    key->bytes[0] = UFRAG;
    memcpy(key->bytes + 1, ufrag, size);
    key->size = size + 1;
    return true;
}

static void address_key(struct key *key, const struct address *address)
{
    size_t ip_size = address->family == ADDRESS_IPV4 ? 4 : 16;
    key->bytes[0] = ADDRESS;
    key->bytes[1] = address->family;
    key->bytes[2] = address->transport;
    key->bytes[3] = (uint8_t)(address->port >> 8);
    key->bytes[4] = (uint8_t)address->port;
    memcpy(key->bytes + 5, address->ip, ip_size);
    key->size = 5 + ip_size;
}

static void owner_key(struct key *key, const struct media_viewer *viewer)
{
    uintptr_t place = (uintptr_t)viewer;
    key->bytes[0] = OWNER;
    memcpy(key->bytes + 1, &place, sizeof place);
    key->size = 1 + sizeof place;
}

/* -- the table -- */

static struct route *find(const struct media_routes *self, const struct key *key)
{
    uint64_t hash = hash_of(self, key->bytes, key->size);
    for (struct route *i = self->buckets[hash & (self->bucket_count - 1)]; i; i = i->next)
        if (i->hash == hash && i->key_size == key->size &&
            memcmp(i->key, key->bytes, key->size) == 0)
            return i;
    return NULL;
}

/* Without memory the table stays as it is, only slower. */
static void grow(struct media_routes *self)
{
    size_t count = self->bucket_count * 2;
    struct route **buckets = calloc(count, sizeof(struct route *));
    if (!buckets)
        return;
    for (size_t i = 0; i < self->bucket_count; i++) {
        for (struct route *at = self->buckets[i], *next; at; at = next) {
            next = at->next;
            at->next = buckets[at->hash & (count - 1)];
            buckets[at->hash & (count - 1)] = at;
        }
    }
    free(self->buckets);
    self->buckets = buckets;
    self->bucket_count = count;
}

static struct route *insert(struct media_routes *self, const struct key *key,
                            struct media_viewer *viewer)
{
    if (self->count >= self->bucket_count)
        grow(self);
    struct route *route = calloc(1, sizeof *route + key->size);
    if (!route)
        return NULL;
    route->viewer = viewer;
    route->hash = hash_of(self, key->bytes, key->size);
    route->key_size = key->size;
    memcpy(route->key, key->bytes, key->size);
    struct route **bucket = &self->buckets[route->hash & (self->bucket_count - 1)];
    route->next = *bucket;
    *bucket = route;
    self->count++;
    return route;
}

/* Takes the route out of its bucket and frees it; who owns it unlinks it first. */
static void discard(struct media_routes *self, struct route *route)
{
    struct route **link = &self->buckets[route->hash & (self->bucket_count - 1)];
    while (*link != route)
        link = &(*link)->next;
    *link = route->next;
    self->count--;
    free(route);
}

int media_routes_create(struct media_routes **out)
{
    struct media_routes *self = calloc(1, sizeof *self);
    struct route **buckets = calloc(FIRST_BUCKETS, sizeof(struct route *));
    if (!self || !buckets) {
        free(self);
        free(buckets);
        return OW_ENOMEM;
    }
    self->buckets = buckets;
    self->bucket_count = FIRST_BUCKETS;
    struct random_source random;
    random_system(&random);
    self->seed = random_u64(&random);
    *out = self;
    return OW_OK;
}

void media_routes_destroy(struct media_routes **routes)
{
    struct media_routes *self = *routes;
    if (!self)
        return;
    for (size_t i = 0; i < self->bucket_count; i++) {
        for (struct route *at = self->buckets[i], *next; at; at = next) {
            next = at->next;
            free(at);
        }
    }
    free(self->buckets);
    free(self);
    *routes = NULL;
}

/* -- what belongs to a viewer -- */

static struct route *find_owner(const struct media_routes *self, const struct media_viewer *viewer)
{
    struct key key;
    owner_key(&key, viewer);
    return find(self, &key);
}

static struct route *get_owner(struct media_routes *self, struct media_viewer *viewer)
{
    struct key key;
    owner_key(&key, viewer);
    struct route *owner = find(self, &key);
    if (owner)
        return owner;
    owner = insert(self, &key, viewer);
    if (owner)
        owner->serial = ++self->serial;
    return owner;
}

static void disown(struct route *owner, const struct route *route)
{
    struct route **link = &owner->next_own;
    while (*link != route)
        link = &(*link)->next_own;
    *link = route->next_own;
}

/* A viewer that moves on and on keeps a bounded number of each kind. */
static void drop_oldest(struct media_routes *self, struct route *owner, enum kind kind)
{
    int count = 0;
    struct route *oldest = NULL;
    for (struct route *i = owner->next_own; i; i = i->next_own)
        if (i->key[0] == kind) {
            count++;
            oldest = i;
        }
    if (count < MEDIA_ROUTES_PER_VIEWER)
        return;
    disown(owner, oldest);
    discard(self, oldest);
}

static int add(struct media_routes *self, const struct key *key, struct media_viewer *viewer)
{
    struct route *owner = get_owner(self, viewer);
    if (!owner)
        return OW_ENOMEM;
    drop_oldest(self, owner, (enum kind)key->bytes[0]);
    struct route *route = insert(self, key, viewer);
    if (!route)
        return OW_ENOMEM;
    route->next_own = owner->next_own;
    owner->next_own = route;
    return OW_OK;
}

int media_routes_add_ufrag(struct media_routes *self, const char *ufrag,
                           struct media_viewer *viewer)
{
    struct key key;
    if (!ufrag_key(&key, ufrag))
        return OW_EINVAL;
    const struct route *there = find(self, &key);
    if (there)
        return there->viewer == viewer ? OW_OK : OW_EEXISTS;
    return add(self, &key, viewer);
}

struct media_viewer *media_routes_by_ufrag(const struct media_routes *self, const char *ufrag)
{
    struct key key;
    const struct route *route = ufrag_key(&key, ufrag) ? find(self, &key) : NULL;
    return route ? route->viewer : NULL;
}

void media_routes_set_address(struct media_routes *self, const struct address *address,
                              struct media_viewer *viewer)
{
    struct key key;
    address_key(&key, address);
    struct route *route = find(self, &key);
    if (route && route->viewer == viewer)
        return;
    if (route) {
        disown(find_owner(self, route->viewer), route);
        discard(self, route);
    }
    (void)add(self, &key, viewer); /* without memory the viewer's next check tries again */
}

struct media_viewer *media_routes_by_address(const struct media_routes *self,
                                             const struct address *address)
{
    struct key key;
    address_key(&key, address);
    const struct route *route = find(self, &key);
    return route ? route->viewer : NULL;
}

void media_routes_forget(struct media_routes *self, const struct media_viewer *viewer)
{
    struct route *owner = find_owner(self, viewer);
    if (!owner)
        return;
    for (struct route *at = owner->next_own, *next; at; at = next) {
        next = at->next_own;
        discard(self, at);
    }
    discard(self, owner);
}

/* -- transactions -- */

static size_t slot_of(const struct media_routes *self, const uint8_t *transaction)
{
    return hash_of(self, transaction, MEDIA_TRANSACTION_BYTES) % TRANSACTIONS;
}

void media_routes_add_transaction(struct media_routes *self, const uint8_t *transaction,
                                  struct media_viewer *viewer)
{
    const struct route *owner = find_owner(self, viewer);
    if (!owner)
        return;
    struct transaction *slot = &self->transactions[slot_of(self, transaction)];
    memcpy(slot->id, transaction, MEDIA_TRANSACTION_BYTES);
    slot->viewer = viewer;
    slot->serial = owner->serial;
}

struct media_viewer *media_routes_by_transaction(const struct media_routes *self,
                                                 const uint8_t *transaction)
{
    const struct transaction *slot = &self->transactions[slot_of(self, transaction)];
    if (!slot->viewer || memcmp(slot->id, transaction, MEDIA_TRANSACTION_BYTES) != 0)
        return NULL;
    const struct route *owner = find_owner(self, slot->viewer);
    return owner && owner->serial == slot->serial ? slot->viewer : NULL;
}
