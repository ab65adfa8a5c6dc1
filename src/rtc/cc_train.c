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

/* Bits per ms. */
static float passed_kbps(uint32_t bytes, int64_t span_us)
{
    span_us = span_us > RESOLUTION_US ? span_us : RESOLUTION_US;
    return (float)(bytes * 8e3 / (double)span_us);
}

static void end_train(struct cc_train *train)
{
    if (train->bytes > train->first_bytes)
        train->spacing_kbps[train->spacings++ % CC_SPACINGS] = passed_kbps(
            train->bytes - train->first_bytes, train->last_arrival_us - train->first_arrival_us);
    if (train->marked_bytes < MIN_BYTES)
        return;
    train->kbps[train->count++ % CC_TRAINS] =
        passed_kbps(train->marked_bytes, train->last_arrival_us - train->mark_arrival_us);
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
    if (train->bytes == 0) {
        train->first_arrival_us = packet->arrival_us;
        train->first_bytes = packet->bytes;
    }
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

/* Of the newest `most` in a ring of `size`. */
static double median_bps(const float *kbps, uint32_t size, uint32_t ever, uint32_t least,
                         uint32_t most)
{
    float sorted[CC_TRAINS];
    int count = (int)(ever < most ? ever : most);
    if (ever < least)
        return 0;
    for (int i = 0; i < count; i++) {
        float value = kbps[(ever - 1 - (uint32_t)i) % size];
        int at = i;
        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    return (double)sorted[count / 2] * 1e3;
}

double cc_train_last_bps(const struct cc_train *train)
{
    return median_bps(train->kbps, CC_TRAINS, train->count, MIN_TRAINS, CC_TRAINS);
}

double cc_train_newest_bps(const struct cc_train *train)
{
    return median_bps(train->kbps, CC_TRAINS, train->count, NEWEST_TRAINS, NEWEST_TRAINS);
}

double cc_train_most_bps(const struct cc_train *train)
{
    return median_bps(train->spacing_kbps, CC_SPACINGS, train->spacings, CC_SPACINGS, CC_SPACINGS);
}

double cc_train_bps(const struct cc_train *train, int64_t now_us)
{
    return now_us - train->measured_us > STALE_US ? 0 : cc_train_last_bps(train);
}
