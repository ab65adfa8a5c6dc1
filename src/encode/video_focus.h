/* Where in a picture the objects are that a model sees, for the encoder (struct video_focus). Pure.
 */
#ifndef OW_ENCODE_VIDEO_FOCUS_H
#define OW_ENCODE_VIDEO_FOCUS_H

#include "core/detections.h"
#include "encode/video_encoder.h"

/* Adds a region for each object, until the focus is full. `part` is where in the picture their
 * source is shown, whole; `label` is the room for a label above a box, in pixels. Objects outside
 * the part, and boxes that are no numbers, are none. */
void video_focus_add(struct video_focus *focus, const struct detections *detections,
                     const struct video_region *part, int label);

#endif
