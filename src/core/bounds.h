/* The lesser, the greater and the nearest of numbers. */
#ifndef OW_CORE_BOUNDS_H
#define OW_CORE_BOUNDS_H

#include <stdint.h>

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int max_int(int a, int b)
{
    return a > b ? a : b;
}

static inline int clamp_int(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
