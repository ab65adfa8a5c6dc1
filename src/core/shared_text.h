/* A text that does not change and that many hold, on any threads. */
#ifndef OW_CORE_SHARED_TEXT_H
#define OW_CORE_SHARED_TEXT_H

#include <stdatomic.h>
#include <stdbool.h>

struct shared_text {
    atomic_int refs;
    char text[];
};

/* A copy, with one reference; NULL = no memory. */
struct shared_text *shared_text_create(const char *text);
struct shared_text *shared_text_ref(struct shared_text *text);
void shared_text_unref(struct shared_text **text); /* of NULL does nothing */

/* Do both say the same? One that is not there says `nothing`. */
bool shared_text_is(const struct shared_text *a, const struct shared_text *b, const char *nothing);
/* Holds `now` (lent; NULL = not known) in the place of another unless both say the same; whether it
 * does. */
bool shared_text_follow(struct shared_text **held, struct shared_text *now, const char *nothing);

#endif
