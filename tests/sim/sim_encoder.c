#include "sim_encoder.h"

#include "core/error.h"
#include "rtc/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_INTERVAL_US = 300000, MIN_FRAME_BYTES = 150 };

static const double BUFFER_FRAMES = 3, KEY_FRAMES = 3.5, PAY_BACK = 0.1;

void sim_encoder_init(struct sim_encoder *encoder, const struct sim_encoder_settings *settings,
                      uint64_t seed)
{
    *encoder = (struct sim_encoder){.settings = *settings,
                                    .target_bps = settings->start_bps,
                                    .key_us = -KEY_INTERVAL_US,
                                    .key_wanted = true};
    random_seeded(&encoder->random, seed);
}

/* In frames of average size: `buffer` is what earlier frames took beyond their share. */
static double draw_size(struct sim_encoder *encoder, bool key)
{
    double noise = 1 + encoder->settings.noise * (2 * random_unit(&encoder->random) - 1);
    double room = BUFFER_FRAMES - encoder->buffer;
    double size = key ? KEY_FRAMES : noise - PAY_BACK * encoder->buffer;
    size = size > room ? room : size;
    encoder->buffer += size - 1;
    if (encoder->buffer < 0)
        encoder->buffer = 0;
    return size;
}

/* An access unit with start codes and unit types that are right and content that means nothing. */
static struct encoded *make_unit(bool key, size_t size)
{
    static const uint8_t parameter_sets[] = {0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0xda,
                                             0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80};
    static const uint8_t start[] = {0, 0, 0, 1};
    size_t header = key ? sizeof(parameter_sets) : 0;
    struct encoded *unit = NULL;
    if (encoded_create(&unit, header + sizeof(start) + size) != OW_OK)
        exit(1);
    memcpy(unit->data, parameter_sets, header);
    memcpy(unit->data + header, start, sizeof(start));
    memset(unit->data + header + sizeof(start), 0xab, size);
    unit->data[header + sizeof(start)] = key ? 0x65 : 0x41;
    unit->key = key;
    unit->codec = VIDEO_H264;
    return unit;
}

struct rtp_frame *sim_encoder_encode(struct sim_encoder *encoder, int64_t capture_us)
{
    bool key = encoder->key_wanted && capture_us - encoder->key_us >= KEY_INTERVAL_US;
    int rate = encoder->target_bps;
    if (encoder->settings.limit_bps != 0 && encoder->settings.limit_bps < rate)
        rate = encoder->settings.limit_bps;
    double bytes = draw_size(encoder, key) * rate / 8 / encoder->settings.fps;
    size_t size = bytes < MIN_FRAME_BYTES ? MIN_FRAME_BYTES : (size_t)bytes;
    struct encoded *unit = make_unit(key, size);
    unit->capture_us = capture_us;
    unit->sequence = ++encoder->sequence;
    if (key) {
        encoder->key_us = capture_us;
        encoder->key_wanted = false;
    }
    struct rtp_frame *frame = NULL;
    if (rtp_frame_cut(&frame, unit, RTC_MAX_PAYLOAD) != OW_OK) {
        fprintf(stderr, "sim: a frame of %zu bytes cannot be cut\n", size);
        exit(1);
    }
    encoded_unref(&unit);
    return frame;
}
