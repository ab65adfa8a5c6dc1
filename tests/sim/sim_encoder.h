/* An encoder whose rate is set per frame, as the product's: sizes scatter around the target, a
 * buffer of three frames bounds them, a key frame is as large as the buffer allows and paid back by
 * the frames behind it. Frames that would have to wait (a hold) are not made; at the hold's end the
 * newest picture is. */
#ifndef OW_TESTS_SIM_ENCODER_H
#define OW_TESTS_SIM_ENCODER_H

#include "core/random.h"
#include "rtc/rtp_payload.h"

#include <stdbool.h>

struct sim_encoder_settings {
    double fps;
    double noise;  /* sizes are multiplied by 1 ± noise, uniform */
    int limit_bps; /* what the content needs at most; 0 = any */
    int start_bps;
};

struct sim_encoder {
    struct sim_encoder_settings settings;
    struct random_source random;
    int target_bps;
    double buffer;  /* how much of it is filled, in frames at the target rate */
    int64_t key_us; /* of the latest key frame */
    bool key_wanted;
    uint64_t sequence;
};

void sim_encoder_init(struct sim_encoder *encoder, const struct sim_encoder_settings *settings,
                      uint64_t seed);
/* Encodes the picture captured at capture_us; a wish for a key frame is met at most every 300 ms.
 * The caller owns the frame. */
struct rtp_frame *sim_encoder_encode(struct sim_encoder *encoder, int64_t capture_us);

#endif
