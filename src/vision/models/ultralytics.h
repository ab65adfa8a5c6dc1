/* What the Ultralytics families share. Internal to this folder. */
#ifndef OW_VISION_MODELS_ULTRALYTICS_H
#define OW_VISION_MODELS_ULTRALYTICS_H

#include "vision/models/family.h"

/* Whether an output has boxes, class scores and `extra` values behind them; fills the layout's
 * variant, class_count, extra and suppressed. */
bool ultralytics_recognise_boxes(const struct model_traits *traits, int output, int extra,
                                 struct output_layout *layout);

/* model_family.decode; the candidates' track_id is their row. */
int ultralytics_decode(const struct output_layout *layout, const struct tensor_view *outputs,
                       const struct model_thresholds *thresholds, struct candidate_list *out);

/* The first of a row's extra values; the next is *step values on. The view is one that
 * ultralytics_decode() has taken. */
const float *ultralytics_extra(const struct output_layout *layout, const struct tensor_view *view,
                               size_t row, size_t *step);

#endif
