#include "core/random.h"

#include <stdlib.h>
#include <sys/random.h>

static void fill_system(struct random_source *self, void *bytes, size_t size)
{
    (void)self;
    char *to = bytes;
    while (size > 0) {
        ssize_t got = getrandom(to, size, 0);
        if (got <= 0)
            abort();
        to += got;
        size -= (size_t)got;
    }
}

void random_system(struct random_source *out)
{
    *out = (struct random_source){.fill = fill_system};
}
