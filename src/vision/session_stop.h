/* Ending what sessions do when the program is to end: a run is broken off between two of its
 * operators; the making of a session, which ONNX Runtime does in one piece, is left behind on a
 * thread of its own. Per process, as the library is. Any thread. */
#ifndef OW_VISION_SESSION_STOP_H
#define OW_VISION_SESSION_STOP_H

#include "core/error.h"
#include "vision/onnxruntime.h"

#include <stdbool.h>

/* What a session's runs are given. */
struct session_runs {
    struct session_runs *next, **link;
    OrtRunOptions *options;
};

/* OW_ENOMEM. */
int session_runs_enlist(const struct onnxruntime *runtime, struct session_runs *runs,
                        struct reason *why);
/* Not during a run; does nothing to what was not enlisted. */
void session_runs_delist(const struct onnxruntime *runtime, struct session_runs *runs);

/* Has ort_sessions_stop() been called? */
bool session_is_stopped(void);
/* OW_ECLOSED with its sentence. */
int session_say_stopped(struct reason *why);

/* CreateSession() of a file; takes the options over. OW_ECLOSED at once when sessions are stopped,
 * OW_ENOMEM, OW_EPARSE when the runtime cannot. */
int session_make(const struct onnxruntime *runtime, const char *path, OrtSessionOptions *options,
                 OrtSession **out, struct reason *why);

#endif
