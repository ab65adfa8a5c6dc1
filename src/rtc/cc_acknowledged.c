#include "rtc/cc_acknowledged.h"

enum {
    WINDOW_US = 1000000,
    MIN_SPAN_US = 150000,
    MIN_GROUPS = 4,
    BUSY_WINDOW_US = 300000,
    MIN_BUSY_SPAN_US = 60000,
    BUSY_US = 8000, /* a group that waited this long found the queue not empty */
};

static double bits_per_s(uint64_t bytes, int64_t span_us)
{
    return (double)bytes * 8e6 / (double)span_us;
}

double cc_acknowledged_bps(const struct cc_groups *groups)
{
    const struct cc_group *newest = cc_groups_at(groups, 0), *later = newest, *group;
    int64_t longest_us = 0, second_us = 0;
    uint64_t bytes = 0;
    uint32_t back = 0;
    if (newest == NULL)
        return 0;
    while ((group = cc_groups_at(groups, back + 1)) != NULL &&
           newest->first_arrival_us - group->first_arrival_us <= WINDOW_US) {
        int64_t gap_us = later->first_arrival_us - group->first_arrival_us;
        if (gap_us > longest_us) {
            second_us = longest_us;
            longest_us = gap_us;
        } else if (gap_us > second_us) {
            second_us = gap_us;
        }
        bytes += group->bytes;
        later = group;
        back++;
    }
    int64_t arrival_us = newest->first_arrival_us - later->first_arrival_us;
    int64_t send_us = newest->send_us - later->send_us;
    if (back < MIN_GROUPS || arrival_us < MIN_SPAN_US)
        return 0;
    arrival_us -= longest_us - second_us;
    return bits_per_s(bytes, arrival_us > send_us ? arrival_us : send_us);
}

double cc_busy_bps(const struct cc_groups *groups, int32_t noise_us)
{
    const struct cc_group *newest = cc_groups_at(groups, 0), *later = newest, *group;
    uint64_t bytes = 0;
    double least = 0;
    for (uint32_t back = 1; later != NULL && later->queue_us > BUSY_US + noise_us; back++) {
        group = cc_groups_at(groups, back);
        if (group == NULL || newest->first_arrival_us - group->first_arrival_us > BUSY_WINDOW_US)
            break;
        bytes += group->bytes;
        int64_t span_us = newest->first_arrival_us - group->first_arrival_us;
        if (span_us >= MIN_BUSY_SPAN_US) {
            /* The least of all spans that end now: the capacity may just have fallen. */
            double bps = bits_per_s(bytes, span_us);
            least = least == 0 || bps < least ? bps : least;
        }
        later = group;
    }
    return least;
}
