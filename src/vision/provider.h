/* Execution providers: what ONNX Runtime lets a model run on. One row each in provider.c. */
#ifndef OW_VISION_PROVIDER_H
#define OW_VISION_PROVIDER_H

#include "vision/onnxruntime.h"

#include <stdbool.h>

struct provider {
    const char *name;     /* in a list: "cuda" */
    const char *label;    /* for people: "CUDA" */
    const char *ort_name; /* as GetAvailableProviders() has it */
    /* Adds it to the options of a session to be made; NULL = good, else the status is the caller's
     * to release. */
    OrtStatus *(*append)(const OrtApi *api, OrtSessionOptions *options);
};

enum { PROVIDERS_MAX = 8 };

/* The rows that a list names, "cuda,openvino" or so, in its order, NULL behind the last; the CPU is
 * always the last. NULL or "" is "cuda,openvino". OW_EINVAL for a name that is not known. */
int provider_list(const struct provider *out[PROVIDERS_MAX + 1], const char *list,
                  struct reason *why);

/* Was the library built with it? */
bool provider_is_built_in(const struct onnxruntime *runtime, const struct provider *provider);

#endif
