#include "core/encoded.h"

#include "core/error.h"

#include <stdlib.h>

int encoded_create(struct encoded **out, size_t size)
{
    struct encoded *e = malloc(sizeof *e + size);
    if (!e)
        return OW_ENOMEM;
    *e = (struct encoded){.size = size};
    atomic_init(&e->refs, 1);
    *out = e;
    return OW_OK;
}

struct encoded *encoded_ref(struct encoded *encoded)
{
    atomic_fetch_add_explicit(&encoded->refs, 1, memory_order_relaxed);
    return encoded;
}

void encoded_unref(struct encoded **encoded)
{
    struct encoded *e = *encoded;
    *encoded = NULL;
    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1) {
        metadata_unref(&e->metadata);
        free(e);
    }
}
