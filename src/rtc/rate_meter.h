/* Bytes over the last second, in steps of a tenth. Zero-initialised is empty. */
#ifndef OW_RTC_RATE_METER_H
#define OW_RTC_RATE_METER_H

#include <stddef.h>
#include <stdint.h>

enum { RATE_METER_SLOTS = 10, RATE_METER_SLOT_US = 100000 };

struct rate_meter {
    uint64_t bytes[RATE_METER_SLOTS];
    int64_t slot; /* number of the newest */
};

void rate_meter_add(struct rate_meter *meter, int64_t now_us, size_t bytes);
/* Bits in the last second. */
int64_t rate_meter_bps(const struct rate_meter *meter, int64_t now_us);

#endif
