#include "workflow/node_types.h"

#include "workflow/nodes/nodes.h"

#include <string.h>

static const struct node_type *const node_types[] = {
    &node_video_input,
    &node_camera,
    &node_test_pattern,
    &node_model,
    &node_detection_filter,
    &node_zone,
    &node_video_preview_webrtc,
    &node_video_preview,
    &node_recorder,
    &node_data_preview,
    &node_debug,
    &node_mqtt,
};

enum { NODE_TYPE_COUNT = sizeof node_types / sizeof node_types[0] };

const struct node_type *node_type_at(int index)
{
    return index >= 0 && index < NODE_TYPE_COUNT ? node_types[index] : NULL;
}

const struct node_type *node_type_find(const char *name)
{
    for (int i = 0; i < NODE_TYPE_COUNT; i++)
        if (strcmp(node_types[i]->name, name) == 0)
            return node_types[i];
    return NULL;
}

json_t *node_types_describe(void)
{
    static const char *const role_names[] = {[NODE_SOURCE] = "source",
                                             [NODE_MODEL] = "model",
                                             [NODE_FILTER] = "filter",
                                             [NODE_SINK] = "sink",
                                             [NODE_VIEW] = "view"};
    json_t *all = json_array();
    for (int i = 0; i < NODE_TYPE_COUNT; i++) {
        const struct node_type *t = node_types[i];
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s?, s:s?, s:o}", "type", t->name,
                           "label", t->label, "icon", t->icon, "help", t->help, "role",
                           role_names[t->role], "category", t->category, "input", t->input,
                           "output", t->output, "settings", settings_describe(t->settings)));
    }
    return all;
}
