/* Randomness as an argument: protocol code takes a `struct random_source *` and never asks the
 * system itself, so that tests replay it from a seed. */
#ifndef OW_CORE_RANDOM_H
#define OW_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_source {
    void (*fill)(struct random_source *self, void *bytes, size_t size);
    uint64_t state[4]; /* of the seeded generator */
};

/* Cryptographically strong bytes from the kernel. Aborts when the kernel has none: nothing may run
 * with guessable credentials. */
void random_system(struct random_source *out);

/* A reproducible generator (xoshiro256**, Blackman and Vigna 2018) for tests and simulation. */
void random_seeded(struct random_source *out, uint64_t seed);

uint32_t random_u32(struct random_source *source);
uint64_t random_u64(struct random_source *source);
/* Uniform in [0, 1). */
double random_unit(struct random_source *source);

#endif
