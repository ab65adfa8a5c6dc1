/* ONNX Runtime, found and loaded at run time, so that the program starts and shows video without
 * it. Looked for in the file or folder named by the environment's OVERWATCH_ONNXRUNTIME, then in
 * ../lib from the executable's folder, then where the system keeps libraries. */
#ifndef OW_VISION_ONNXRUNTIME_H
#define OW_VISION_ONNXRUNTIME_H

#include "core/error.h"

#include <onnxruntime_c_api.h>

struct onnxruntime {
    const OrtApi *api;
    OrtEnv *env;
};

/* The process's one runtime, loaded by the first call that succeeds and kept until exit. Any
 * thread. OW_ENOTFOUND when there is no library, OW_EUNSUPPORTED when it is too old. */
int onnxruntime_get(const struct onnxruntime **out, struct reason *why);

#endif
