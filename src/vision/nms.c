#include "vision/nms.h"

#include "core/error.h"

#include <stdlib.h>

int candidate_list_add(struct candidate_list *list, const struct detection *candidate)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 256 : list->room * 2;
        struct detection *grown = realloc(list->items, room * sizeof *grown);
        if (grown == NULL)
            return OW_ENOMEM;
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = *candidate;
    return OW_OK;
}

void candidate_list_clear(struct candidate_list *list)
{
    list->count = 0;
}

void candidate_list_free(struct candidate_list *list)
{
    free(list->items);
    *list = (struct candidate_list){0};
}

bool class_wanted(const struct model_thresholds *thresholds, int class_id)
{
    if (thresholds->classes == NULL)
        return true;
    for (int i = 0; i < thresholds->class_count; i++)
        if (thresholds->classes[i] == class_id)
            return true;
    return false;
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

static float smaller(float a, float b)
{
    return a < b ? a : b;
}

float box_iou(const struct detection *a, const struct detection *b)
{
    float width = smaller(a->x2, b->x2) - larger(a->x1, b->x1);
    float height = smaller(a->y2, b->y2) - larger(a->y1, b->y1);
    if (!(width > 0.0F && height > 0.0F))
        return 0.0F;
    float shared = width * height;
    float area_a = (a->x2 - a->x1) * (a->y2 - a->y1);
    float area_b = (b->x2 - b->x1) * (b->y2 - b->y1);
    return shared / (area_a + area_b - shared);
}

static int compare(float a, float b)
{
    return (a > b) - (a < b);
}

static int by_falling_confidence(const void *left, const void *right)
{
    const struct detection *a = left;
    const struct detection *b = right;
    int order = compare(b->confidence, a->confidence);
    if (order == 0)
        order = (a->class_id > b->class_id) - (a->class_id < b->class_id);
    if (order == 0)
        order = compare(a->x1, b->x1);
    if (order == 0)
        order = compare(a->y1, b->y1);
    if (order == 0)
        order = compare(a->x2, b->x2);
    return order != 0 ? order : compare(a->y2, b->y2);
}

static size_t limit_of(const struct model_thresholds *thresholds)
{
    return thresholds->max_detections > 0 ? (size_t)thresholds->max_detections : 0;
}

static void sort(struct candidate_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, by_falling_confidence);
    if (list->count > NMS_MAX_CANDIDATES)
        list->count = NMS_MAX_CANDIDATES;
}

void nms_sort(struct candidate_list *list, const struct model_thresholds *thresholds)
{
    sort(list);
    if (list->count > limit_of(thresholds))
        list->count = limit_of(thresholds);
}

static bool is_suppressed(const struct detection *kept, size_t kept_count,
                          const struct detection *candidate,
                          const struct model_thresholds *thresholds)
{
    for (size_t i = 0; i < kept_count; i++) {
        if (!thresholds->agnostic && kept[i].class_id != candidate->class_id)
            continue;
        if (box_iou(&kept[i], candidate) > thresholds->iou)
            return true;
    }
    return false;
}

void nms_apply(struct candidate_list *list, const struct model_thresholds *thresholds)
{
    size_t limit = limit_of(thresholds);
    size_t kept = 0;
    sort(list);
    for (size_t i = 0; i < list->count && kept < limit; i++)
        if (!is_suppressed(list->items, kept, &list->items[i], thresholds))
            list->items[kept++] = list->items[i];
    list->count = kept;
}
