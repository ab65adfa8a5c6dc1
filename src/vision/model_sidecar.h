/* What a person says about a model: the file NAME.json beside NAME.onnx, and settings of a node. */
#ifndef OW_VISION_MODEL_SIDECAR_H
#define OW_VISION_MODEL_SIDECAR_H

#include "core/detections.h"
#include "core/error.h"
#include "vision/models/family.h"

#include <limits.h>

enum { MODEL_DECODER_BYTES = 32 };

/* All zero: nothing is said. */
struct model_sidecar {
    char decoder[MODEL_DECODER_BYTES]; /* a family's name */
    struct label_set *labels;          /* owned */
    int width, height;                 /* of the input, where the model leaves it open */
    bool has_placement, has_order, has_values, has_border;
    struct picture_format format; /* of these the ones that are said */
    float confidence, iou;        /* 0 = not said */
    int anchor_count;
    float anchors[LAYOUT_MAX_ANCHORS];
};

/* Reads the text of a sidecar file: a JSON object of the members of docs/models.md; what is unknown
 * or out of range is an error that names it. OW_EPARSE, OW_ENOMEM. Pure. */
int model_sidecar_parse(struct model_sidecar *out, const char *text, size_t size,
                        struct reason *why);

/* Its path: NAME.json for NAME.onnx; "" when that is too long. */
void model_sidecar_path(const char *model_path, char out[PATH_MAX]);

/* The one beside a model's file; nothing said, and OW_OK, where there is none. Else as
 * model_sidecar_parse(), OW_EIO and OW_ETOOLARGE. */
int model_sidecar_load(struct model_sidecar *out, const char *model_path, struct reason *why);

/* What is said takes the place of what the family found. */
void model_sidecar_apply(const struct model_sidecar *sidecar, struct picture_format *format,
                         struct output_layout *layout);

void model_sidecar_clear(struct model_sidecar *sidecar);

#endif
