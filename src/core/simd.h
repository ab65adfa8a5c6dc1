/* For small loops over many values that compilers turn into vector instructions. */
#ifndef OW_CORE_SIMD_H
#define OW_CORE_SIMD_H

#include <stdint.h> /* tells the C library */

/* Before a static function (clang gives others a name of its own): compiled twice, for every x86-64
 * and for those with AVX2; which is taken is decided when the program is loaded, which is too early
 * for ThreadSanitizer. Elsewhere it is compiled once. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define SIMD_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SIMD_CLONES
#endif

#endif
