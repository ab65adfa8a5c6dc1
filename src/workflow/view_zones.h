/* The zones of a view as they are to be drawn. Internal to the view. */
#ifndef OW_WORKFLOW_VIEW_ZONES_H
#define OW_WORKFLOW_VIEW_ZONES_H

#include "core/shared_text.h"
#include "workflow/view_run.h"

/* The zones that a view shows, of a source of this size. The inputs are lent: under the view's
 * wiring lock. */
void view_zones_read(const struct view_inputs *inputs, int width, int height,
                     struct zone_states *out);
/* What they count, a text of JSON (zone_describe()) to be freed, with how long before that capture
 * time something happened (`happened_ms`), when it did of late; NULL = none. */
char *view_zones_tell(const struct view_inputs *inputs, int64_t capture_us);
/* Where they are, in a source of this size: a text of JSON (zone_describe_place()), in the place of
 * the one that was told before (NULL = none) when it says something else. */
void view_zones_tell_places(const struct view_inputs *inputs, int width, int height,
                            struct shared_text **places);

#endif
