#include "rtc/rate_meter.h"

void rate_meter_add(struct rate_meter *meter, int64_t now_us, size_t bytes)
{
    int64_t slot = now_us / RATE_METER_SLOT_US;
    if (slot - meter->slot >= RATE_METER_SLOTS)
        meter->slot = slot - RATE_METER_SLOTS;
    while (meter->slot < slot) {
        meter->slot++;
        meter->bytes[meter->slot % RATE_METER_SLOTS] = 0;
    }
    meter->bytes[meter->slot % RATE_METER_SLOTS] += bytes;
}

int64_t rate_meter_bps(const struct rate_meter *meter, int64_t now_us)
{
    int64_t slot = now_us / RATE_METER_SLOT_US;
    uint64_t total = 0;
    for (int64_t i = slot - RATE_METER_SLOTS + 1; i <= meter->slot; i++)
        if (i >= 0 && i > meter->slot - RATE_METER_SLOTS)
            total += meter->bytes[i % RATE_METER_SLOTS];
    return (int64_t)(total * 8);
}
