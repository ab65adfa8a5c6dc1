/* Model families: how outputs of one kind are recognised and read. A new family is one file in this
 * folder and one row in families.c. */
#ifndef OW_VISION_MODELS_FAMILY_H
#define OW_VISION_MODELS_FAMILY_H

#include "vision/letterbox.h"
#include "vision/model.h"
#include "vision/nms.h"
#include "vision/session.h"

#include <stdbool.h>

enum { LAYOUT_MAX_OUTPUTS = 16, LAYOUT_MAX_ANCHORS = 24 };

/* What a family decides by. */
struct model_traits {
    const struct ort_session_info *io;
    /* The outputs of a run on a test picture (model_probe.h), with the shapes that the file leaves
     * open; NULL where there was none. */
    const struct tensor_view *probe;
    int input_width, input_height;
    const char *task; /* metadata; NULL where there is none */
    bool end_to_end;  /* metadata says that the model suppresses overlaps itself */
    int names;        /* how many class names the metadata or the sidecar has; 0 = none */
    int keypoints, keypoint_values; /* metadata `kpt_shape`: of an object, of each; 0 = not said */
    bool chosen; /* the family was named by hand: names and shapes must fit, no more */
};

/* How outputs are read; made by the family that recognised the model. */
struct output_layout {
    int outputs[LAYOUT_MAX_OUTPUTS]; /* indices among the session's, in the family's order */
    int output_count;
    int variant;                       /* the family's own */
    int class_count;                   /* 0: not known before a run */
    int level_count;                   /* of grids; the family's own */
    int extra;                         /* values behind the class scores; the family's own */
    int keypoints, keypoint_values;    /* of an object, of each; the family's own */
    bool suppressed;                   /* needs no NMS */
    int input_width, input_height;     /* filled in before decode() */
    float anchors[LAYOUT_MAX_ANCHORS]; /* width and height in tensor pixels, by level */
    const char *only_class; /* the name of the one class of a model without names; or NULL */
    const char *assumed;    /* what could not be known, and what was taken for it; or NULL */
};

struct model_family {
    const char *name;
    const char *task; /* what it finds: "detect", "classify", … */
    /* True when the model is of this family; fills the layout, and changes the way of the picture
     * into the tensor from RGB, 0..1, letterboxed, where the family has another. Deals out no
     * guess: what fits other families as well is false. */
    bool (*recognise)(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format);
    /* Adds what is confident enough and of a wanted class to `out`, boxes in tensor pixels.
     * `outputs` are all of the session's. Values that are no numbers or make no box are left out.
     * OW_EPARSE when a shape is not the layout's, OW_ENOMEM. */
    int (*decode)(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out);
    /* NULL for families that find boxes only. Mask and key points of a candidate of decode(), of
     * the same outputs, within its box; *out stays NULL where they are no numbers, or the mask is
     * of more than *cells_left cells, from which it is taken. OW_ENOMEM. */
    int (*shape)(const struct output_layout *layout, const struct tensor_view *outputs,
                 const struct detection *candidate, size_t *cells_left, struct object_shape **out);
};

/* The row that recognises the model; NULL when none does, or more than one. With `wanted` only the
 * row of that name is asked. `format` is what its input's type suggests. */
const struct model_family *model_family_find(const struct model_traits *traits, const char *wanted,
                                             struct output_layout *layout,
                                             struct picture_format *format);

/* Is there a row of this name? */
bool model_family_exists(const char *name);

extern const struct model_family blazeface_family;
extern const struct model_family class_map_family;
extern const struct model_family classify_family;
extern const struct model_family detr_family;
extern const struct model_family movenet_family;
extern const struct model_family nanodet_family;
extern const struct model_family ssd_family;
extern const struct model_family ultralytics_family;
extern const struct model_family ultralytics_pose_family;
extern const struct model_family ultralytics_segment_family;
extern const struct model_family yolov5_grid_family;
extern const struct model_family yolox_family;

#endif
