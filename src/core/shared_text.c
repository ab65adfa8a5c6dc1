#include "core/shared_text.h"

#include <stdlib.h>
#include <string.h>

struct shared_text *shared_text_create(const char *text)
{
    size_t size = strlen(text) + 1;
    struct shared_text *shared = malloc(sizeof *shared + size);
    if (!shared)
        return NULL;
    atomic_init(&shared->refs, 1);
    memcpy(shared->text, text, size);
    return shared;
}

struct shared_text *shared_text_ref(struct shared_text *text)
{
    atomic_fetch_add_explicit(&text->refs, 1, memory_order_relaxed);
    return text;
}

void shared_text_unref(struct shared_text **text)
{
    struct shared_text *self = *text;
    *text = NULL;
    if (self && atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) == 1)
        free(self);
}

bool shared_text_is(const struct shared_text *a, const struct shared_text *b, const char *nothing)
{
    return a == b || strcmp(a ? a->text : nothing, b ? b->text : nothing) == 0;
}

bool shared_text_follow(struct shared_text **held, struct shared_text *now, const char *nothing)
{
    if (!now || shared_text_is(*held, now, nothing))
        return false;
    shared_text_unref(held);
    *held = shared_text_ref(now);
    return true;
}
