/* The node types, each defined in the file of its name. Only the node list includes this. */
#ifndef OW_WORKFLOW_NODES_NODES_H
#define OW_WORKFLOW_NODES_NODES_H

#include "workflow/node_types.h"

extern const struct node_type node_video_input;
extern const struct node_type node_camera;
extern const struct node_type node_test_pattern;
extern const struct node_type node_model;
extern const struct node_type node_detection_filter;
extern const struct node_type node_zone;
extern const struct node_type node_data_preview;
extern const struct node_type node_debug;
extern const struct node_type node_mqtt;
extern const struct node_type node_recorder;
extern const struct node_type node_video_preview;
extern const struct node_type node_video_preview_webrtc;

#endif
