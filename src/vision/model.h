/* A detection model: an ONNX file, the session that runs it, and the family that understands its
 * outputs. Opened once per file and thread setting; run by one thread at a time.
 */
#ifndef OW_VISION_MODEL_H
#define OW_VISION_MODEL_H

#include "core/detections.h"
#include "core/error.h"
#include "core/frame.h"

struct model;

struct model_info {
    const char *path;
    const char *family;   /* "ultralytics", … : the row of the family table that decodes it */
    const char *task;     /* "detect", "classify", … */
    const char *provider; /* "CPU", "CUDA", … */
    int input_width, input_height;
    int batch_least,
        batch_most;           /* how many pictures a run takes; the least costs as much as less */
    float confidence, iou;    /* the sidecar's; 0 = it says none */
    struct label_set *labels; /* lent */
};

struct model_thresholds {
    float confidence;       /* 0..1, detections below are dropped */
    float shape_confidence; /* below, masks and key points are left out; 0 = never */
    float iou;              /* NMS */
    int max_detections;
    bool agnostic;      /* NMS across classes */
    const int *classes; /* the class ids to keep; NULL = all */
    int class_count;
};

struct model_timing {
    int64_t preprocess_us, inference_us, postprocess_us;
};

struct model_options {
    int threads; /* 0 = as many as there are cores, at most 4 */
    const char
        *decoder; /* a family's name, before what the sidecar says; NULL or "" = not chosen */
    const char *providers; /* execution providers in the order of trying; see provider_list() */
};

/* Loads the file, with what the sidecar NAME.json beside NAME.onnx says (docs/models.md). `options`
 * NULL = all default. A missing, broken or unsupported file: an error whose `why` says what was
 * seen (inputs, outputs, shapes) and what to do. ONNX Runtime itself missing at run time is such an
 * error too. */
int model_open(struct model **out, const char *path, const struct model_options *options,
               struct reason *why);

/* The names of the families, "auto" before them, NULL behind: what a setting can choose from. */
extern const char *const model_decoder_names[];

/* Is this a list of execution providers? OW_EINVAL with a sentence. */
int model_check_providers(const char *list, struct reason *why);

const struct model_info *model_info(const struct model *model);

/* Letterboxes the frame into the input tensor, runs the session, decodes. The detections are in the
 * frame's own pixels, sorted by falling confidence, stamped with its sequence and capture time. */
int model_run(struct model *model, const struct frame *frame,
              const struct model_thresholds *thresholds, struct detections **out,
              struct model_timing *timing, struct reason *why);

/* One of several pictures that are run together. */
struct model_job {
    const struct frame *frame;
    const struct model_thresholds *thresholds;
    struct detections *found;   /* the result, the caller's; NULL = there is none */
    struct model_timing timing; /* its own, but the inference is that of all */
};

/* The same for up to `batch_most` pictures in one run of the session. OW_EUNSUPPORTED when the
 * model does not give a result for each, whatever it announced; after an error none has one. */
int model_run_batch(struct model *model, struct model_job *jobs, int count, struct reason *why);

void model_close(struct model **model);

#endif
