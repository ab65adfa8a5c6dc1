/* Model families: how outputs of one kind are recognised and read. A new family is one file in this
 * folder and one row in families.c. */
#ifndef OW_VISION_MODELS_FAMILY_H
#define OW_VISION_MODELS_FAMILY_H

#include "vision/model.h"
#include "vision/nms.h"
#include "vision/session.h"

#include <stdbool.h>

/* What a family decides by. */
struct model_traits {
    const struct ort_session_info *io;
    int input_width, input_height;
    const char *task; /* metadata; NULL where there is none */
    bool end_to_end;  /* metadata says that the model suppresses overlaps itself */
    int names;        /* how many class names the metadata has; 0 = none */
};

/* How one output is read; made by the family that recognised the model. */
struct output_layout {
    int output;      /* index among the session's outputs */
    int variant;     /* the family's own */
    int class_count; /* 0: not known before a run */
    bool suppressed; /* needs no NMS */
};

struct model_family {
    const char *name;
    const char *supports; /* for people: which outputs it takes */
    /* True when the model is of this family; fills the layout. */
    bool (*recognise)(const struct model_traits *traits, struct output_layout *layout);
    /* Adds what is confident enough and of a wanted class to `out`, boxes in tensor pixels. Values
     * that are no numbers or make no box are left out. OW_EPARSE when the shape is not the
     * layout's, OW_ENOMEM. */
    int (*decode)(const struct output_layout *layout, const struct tensor_view *view,
                  const struct model_thresholds *thresholds, struct candidate_list *out);
};

/* The row that recognises the model, or NULL. */
const struct model_family *model_family_find(const struct model_traits *traits,
                                             struct output_layout *layout);

/* Says which outputs are understood, for an error sentence; returns `text`. */
const char *model_families_supported(char *text, size_t size);

extern const struct model_family ultralytics_family;

#endif
