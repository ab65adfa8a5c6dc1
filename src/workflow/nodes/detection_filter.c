/* detectionFilter: what a model found is thinned out, or held back as a whole. */
#include "workflow/nodes/nodes.h"

#include <string.h>

static const char *const modes[] = {"count", "class", "confidence", "advanced", NULL};
static const char *const class_modes[] = {"include", "exclude", NULL};

static const struct setting settings[] = {
    {.name = "filterMode",
     .label = "Filter by",
     .type = SETTING_CHOICE,
     .default_text = "confidence",
     .choices = modes,
     .help = "number of detections, their class, their confidence, or all three"},
    {.name = "minDetections",
     .label = "Min detections",
     .type = SETTING_INT,
     .max = 1000,
     .help = "count: with fewer, nothing passes"},
    {.name = "maxDetections",
     .label = "Max detections",
     .type = SETTING_INT,
     .max = 1000,
     .help = "count: with more, nothing passes; 0 = no limit"},
    {.name = "selectedClasses",
     .label = "Classes",
     .type = SETTING_LIST,
     .help = "class: ids or names; empty = all"},
    {.name = "classMode",
     .label = "Class mode",
     .type = SETTING_CHOICE,
     .default_text = "include",
     .choices = class_modes,
     .help = "include: only these classes pass; exclude: all others"},
    {.name = "minConfidence",
     .label = "Min confidence",
     .type = SETTING_NUMBER,
     .default_number = 0.25,
     .min = 0,
     .max = 1,
     .step = 0.01,
     .help = "confidence: detections below do not pass"},
    {.name = "onlyWhenDetections",
     .label = "Only with detections",
     .type = SETTING_BOOL,
     .help = "views behind this node stand still while nothing passes"},
    {0},
};

static int configure(const json_t *data, struct filter_settings *out, struct reason *why)
{
    const char *mode = setting_text(data, settings, "filterMode");
    bool all = strcmp(mode, "advanced") == 0;
    struct filter_settings s = {
        .kind = FILTER_DETECTIONS,
        .only_when_detections = setting_bool(data, settings, "onlyWhenDetections"),
    };
    if (all || strcmp(mode, "class") == 0) {
        s.classes = json_object_get(data, "selectedClasses");
        s.exclude = strcmp(setting_text(data, settings, "classMode"), "exclude") == 0;
    }
    if (all || strcmp(mode, "confidence") == 0)
        s.min_confidence = (float)setting_number(data, settings, "minConfidence");
    if (all || strcmp(mode, "count") == 0) {
        s.min_count = setting_int(data, settings, "minDetections");
        s.max_count = setting_int(data, settings, "maxDetections");
    }
    if (s.max_count > 0 && s.max_count < s.min_count)
        return reason_set(why, OW_EINVAL, "maxDetections is below minDetections: nothing can pass");
    *out = s;
    return OW_OK;
}

const struct node_type node_detection_filter = {
    .name = "detectionFilter",
    .label = "Detection Filter",
    .help = "Lets part of the detections pass",
    .role = NODE_FILTER,
    .category = "Filters & Zones",
    .input = "detections-input",
    .output = "filtered-output",
    .settings = settings,
    .configure_filter = configure,
};
