#include "net/media_handover.h"

#include <stdlib.h>
#include <string.h>

struct media_handover {
    _Alignas(64) atomic_uint written; /* counts up; apart from the reader's cache line */
    _Alignas(64) atomic_uint read;
    struct media_handover_slot slots[MEDIA_HANDOVER_SLOTS];
};

int media_handover_create(struct media_handover **out)
{
    struct media_handover *self = aligned_alloc(64, (sizeof(struct media_handover) + 63) / 64 * 64);
    if (!self)
        return OW_ENOMEM;
    atomic_init(&self->written, 0);
    atomic_init(&self->read, 0);
    *out = self;
    return OW_OK;
}

bool media_handover_put(struct media_handover *self, enum media_handover_kind kind,
                        const struct address *peer, const uint8_t *data, size_t size)
{
    unsigned at = atomic_load_explicit(&self->written, memory_order_relaxed);
    unsigned read = atomic_load_explicit(&self->read, memory_order_acquire);
    if (at - read == MEDIA_HANDOVER_SLOTS || size > RTC_MAX_DATAGRAM)
        return false;
    struct media_handover_slot *slot = &self->slots[at % MEDIA_HANDOVER_SLOTS];
    slot->kind = kind;
    slot->peer = *peer;
    slot->size = size;
    memcpy(slot->data, data, size);
    atomic_store_explicit(&self->written, at + 1, memory_order_release);
    return true;
}

struct media_handover_slot *media_handover_peek(struct media_handover *self)
{
    unsigned at = atomic_load_explicit(&self->read, memory_order_relaxed);
    if (at == atomic_load_explicit(&self->written, memory_order_acquire))
        return NULL;
    return &self->slots[at % MEDIA_HANDOVER_SLOTS];
}

void media_handover_next(struct media_handover *self)
{
    unsigned at = atomic_load_explicit(&self->read, memory_order_relaxed);
    atomic_store_explicit(&self->read, at + 1, memory_order_release);
}

void media_handover_destroy(struct media_handover **handover)
{
    free(*handover);
    *handover = NULL;
}
