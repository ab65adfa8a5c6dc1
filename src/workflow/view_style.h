/* What others who draw a view's objects are told of its style. Internal to the view. */
#ifndef OW_WORKFLOW_VIEW_STYLE_H
#define OW_WORKFLOW_VIEW_STYLE_H

#include "core/shared_text.h"
#include "xray/xray.h"

/* What is to be left out: METADATA_HIDES_… */
unsigned view_style_hides(const struct xray_style *style);
/* All of it, a text of JSON (docs/api.md, "Recordings", `look`), in the place of the one that was
 * told before (NULL = none) when it says something else. */
void view_style_tell(const struct xray_style *style, struct shared_text **look);

#endif
