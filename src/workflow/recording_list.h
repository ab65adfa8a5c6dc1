/* What there is to be told of the recordings in a folder. It is in the lines beside them, and what
 * was read there is remembered: of a recording whose lines have not changed nothing is read again,
 * of one that is being written only what has come. Any thread may call. */
#ifndef OW_WORKFLOW_RECORDING_LIST_H
#define OW_WORKFLOW_RECORDING_LIST_H

#include "record/record_folder.h"

#include <jansson.h>

struct recording_list;

/* The folder is lent. OW_ENOMEM. */
int recording_list_create(struct recording_list **out, struct record_folder *folder);
void recording_list_destroy(struct recording_list **list);

/* All that are there now, the latest first: [{"name", "video", "lines", "node_id", "workflow_id",
 * "workflow_name", "label", "layout", "trigger", "start", "seconds", "bytes", "pictures", "events",
 * "width", "height", "reason", "recording"}]. NULL when out of memory. */
json_t *recording_list_describe(struct recording_list *list);

#endif
