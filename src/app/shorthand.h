/* The workflow of the command line: a file, or one made from --source and --model. */
#ifndef OW_APP_SHORTHAND_H
#define OW_APP_SHORTHAND_H

#include "app/config.h"

#include <jansson.h>

/* *out is a new reference, or NULL when the command line names neither. A file that cannot be read
 * or is no JSON: an error that names the line. */
int shorthand_workflow(json_t **out, const struct config *config, struct reason *why);

#endif
