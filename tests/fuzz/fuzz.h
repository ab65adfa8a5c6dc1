/* A fuzz body: libFuzzer calls it, and replay.c does with a corpus. It aborts when a property of
 * the code under test does not hold. */
#ifndef OW_TESTS_FUZZ_H
#define OW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
