#include "rtc/cc_train.h"

#include <string.h>

enum {
    MAX_SEND_GAP_US = 1500,
    UNSHAPED_BYTES = 1600,
    MIN_BYTES = 1000,    /* behind the unshaped ones */
    RESOLUTION_US = 250, /* of transport-wide feedback */
    MIN_TRAINS = 5,
    NEWEST_TRAINS = 3,
    STALE_US = 2000000,
};

void cc_train_init(struct cc_train *train)
{
    memset(train, 0, sizeof(*train));
}

static void end_train(struct cc_train *train)
{
    if (train->marked_bytes < MIN_BYTES)
        return;
    int64_t span_us = train->last_arrival_us - train->mark_arrival_us;
    span_us = span_us > RESOLUTION_US ? span_us : RESOLUTION_US;
    train->kbps[train->count++ % CC_TRAINS] = (float)(train->marked_bytes * 8e3 / (double)span_us);
    train->measured_us = train->last_send_us;
}

void cc_train_add(struct cc_train *train, const struct cc_result *packet)
{
    int64_t gap_us = packet->send_us - train->last_send_us;
    if (train->bytes == 0 || packet->frame != train->frame || packet->probe != 0 || gap_us < 0 ||
        gap_us > MAX_SEND_GAP_US || packet->arrival_us < train->last_arrival_us) {
        end_train(train);
        train->bytes = train->marked_bytes = 0;
    }
    if (packet->probe != 0)
        return;
    if (train->bytes < UNSHAPED_BYTES) {
        train->mark_arrival_us = packet->arrival_us;
        train->marked_bytes = 0;
    } else {
        train->marked_bytes += packet->bytes;
    }
    train->bytes += packet->bytes;
    train->frame = packet->frame;
    train->last_send_us = packet->send_us;
    train->last_arrival_us = packet->arrival_us;
}

/* Of the newest `most` trains. */
static double median_bps(const struct cc_train *train, int least, int most)
{
    float sorted[CC_TRAINS];
    int count = train->count < (uint32_t)most ? (int)train->count : most;
    if (count < least)
        return 0;
    for (int i = 0; i < count; i++) {
        float value = train->kbps[(train->count - 1 - (uint32_t)i) % CC_TRAINS];
        int at = i;
        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    return (double)sorted[count / 2] * 1e3;
}

double cc_train_last_bps(const struct cc_train *train)
{
    return median_bps(train, MIN_TRAINS, CC_TRAINS);
}

double cc_train_newest_bps(const struct cc_train *train)
{
    return median_bps(train, NEWEST_TRAINS, NEWEST_TRAINS);
}

double cc_train_bps(const struct cc_train *train, int64_t now_us)
{
    return now_us - train->measured_us > STALE_US ? 0 : cc_train_last_bps(train);
}
