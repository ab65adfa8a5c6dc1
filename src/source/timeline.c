#include "source/timeline.h"

enum {
    JUMP_US = 5000000,
    FAR_BEHIND_US = 500000,
    DRIFT_PER_FRAME_US = 20 /* 600 parts in a million at 30 fps; crystals are off by 100 */
};

static bool jumped(int64_t from_us, int64_t to_us)
{
    return to_us < from_us || to_us - from_us > JUMP_US;
}

int64_t timeline_due(struct timeline *timeline, int64_t media_us, int64_t now_us)
{
    if (!timeline->started || jumped(timeline->last_media_us, media_us)) {
        timeline->clock_origin_us =
            timeline->started ? timeline->last_due_us + timeline->interval_us : now_us;
        timeline->media_origin_us = media_us;
        timeline->started = true;
    }
    int64_t played_us = (int64_t)((double)(media_us - timeline->media_origin_us) / timeline->speed);
    int64_t due_us = timeline->clock_origin_us + played_us;
    if (now_us - due_us > FAR_BEHIND_US) {
        timeline->clock_origin_us += now_us - due_us;
        due_us = now_us;
    }
    timeline->last_media_us = media_us;
    timeline->last_due_us = due_us;
    return due_us;
}

int64_t lateness_of(struct lateness *lateness, int64_t media_us, int64_t now_us)
{
    int64_t difference_us = now_us - media_us;
    if (!lateness->started || jumped(lateness->last_media_us, media_us) ||
        difference_us < lateness->base_us)
        lateness->base_us = difference_us;
    else if (difference_us > lateness->base_us + DRIFT_PER_FRAME_US)
        lateness->base_us += DRIFT_PER_FRAME_US;
    lateness->started = true;
    lateness->last_media_us = media_us;
    return difference_us - lateness->base_us;
}
