/* What a model saw and zones counted, as it is told in detection_data, in lines and in recordings
 * (docs/api.md). */
#ifndef OW_WORKFLOW_DETECTIONS_JSON_H
#define OW_WORKFLOW_DETECTIONS_JSON_H

#include "core/detections.h"
#include "core/shared_text.h"
#include "workflow/filter.h"

#include <jansson.h>

/* [{"class_id", "class_name", "confidence", "bbox", "track_id"?, "mask"?, "keypoints"?}]; NULL when
 * out of memory. */
json_t *detections_describe(const struct detections *found);
/* {"node_id", "name", "inside"} of an area, {"node_id", "name", "crossed_in", "crossed_out"} of a
 * line; NULL when out of memory. */
json_t *zone_describe(const struct filter_zone *zone);
/* {"node_id", "name", "zone_type", "points": [[x, y], …]}: where it is, in 0..1 of a source of this
 * size; NULL when out of memory. */
json_t *zone_describe_place(const struct filter_zone *zone, int width, int height);
/* A list of these as it is told; NULL when out of memory. */
struct shared_text *zone_places_text(const json_t *list);
#define ZONE_NO_PLACES "[]" /* what it says where there are no zones */

#endif
