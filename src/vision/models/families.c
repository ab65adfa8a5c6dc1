#include "vision/models/family.h"

#include <string.h>

static const struct model_family *const families[] = {
    &ultralytics_family,
    &ultralytics_segment_family,
    &ultralytics_pose_family,
    &yolox_family,
    &yolov5_grid_family,
    &nanodet_family,
    &detr_family,
    &ssd_family,
    &blazeface_family,
    &movenet_family,
    &class_map_family,
    &classify_family,
};

/* The same by name. */
const char *const model_decoder_names[] = {
    "auto",
    "ultralytics",
    "ultralytics-segment",
    "ultralytics-pose",
    "yolox",
    "yolov5-grid",
    "nanodet",
    "detr",
    "ssd",
    "blazeface",
    "movenet",
    "class-map",
    "classify",
    NULL,
};

enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

const struct model_family *model_family_find(const struct model_traits *traits, const char *wanted,
                                             struct output_layout *layout,
                                             struct picture_format *format)
{
    const struct picture_format given = *format;
    const struct model_family *found = NULL;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        struct output_layout its_layout = {0};
        struct picture_format its_format = given;
        if ((wanted != NULL && strcmp(wanted, families[i]->name) != 0) ||
            !families[i]->recognise(traits, &its_layout, &its_format))
            continue;
        if (found != NULL)
            return NULL;
        found = families[i];
        *layout = its_layout;
        *format = its_format;
    }
    return found;
}

bool model_family_exists(const char *name)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (strcmp(name, families[i]->name) == 0)
            return true;
    return false;
}
