#include "xray/xray.h"

#include "xray/boxes.h"
#include "xray/shapes.h"
#include "xray/text.h"

#include <stdlib.h>
#include <string.h>

struct xray {
    struct text *text;
};

static const char *const mode_names[] = {[XRAY_BOXES] = "boxes"};
static const char *const scheme_names[] = {
    [XRAY_SCHEME_DEFAULT] = "default", [XRAY_SCHEME_CONFIDENCE] = "confidence"};

enum { MODES = sizeof mode_names / sizeof mode_names[0] };
enum { SCHEMES = sizeof scheme_names / sizeof scheme_names[0] };

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return OW_ENOTFOUND;
}

void xray_style_default(struct xray_style *style)
{
    *style = (struct xray_style){.mode = XRAY_BOXES,
                                 .scheme = XRAY_SCHEME_DEFAULT,
                                 .show_boxes = true,
                                 .show_labels = true,
                                 .show_confidence = true,
                                 .show_track_ids = true,
                                 .line_thickness = 2,
                                 .font_size = 0.6f,
                                 .min_confidence = 0};
}

int xray_mode_parse(const char *name, enum xray_mode *out)
{
    int found = find_name(mode_names, MODES, name);
    if (found < 0)
        return found;
    *out = (enum xray_mode)found;
    return OW_OK;
}

int xray_scheme_parse(const char *name, enum xray_scheme *out)
{
    int found = find_name(scheme_names, SCHEMES, name);
    if (found < 0)
        return found;
    *out = (enum xray_scheme)found;
    return OW_OK;
}

const char *xray_mode_name(enum xray_mode mode)
{
    return (unsigned)mode < MODES ? mode_names[mode] : "?";
}

const char *xray_scheme_name(enum xray_scheme scheme)
{
    return (unsigned)scheme < SCHEMES ? scheme_names[scheme] : "?";
}

int xray_create(struct xray **out, const char *font, struct reason *why)
{
    struct xray *xray = calloc(1, sizeof *xray);
    if (!xray)
        return reason_set(why, OW_ENOMEM, "out of memory");
    int rc = text_create(&xray->text, font, why);
    if (rc < 0)
        free(xray);
    else
        *out = xray;
    return rc;
}

int xray_draw(struct xray *xray, struct frame *frame, const struct detections *detections,
              const struct xray_style *style)
{
    if (!detections)
        return 0;
    switch (style->mode) {
    case XRAY_BOXES:
        return boxes_draw(xray->text, frame, detections, style);
    }
    return 0;
}

/* The largest size up to `pixels` at which the line is no wider than `width`. */
static int fit(struct text *text, const char *line, int pixels, int width)
{
    while (pixels > TEXT_PIXELS_MIN && text_width(text, pixels, line) > width)
        pixels -= pixels > 40 ? 4 : 1;
    return pixels;
}

static void draw_centred(struct xray *xray, struct frame *frame, const char *line, int pixels,
                         int baseline, struct rgb color)
{
    int x = (frame->width - text_width(xray->text, pixels, line)) / 2;
    text_draw(xray->text, frame, x, baseline, pixels, line, palette_ink(color, frame), 255);
}

void xray_card(struct xray *xray, struct frame *frame, const char *title, const char *line)
{
    static const struct rgb ground = {0x12, 0x15, 0x1a}, panel = {0x1a, 0x1e, 0x25};
    static const struct rgb bright = {0xe8, 0xec, 0xf1}, soft = {0x8e, 0x99, 0xa8};
    static const struct rgb accent = {0xf2, 0xa9, 0x3b};
    int width = frame->width, height = frame->height;
    int room = width - width / 7, unit = height / 36 + 1;
    int title_pixels = fit(xray->text, title ? title : "", height / 9, room);
    int line_pixels = fit(xray->text, line ? line : "", height / 24, room);

    canvas_rect(frame, (struct rect){0, 0, width, height}, palette_ink(ground, frame), 255);
    shape_fill(frame, (struct rect){unit, unit, width - 2 * unit, height - 2 * unit}, unit,
               SHAPE_ROUND_TOP | SHAPE_ROUND_BOTTOM, palette_ink(panel, frame), 255);
    int baseline = height / 2;
    shape_fill(
        frame,
        (struct rect){width / 2 - unit, baseline - title_pixels - 2 * unit, 2 * unit, unit / 4 + 1},
        unit / 8, SHAPE_ROUND_TOP | SHAPE_ROUND_BOTTOM, palette_ink(accent, frame), 255);
    if (title)
        draw_centred(xray, frame, title, title_pixels, baseline, bright);
    if (line)
        draw_centred(xray, frame, line, line_pixels, baseline + line_pixels + unit + unit / 2,
                     soft);
}

void xray_destroy(struct xray **xray)
{
    struct xray *x = *xray;
    *xray = NULL;
    if (!x)
        return;
    text_destroy(&x->text);
    free(x);
}
