/* A model at work: takes the latest frame of its source, at most `max_fps` times a second and only
 * while somebody needs the result, and follows the objects from frame to frame. One thread. */
#ifndef OW_WORKFLOW_MODEL_NODE_H
#define OW_WORKFLOW_MODEL_NODE_H

#include "workflow/model_pool.h"
#include "workflow/node_types.h"

struct model_node;

/* Who waits for a result. */
enum model_demand {
    MODEL_UNWANTED,       /* nobody is looking: no inference */
    MODEL_FOR_PREDICTION, /* only where the next boxes go depends on it */
    MODEL_FOR_PICTURE     /* a picture waits for it */
};

struct model_node_parts {
    const char *id;                      /* copied */
    struct model_node_settings settings; /* its classes are kept by an own reference */
    char path[NODE_PATH_BYTES];          /* of the ONNX file */
    int threads;
    struct model_pool *pool; /* lent for the node's life */
    void *context;
    enum model_demand (*demand)(void *context); /* asked before each inference */
    /* A result, on the model's thread; both are lent. */
    void (*on_result)(void *context, struct frame *frame, struct detections *detections);
};

/* Starts the thread, which opens the model first: a file that cannot be used is an error of this
 * node (model_node_status()), not of the workflow. */
int model_node_start(struct model_node **out, const struct model_node_parts *parts);

/* Other thresholds, classes and rate from now on; the model stays. When no frame comes soon, the
 * last one is looked at again. */
void model_node_configure(struct model_node *node, const struct model_node_settings *settings);

/* Hands over a frame; takes its own reference, never blocks. */
void model_node_offer(struct model_node *node, struct frame *frame);

/* Is the model loaded and able to run? */
bool model_node_is_ready(struct model_node *node);

/* Has it, though able to run or still loading, given no results of late, as when nobody needed any
 * until now? Then they will come. */
bool model_node_is_awaited(struct model_node *node, int64_t now_us);

/* The objects as they should stand at capture_us; see tracker_predict(). Never waits for the model.
 */
int model_node_predict(struct model_node *node, int64_t capture_us, struct detections **out);

struct model_node_status {
    const char *state; /* "loading", "running", "idle", "error" */
    char error[320];
    double fps;
    double inference_ms; /* of the last frame */
    int detections;      /* in the last frame */
    uint64_t dropped;
};
void model_node_read_status(struct model_node *node, struct model_node_status *out);

/* The latest result, a new reference; NULL before the first. */
struct detections *model_node_last(struct model_node *node);

void model_node_stop(struct model_node **node);

#endif
