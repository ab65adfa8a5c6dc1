/* Settings that both view node types have, as rows for their tables. */
#ifndef OW_WORKFLOW_NODES_VIEW_SETTINGS_H
#define OW_WORKFLOW_NODES_VIEW_SETTINGS_H

#include "encode/video_encoder.h"
#include "workflow/nodes/nodes.h"

extern const char *const view_sync_choices[];   /* "predict", "sync" */
extern const char *const view_layout_choices[]; /* in the order of enum view_layout */

/* clang-format off */
#define VIEW_SETTING_ROWS                                                                          \
    {.name = "layout", .label = "Layout", .type = SETTING_CHOICE, .default_text = "xray",          \
     .choices = view_layout_choices,                                                               \
     .help = "the X-RAY picture, the original one, both of the same moment side by side, or the "  \
             "original with what the model sees beside it, drawn by the page"},                    \
    {.name = "width", .label = "Width", .type = SETTING_INT, .min = 0, .max = 4096, .unit = "px",  \
     .help = "picture width, side by side that of each half; 0 = the source's own"},               \
    {.name = "maxFps", .label = "Max fps", .type = SETTING_NUMBER, .default_number = 30,           \
     .min = 1, .max = 60, .unit = "fps", .help = "at most this many pictures a second"},           \
    {.name = "boxTiming", .label = "Box timing", .type = SETTING_CHOICE,                           \
     .default_text = "predict", .choices = view_sync_choices,                                      \
     .help = "predict: every frame at once, boxes moved forward to it; "                           \
             "sync: the very frame that the model saw, later"},                                    \
    {.name = "focusObjects", .label = "Focus on objects", .type = SETTING_NUMBER,                  \
     .default_number = 3, .min = 0, .max = VIDEO_FOCUS_MAX, .step = 1, .unit = "QP",               \
     .help = "objects are encoded finer than the rest by so many steps, at the same rate; "        \
             "0 = all alike"},                                                                     \
    {.name = "quality", .label = "JPEG quality", .type = SETTING_INT, .default_number = 50,        \
     .min = 1, .max = 100, .help = "of pictures over the WebSocket"}
/* clang-format on */

/* Fills what the rows above say; bit rates stay 0, and renditions are the usual ones. */
void view_settings_configure(const json_t *data, const struct setting *table,
                             struct view_settings *out);

/* "100, 40,16": up to three falling percentages of 1..100, to parts of 1. Those that are not named
 * stay as they are. OW_EINVAL with a sentence that names the setting. */
int view_settings_parse_parts(const char *name, const char *text, double parts[RENDITION_SHARED],
                              struct reason *why);

#endif
