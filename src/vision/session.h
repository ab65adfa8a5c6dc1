/* An ONNX file opened in ONNX Runtime: what it takes and gives, its metadata, and running it.
 * After ort_sessions_stop() opening and running give OW_ECLOSED. */
#ifndef OW_VISION_SESSION_H
#define OW_VISION_SESSION_H

#include "core/error.h"
#include "vision/tensor.h"

#include <stdbool.h>

struct ort_session;

enum { SESSION_MAX_TENSORS = 16 };

struct ort_session_info {
    int input_count, output_count; /* at most SESSION_MAX_TENSORS each */
    struct tensor_info inputs[SESSION_MAX_TENSORS];
    struct tensor_info outputs[SESSION_MAX_TENSORS];
};

/* `threads` >= 1. `providers` is a list as provider_list() takes it: each is tried by making the
 * session, and one that does not come about is passed over with a word in the log. OW_EINVAL for a
 * provider that is not known, OW_ENOTFOUND for a missing file or library, OW_EPARSE for a broken
 * file, OW_EUNSUPPORTED when it has more than SESSION_MAX_TENSORS inputs or outputs. */
int ort_session_open(struct ort_session **out, const char *path, int threads, const char *providers,
                     struct reason *why);

/* What it runs on: "CPU", "CUDA", … */
const char *ort_session_provider(const struct ort_session *session);

const struct ort_session_info *ort_session_info(const struct ort_session *session);

/* A copy of a metadata entry, to be freed by the caller; NULL when there is none. */
char *ort_session_metadata(const struct ort_session *session, const char *key);

enum { SESSION_MAX_PICTURES = 16 };

/* Runs the model on pictures, the session's first input, and lends all outputs. `pictures` has the
 * values of the input's type, row-major, `dims` its four sides, of which the first is how many
 * pictures there are, at most SESSION_MAX_PICTURES. A second input gets the width and height of
 * each as int64 [N,2] (RT-DETR's `orig_target_sizes`). One thread at a time. OW_EIO when the
 * runtime fails, OW_ENOMEM. */
int ort_session_run(struct ort_session *session, void *pictures, const int64_t dims[4],
                    int64_t height, int64_t width, struct tensor_view outputs[SESSION_MAX_TENSORS],
                    struct reason *why);

void ort_session_close(struct ort_session **session);

/* For the program's end, once, from any thread: nothing is opened or run any more, and who is at it
 * is let go: within the operator that runs, or at once where a file is being loaded. */
void ort_sessions_stop(void);
/* Does a load go on for which nobody waits? The process has then to end by _exit(): by exit() the
 * library would be taken down under it. */
bool ort_sessions_left_behind(void);

/* "images [1,3,416,416]" for one, "a [1,2], b [3]" for several; returns `text`. */
const char *ort_session_describe(const struct tensor_info *tensors, int count, char *text,
                                 size_t size);

#endif
