/* The node list: one file in src/workflow/nodes with one table of settings per node type, and one
 * row in node_types.c. */
#ifndef OW_WORKFLOW_NODE_TYPES_H
#define OW_WORKFLOW_NODE_TYPES_H

#include "core/rendition.h"
#include "record/record_plan.h"
#include "source/source.h"
#include "vision/model.h"
#include "workflow/filter.h"
#include "workflow/settings.h"
#include "xray/xray.h"

enum node_role { NODE_SOURCE, NODE_MODEL, NODE_FILTER, NODE_SINK, NODE_VIEW };

enum { NODE_PATH_BYTES = 1024, NODE_MAX_CLASSES = 128 };

/* What a model node's settings mean; filled by its configure function. */
struct model_node_settings {
    char model[NODE_PATH_BYTES];        /* file or name; "" = the default model */
    char decoder[32];                   /* of the model's outputs; "" = as is recognised */
    struct model_thresholds thresholds; /* `classes` stays NULL: see class_names */
    bool says_confidence, says_iou;     /* else the sidecar's come first, if it has some */
    json_t *classes;                    /* borrowed: ids or names; NULL or empty = all */
    double max_fps;                     /* inferences a second */
    bool xray;                          /* draw at all */
    struct xray_style style;
    double xray_max_fps;
};

enum view_layout {
    VIEW_XRAY,         /* what the model sees is drawn on the picture */
    VIEW_ORIGINAL,     /* the plain picture; no model works for it */
    VIEW_SIDE_BY_SIDE, /* both in one picture, the original on the left */
    VIEW_CLEAN /* the plain picture, and what the model sees as records for a page that draws it */
};

struct view_settings {
    enum view_layout layout;
    bool prefers_webrtc;
    bool predict;
    bool adaptive;
    int width; /* of the picture, or of each of the two; 0 = the source's */
    double max_fps;
    int min_bps, start_bps, max_bps;
    int renditions;                            /* 1..RENDITION_SHARED, for several viewers */
    double rendition_rates[RENDITION_SHARED];  /* parts of max_bps, falling */
    double rendition_widths[RENDITION_SHARED]; /* parts of the width, falling */
    double focus;                              /* struct video_focus, on what the model sees */
    int jpeg_quality;
};

/* What takes detections and tells them. */
enum sink_kind {
    SINK_DATA,     /* detection_data to whom asks for it */
    SINK_MESSAGES, /* debug_message */
    SINK_MQTT,
};

enum { SINK_TOPIC_BYTES = 200 };

struct sink_settings {
    enum sink_kind kind;
    const char *level; /* "info", …: of the messages; static */
    double max_fps;    /* results told a second */
    bool with_data;    /* the detections, not only their number */
    /* MQTT */
    char topic[SINK_TOPIC_BYTES]; /* "" = made of workflow and node */
    bool retain;
    bool only_with_detections; /* and the first result without */
};

struct node_type {
    const char *name;  /* "videoInput" */
    const char *label; /* "Video File" */
    const char *icon;  /* an emoji that stands before or behind the label, NULL = none */
    const char *help;
    enum node_role role;
    const char *category;       /* section of the page's sidebar */
    const char *input, *output; /* handle names, NULL = none */
    const struct setting *settings;
    /* One of these, by role: translate checked settings. `url` has NODE_PATH_BYTES for
     * source_settings.url to point to. Errors name the setting. */
    int (*configure_source)(const json_t *data, struct source_settings *out, char *url,
                            struct reason *why);
    int (*configure_model)(const json_t *data, struct model_node_settings *out, struct reason *why);
    int (*configure_filter)(const json_t *data, struct filter_settings *out, struct reason *why);
    int (*configure_sink)(const json_t *data, struct sink_settings *out, struct reason *why);
    int (*configure_view)(const json_t *data, struct view_settings *out, struct reason *why);
    /* Of a view that is recorded by itself: when. NULL = of others. */
    void (*configure_recorder)(const json_t *data, struct record_rules *out);
};

const struct node_type *node_type_find(const char *name);
/* The i-th row, NULL past the end. */
const struct node_type *node_type_at(int index);
/* All rows as the JSON of /api/workflow-components/node-types. */
json_t *node_types_describe(void);

#endif
