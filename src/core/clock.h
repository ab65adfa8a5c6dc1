/* The only place that reads clocks. Rooms that must be deterministic (src/rtc) take times as
 * arguments instead; the test command checks that they do not refer to these functions. */
#ifndef OW_CORE_CLOCK_H
#define OW_CORE_CLOCK_H

#include <stdint.h>

/* Microseconds of CLOCK_MONOTONIC: the time base of every `_us` stamp in the program. */
int64_t clock_now_us(void);

/* Microseconds since 1970-01-01 UTC, for logs, answers and RTCP's NTP time. */
int64_t clock_wall_us(void);

enum { CLOCK_TEXT_BYTES = 32 };
/* Such a time as RFC 3339 has it, in UTC, with milliseconds. */
void clock_wall_text(int64_t wall_us, char out[CLOCK_TEXT_BYTES]);

/* Sleeps until clock_now_us() >= deadline_us. */
void clock_sleep_until_us(int64_t deadline_us);

#endif
