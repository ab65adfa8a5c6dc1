/* Class names as models carry them in their metadata: a dict as Python prints it,
 * {0: 'person', 1: "driver's seat"}, or a list, ['person', 'car']. */
#ifndef OW_VISION_MODEL_NAMES_H
#define OW_VISION_MODEL_NAMES_H

#include "core/detections.h"

enum { MODEL_NAMES_MAX = 10000 };

/* Keys may come in any order; ones that are missing below the highest are named "class N". Strings
 * in single or double quotes with Python's escapes \\ \' \" \n \t. OW_EPARSE for anything else,
 * OW_ELIMIT for a key of MODEL_NAMES_MAX or more. */
int model_names_parse(struct label_set **out, const char *text);

/* "class 0" … "class count-1". */
int model_names_numbered(struct label_set **out, int count);

#endif
