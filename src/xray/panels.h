/* Grounds and divisions of the modes that are more than boxes. Internal to this room. */
#ifndef OW_XRAY_PANELS_H
#define OW_XRAY_PANELS_H

#include "xray/palette.h"

/* A dark ground with a faint grid in place of the picture. */
void panels_ground(struct frame *frame);

enum { PANELS = 4 };
/* The picture four times, each half as wide and high, thin lines between: windows of `frame` (see
 * frame_window()), from left to right and from top to bottom. False for a frame too small. */
bool panels_split(struct frame *frame, struct frame panels[PANELS]);

#endif
