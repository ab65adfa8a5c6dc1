/* What a model saw, as it is told in detection_data, in lines and in recordings (docs/api.md). */
#ifndef OW_WORKFLOW_DETECTIONS_JSON_H
#define OW_WORKFLOW_DETECTIONS_JSON_H

#include "core/detections.h"

#include <jansson.h>

/* [{"class_id", "class_name", "confidence", "bbox", "track_id"?, "mask"?, "keypoints"?}]; NULL when
 * out of memory. */
json_t *detections_describe(const struct detections *found);

#endif
