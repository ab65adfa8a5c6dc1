/* Numbers taken from a fuzz target's bytes, one after the other; 0 when there are no more. */
#ifndef OW_TESTS_FUZZ_INPUT_H
#define OW_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *data;
    size_t size;
};

static inline unsigned take(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/* Big endian. */
static inline unsigned take16(struct input *input)
{
    unsigned high = take(input);
    return high << 8 | take(input);
}

#endif
