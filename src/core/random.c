#include "core/random.h"

#include <string.h>

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t next(uint64_t s[4])
{
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static void fill_seeded(struct random_source *self, void *bytes, size_t size)
{
    uint8_t *to = bytes;
    while (size > 0) {
        uint64_t word = next(self->state);
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(to, &word, part);
        to += part;
        size -= part;
    }
}

void random_seeded(struct random_source *out, uint64_t seed)
{
    out->fill = fill_seeded;
    /* splitmix64 spreads the seed over the state, as the generator's authors advise. */
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        out->state[i] = z ^ (z >> 31);
    }
}

uint32_t random_u32(struct random_source *source)
{
    uint32_t value;
    source->fill(source, &value, sizeof value);
    return value;
}

uint64_t random_u64(struct random_source *source)
{
    uint64_t value;
    source->fill(source, &value, sizeof value);
    return value;
}

double random_unit(struct random_source *source)
{
    return (double)(random_u64(source) >> 11) * 0x1.0p-53;
}
