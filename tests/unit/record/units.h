/* Encoded pictures for the tests of recording: real ones, and made-up ones where only sizes and
 * times count. */
#ifndef TEST_RECORD_UNITS_H
#define TEST_RECORD_UNITS_H

#include "../encode/pictures.h"
#include "encode/video_encoder.h"

struct unit_maker {
    struct video_encoder *encoder;
    struct frame *frame;
    int count;
};

static inline int unit_maker_open(struct unit_maker *maker, int width, int height)
{
    const struct video_settings settings = {.width = width,
                                            .height = height,
                                            .fps = 30,
                                            .bitrate_bps = 300000,
                                            .matrix = COLOR_BT709,
                                            .backend = "libx264"};
    *maker = (struct unit_maker){0};
    int rc = frame_create(&maker->frame, width, height);
    return rc < 0 ? rc : video_encoder_open(&maker->encoder, &settings, NULL);
}

/* The next picture, captured at that time. */
static inline struct encoded *unit_make(struct unit_maker *maker, int64_t capture_us, bool key)
{
    struct encoded *unit = NULL;
    picture_paint(maker->frame, maker->count++);
    maker->frame->capture_us = maker->frame->stages.at_us[STAGE_CAPTURE] = capture_us;
    if (video_encoder_encode(maker->encoder, maker->frame, key, NULL, &unit) < 0)
        return NULL;
    return unit;
}

static inline void unit_maker_close(struct unit_maker *maker)
{
    video_encoder_close(&maker->encoder);
    frame_unref(&maker->frame);
}

static inline struct encoded *unit_fake(int64_t capture_us, bool key, size_t size)
{
    struct encoded *unit = NULL;
    if (encoded_create(&unit, size) < 0)
        return NULL;
    memset(unit->data, 0, size);
    unit->key = key;
    unit->capture_us = capture_us;
    return unit;
}

#endif
