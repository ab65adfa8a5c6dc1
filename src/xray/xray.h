/* Draws what a model sees on a frame's YUV planes.
 *
 * A `struct xray` holds the font and its glyph cache; one per drawing thread. Coordinates of
 * detections are scaled from their source size to the frame's size, so a frame may be scaled
 * before it is drawn on. Everything is clipped at the frame's edges. */
#ifndef OW_XRAY_XRAY_H
#define OW_XRAY_XRAY_H

#include "core/detections.h"
#include "core/error.h"
#include "core/frame.h"

struct xray;

enum xray_mode { XRAY_BOXES };
enum xray_scheme { XRAY_SCHEME_DEFAULT, XRAY_SCHEME_CONFIDENCE };

struct xray_style {
    enum xray_mode mode;
    enum xray_scheme scheme;
    bool show_boxes, show_labels, show_confidence, show_track_ids;
    int line_thickness;   /* pixels of the frame drawn on, 1..16 */
    float font_size;      /* the old system's scale: 0.6 is about 15 px at 540 lines */
    float min_confidence; /* objects below are not drawn */
};

/* The defaults of the node table. */
void xray_style_default(struct xray_style *style);
/* By the names in docs/api.md. OW_ENOTFOUND for a name that is not there. */
int xray_mode_parse(const char *name, enum xray_mode *out);
int xray_scheme_parse(const char *name, enum xray_scheme *out);
const char *xray_mode_name(enum xray_mode mode);
const char *xray_scheme_name(enum xray_scheme scheme);

/* `font` NULL = the installed default (Inter, then DejaVu Sans). OW_ENOTFOUND with `why`. */
int xray_create(struct xray **out, const char *font, struct reason *why);

/* Draws into `frame`, which the caller owns alone; returns the number of objects drawn. */
int xray_draw(struct xray *xray, struct frame *frame, const struct detections *detections,
              const struct xray_style *style);

/* Fills a frame with a calm dark card: a title ("NO SIGNAL") and a line below ("since 12:03:07 —
 * connection refused"), centred and fitted to the size. */
void xray_card(struct xray *xray, struct frame *frame, const char *title, const char *line);

void xray_destroy(struct xray **xray);

#endif
