/* Candidates of a model's output, and non-maximum suppression among them. */
#ifndef OW_VISION_NMS_H
#define OW_VISION_NMS_H

#include "core/detections.h"
#include "vision/model.h"

#include <stdbool.h>
#include <stddef.h>

/* A growing list; all zero is empty. Items use class_id, confidence, the box, and in track_id
 * the row of the output that they were read from, for the family to find their shapes by. */
struct candidate_list {
    struct detection *items;
    size_t count, room;
};

/* More than these are not looked at, the most confident first (as Ultralytics' max_nms). */
enum { NMS_MAX_CANDIDATES = 30000 };

int candidate_list_add(struct candidate_list *list, const struct detection *candidate);
void candidate_list_clear(struct candidate_list *list); /* keeps its memory */
void candidate_list_free(struct candidate_list *list);

/* Whether this class is asked for. */
bool class_wanted(const struct model_thresholds *thresholds, int class_id);

/* Intersection over union; 0 where a box has no area. */
float box_iou(const struct detection *a, const struct detection *b);

/* Sorts by falling confidence (ties by class and box, so that the order of the input is without
 * effect) and keeps greedily what overlaps nothing kept by more than thresholds->iou: within its
 * class, or whatever the class when agnostic. At most max_detections stay. */
void nms_apply(struct candidate_list *list, const struct model_thresholds *thresholds);

/* The sorting and the limit alone, for models that suppress by themselves. */
void nms_sort(struct candidate_list *list, const struct model_thresholds *thresholds);

#endif
