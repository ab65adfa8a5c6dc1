/* What the installed models are: each is opened once and run a few times on a grey picture; what
 * was found is kept as long as the file and the one beside it stay as they are. */
#ifndef OW_WORKFLOW_MODEL_CATALOGUE_H
#define OW_WORKFLOW_MODEL_CATALOGUE_H

#include "vision/model.h"

#include <jansson.h>

struct model_catalogue;

/* `options` are those that models are run with; its texts are lent for the catalogue's life. */
int model_catalogue_create(struct model_catalogue **out, const struct model_options *options);
void model_catalogue_destroy(struct model_catalogue **catalogue);

/* {"task", "family", "provider", "input_width", "input_height", "class_count", "ms"}, or {"error"}
 * of a file that cannot be used. A new reference, NULL when out of memory or when the program
 * ends. Any thread; takes as long as opening and some inferences when the file is new. */
json_t *model_catalogue_describe(struct model_catalogue *catalogue, const char *path);

#endif
