/* Stable identities for detections, and where objects are between two inferences.
 *
 * Every track is moved to the new frame's time (tracker_motion.h) and matched with what was seen
 * there (tracker_match.h) in stages, after ByteTrack (Zhang et al., 2022): first with sure
 * detections, of its class, of another one on the same place, or of its class nearby, and among
 * these first the tracks that are known for long; then with unsure ones, which never begin a track
 * but carry one on through a half occlusion. Calls are
 * thread-safe and short: predict never waits for a model. Memory is taken when a tracker is
 * created; after that only results are. */
#ifndef OW_VISION_TRACKER_H
#define OW_VISION_TRACKER_H

#include "core/detections.h"

struct tracker;

/* OW_ENOMEM. */
int tracker_create(struct tracker **out);

/* The score from which on detections are of use to a tracker when those from `confidence` on are to
 * be reported: 0.1 (as ByteTrack), or `confidence` where that is lower. */
float tracker_lowest_confidence(float confidence);

/* Takes the detections of a newer frame. Those with a score of `confidence` or more are sure: *out
 * has copies of them, in their order and with track ids (confirmed tracks only; others have id 0),
 * owned by the caller; masks and key points go with their boxes. `confidence` may change from frame
 * to frame; ids stay. At most 1024 objects are followed. Frames older than the last one are
 * OW_EINVAL; OW_ENOMEM: nothing has changed. */
int tracker_update(struct tracker *tracker, const struct detections *detections, float confidence,
                   struct detections **out);

/* The confirmed tracks as they should stand at capture_us. A track is drawn for as long after its
 * last sure sighting as it was known before, at most 1 s, and not when its score was below the
 * confidence of the last update. Nothing comes later than 1 s after that or before the first. */
int tracker_predict(struct tracker *tracker, int64_t capture_us, struct detections **out);

/* Forgets all; ids are not used again. */
void tracker_reset(struct tracker *tracker);
void tracker_destroy(struct tracker **tracker);

#endif
