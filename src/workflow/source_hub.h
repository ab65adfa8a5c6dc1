/* Sources shared by all who want the same: an input is opened once for all nodes, of whatever
 * workflow, whose settings are the same to the letter. */
#ifndef OW_WORKFLOW_SOURCE_HUB_H
#define OW_WORKFLOW_SOURCE_HUB_H

#include "source/source.h"

struct source_hub;
struct source_tap; /* one user of a source */

int source_hub_create(struct source_hub **out);
void source_hub_destroy(struct source_hub **hub); /* after the last tap has gone */

/* Begins to get the frames of a source, which is opened if it is not yet, or has ended. `on_frame`
 * runs on the source's thread; the frame is lent; it must be quick. Errors as source_start(). */
int source_hub_join(struct source_hub *hub, const struct source_settings *settings,
                    void (*on_frame)(void *context, struct frame *frame), void *context,
                    struct source_tap **out, struct reason *why);
/* Does anybody use this address? */
bool source_hub_has(struct source_hub *hub, const char *url);
/* After this on_frame is not called any more. The last to leave closes the source (within 2 s). */
void source_hub_leave(struct source_hub *hub, struct source_tap **tap);

/* How the source is; any thread while the tap is there. */
void source_tap_status(struct source_tap *tap, struct source_status *out);
/* The latest frame, a new reference; NULL before the first. */
struct frame *source_tap_last(struct source_tap *tap);

#endif
