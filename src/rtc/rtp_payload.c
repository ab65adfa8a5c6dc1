#include "rtc/rtp_payload.h"

#include "core/error.h"
#include "rtc/rtp_cutter.h"

#include <stdlib.h>

enum {
    SMALLEST_PAYLOAD = 64,
    LARGEST_PAYLOAD = 0xffff,
    MAX_PAYLOADS = 0x4000, /* a frame must not wrap the sequence numbers around */
};

static void (*const cut[VIDEO_CODECS])(struct rtp_cutter *cutter, const uint8_t *data,
                                       size_t size) = {
    [VIDEO_H264] = rtp_cut_h264,
    [VIDEO_VP8] = rtp_cut_vp8,
};

uint8_t *rtp_cutter_add(struct rtp_cutter *cutter, size_t size)
{
    uint8_t *data = NULL;
    if (cutter->frame != NULL) {
        data = cutter->end;
        cutter->end += size;
        cutter->frame->payloads[cutter->count] =
            (struct rtp_payload){.size = (uint16_t)size, .data = data};
    }
    cutter->count++;
    cutter->bytes += size;
    return data;
}

int rtp_frame_cut(struct rtp_frame **out, const struct encoded *unit, size_t max_payload)
{
    if (max_payload < SMALLEST_PAYLOAD || max_payload > LARGEST_PAYLOAD)
        return OW_EINVAL;
    struct rtp_cutter counted = {.max_payload = max_payload};
    cut[unit->codec](&counted, unit->data, unit->size);
    if (counted.count == 0)
        return OW_EPARSE;
    if (counted.count > MAX_PAYLOADS)
        return OW_ELIMIT;
    size_t table = (size_t)counted.count * sizeof(struct rtp_payload);
    struct rtp_frame *frame = malloc(sizeof(*frame) + table + counted.bytes);
    if (frame == NULL)
        return OW_ENOMEM;
    atomic_init(&frame->refs, 1);
    frame->codec = unit->codec;
    frame->key = unit->key;
    frame->capture_us = unit->capture_us;
    frame->sequence = unit->sequence;
    frame->metadata = unit->metadata != NULL ? metadata_ref(unit->metadata) : NULL;
    frame->bytes = counted.bytes;
    frame->count = counted.count;
    struct rtp_cutter written = {
        .max_payload = max_payload, .frame = frame, .end = (uint8_t *)frame->payloads + table};
    cut[unit->codec](&written, unit->data, unit->size);
    *out = frame;
    return OW_OK;
}

struct rtp_frame *rtp_frame_ref(struct rtp_frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void rtp_frame_unref(struct rtp_frame **frame)
{
    if (*frame != NULL &&
        atomic_fetch_sub_explicit(&(*frame)->refs, 1, memory_order_acq_rel) == 1) {
        metadata_unref(&(*frame)->metadata);
        free(*frame);
    }
    *frame = NULL;
}
