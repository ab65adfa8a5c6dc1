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
#include "core/zone_state.h"

struct xray;

enum xray_mode {
    XRAY_BOXES,
    XRAY_SCHEMATIC,     /* the objects on a dark ground, no picture */
    XRAY_HEATMAP,       /* where objects have been of late */
    XRAY_BOXES_HEATMAP, /* both */
    XRAY_QUAD,          /* the original, boxes, heat map and schematic in four panels */
    /* Of objects that have a mask or key points; boxes of others. */
    XRAY_MASKS,           /* filled, with contours */
    XRAY_MASKS_CONTOUR,   /* contours alone */
    XRAY_MASKS_SOLID,     /* nothing of the picture within */
    XRAY_MASKS_SCHEMATIC, /* on a dark ground */
    XRAY_MASKS_HEATMAP,   /* where masks have been of late, and contours */
    XRAY_POSE_SKELETON,   /* key points and what joins them */
    XRAY_POSE_KEYPOINTS   /* the points alone */
};

enum xray_scheme {
    XRAY_SCHEME_DEFAULT,        /* by class, as different as can be */
    XRAY_SCHEME_CONFIDENCE,     /* from red to green */
    XRAY_SCHEME_CLASS_SPECIFIC, /* by the name of the class, the same for every model */
    XRAY_SCHEME_THERMAL,        /* by confidence, from violet to nearly white */
    XRAY_SCHEME_NEON,           /* by class, bright, with a glow */
    XRAY_SCHEME_MONOCHROME      /* white */
};

struct rgb {
    uint8_t r, g, b;
};

enum { XRAY_CLASS_BYTES = 48, XRAY_CUSTOM_COLORS_MAX = 128 };

/* The colour that a user has chosen for a class. */
struct xray_custom_color {
    char name[XRAY_CLASS_BYTES]; /* of the class, or its id in digits */
    struct rgb color;
};

struct xray_style {
    enum xray_mode mode;
    enum xray_scheme scheme;
    bool show_boxes, show_labels, show_confidence, show_track_ids;
    bool show_trails;               /* lines from where objects came, fading over three seconds */
    bool show_masks, show_contours; /* where the mode leaves it open */
    bool show_zones;                /* those of xray_set_zones() */
    bool show_legend;               /* a plate in a corner: what the colours mean, and counts */
    int line_thickness;             /* pixels of the frame drawn on, 1..16 */
    float font_size;                /* the old system's scale: 0.6 is about 15 px at 540 lines */
    float min_confidence;           /* objects below are not drawn */
    float overlay_alpha;            /* 0..1: how strong the inside of masks and boxes is tinted */
    float heatmap_intensity;        /* 0..1: how much of the picture the heat map covers */
    int custom_count;               /* taken by the two schemes that go by class */
    struct xray_custom_color custom[XRAY_CUSTOM_COLORS_MAX];
};

/* The defaults of the node table. */
void xray_style_default(struct xray_style *style);
/* By the names in docs/api.md. OW_ENOTFOUND for a name that is not there. The lists end with NULL.
 */
extern const char *const xray_mode_names[], *const xray_mode_aliases[], *const xray_scheme_names[];
int xray_mode_parse(const char *name, enum xray_mode *out);
int xray_scheme_parse(const char *name, enum xray_scheme *out);
const char *xray_mode_name(enum xray_mode mode);
const char *xray_scheme_name(enum xray_scheme scheme);

/* `font` NULL = the installed default (Inter, then DejaVu Sans). OW_ENOTFOUND with `why`. */
int xray_create(struct xray **out, const char *font, struct reason *why);

/* The zones of the pictures drawn from now on; copied. NULL = none. */
void xray_set_zones(struct xray *xray, const struct zone_states *zones);

/* Does its scheme go by class, and take colours that the user has chosen? */
bool xray_takes_own_colors(const struct xray_style *style);
/* The colour that the user has chosen for a class, where the scheme goes by class and takes it.
 * labels may be NULL. */
bool xray_own_color(const struct xray_style *style, const struct label_set *labels, int class_id,
                    struct rgb *out);

/* Would xray_draw() change the picture? detections may be NULL: none are known. */
bool xray_shows(const struct xray *xray, const struct detections *detections,
                const struct xray_style *style);
/* Draws into `frame`, which the caller owns alone; returns the number of objects drawn. detections
 * may be NULL. Heat maps and trails go by the frame's capture time, which must rise from picture to
 * picture; the same picture may be drawn in several sizes. */
int xray_draw(struct xray *xray, struct frame *frame, const struct detections *detections,
              const struct xray_style *style);

/* Fills a frame with a calm dark card: a title ("NO SIGNAL") and a line below ("since 12:03:07 —
 * connection refused"), centred and fitted to the size. */
void xray_card(struct xray *xray, struct frame *frame, const char *title, const char *line);

void xray_destroy(struct xray **xray);

#endif
