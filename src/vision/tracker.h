/* Stable identities for detections, and where objects are between two inferences.
 *
 * Association by intersection over union within a class, greedy by falling overlap, after moving
 * every track to the new frame's time with constant velocity. All calls are thread-safe and short:
 * predict never waits for a model. */
#ifndef OW_VISION_TRACKER_H
#define OW_VISION_TRACKER_H

#include "core/detections.h"

struct tracker;

int tracker_create(struct tracker **out);

/* Takes the detections of a newer frame; *out is a copy of them with track ids (confirmed tracks
 * only; others have id 0), owned by the caller. Masks and key points go with their boxes. Frames
 * older than the last one are OW_EINVAL. */
int tracker_update(struct tracker *tracker, const struct detections *detections,
                   struct detections **out);

/* The confirmed tracks as they should stand at capture_us, moved forward (at most 1 s; after that
 * they are gone). count 0 before the first update. */
int tracker_predict(struct tracker *tracker, int64_t capture_us, struct detections **out);

void tracker_reset(struct tracker *tracker);
void tracker_destroy(struct tracker **tracker);

#endif
