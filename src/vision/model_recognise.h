/* What a model is: its input, its family and layout, its class names. */
#ifndef OW_VISION_MODEL_RECOGNISE_H
#define OW_VISION_MODEL_RECOGNISE_H

#include "vision/model_input.h"
#include "vision/model_sidecar.h"
#include "vision/models/family.h"

struct model_nature {
    struct model_input input; /* allocated */
    struct picture_format format;
    const struct model_family *family;
    struct output_layout layout;
    struct label_set *labels; /* owned */
};

/* By the sidecar, then the metadata, names and shapes, then a run on a test picture. `sidecar` is
 * all unset where there is none; `path` is for the log. OW_EUNSUPPORTED says what was seen and what
 * to set; also OW_ENOMEM and what running gives. On failure nothing is left to free. */
int model_recognise(struct model_nature *out, struct ort_session *session,
                    const struct model_sidecar *sidecar, const char *path, struct reason *why);

void model_nature_clear(struct model_nature *nature);

#endif
