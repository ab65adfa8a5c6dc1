#include "vision/models/family.h"

#include <stdio.h>
#include <string.h>

static const struct model_family *const families[] = {
    &ultralytics_family,
};

enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

const struct model_family *model_family_find(const struct model_traits *traits,
                                             struct output_layout *layout)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (families[i]->recognise(traits, layout))
            return families[i];
    return NULL;
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
