#include "vision/models/family.h"

#include <stdio.h>
#include <string.h>

static const struct model_family *const families[] = {
    &movenet_family, /* before those with rows of any length */
    &ultralytics_family, &ultralytics_segment_family, &ultralytics_pose_family, &class_map_family,
};

enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

const struct model_family *model_family_find(const struct model_traits *traits, const char *wanted,
                                             struct output_layout *layout,
                                             struct picture_format *format)
{
    const struct picture_format given = *format;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        if (wanted != NULL && strcmp(wanted, families[i]->name) != 0)
            continue;
        *layout = (struct output_layout){0};
        *format = given;
        if (families[i]->recognise(traits, layout, format))
            return families[i];
    }
    return NULL;
}

bool model_family_exists(const char *name)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (strcmp(name, families[i]->name) == 0)
            return true;
    return false;
}

const char *model_families_supported(char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, "%s%s: %s", i == 0 ? "" : "; ", families[i]->name,
                 families[i]->supports);
    }
    return text;
}
