#include "xray/xray.h"

#include "xray/boxes.h"
#include "xray/heat.h"
#include "xray/labels.h"
#include "xray/legend.h"
#include "xray/masks.h"
#include "xray/panels.h"
#include "xray/parts.h"
#include "xray/plate.h"
#include "xray/poses.h"
#include "xray/shapes.h"
#include "xray/trails.h"
#include "xray/zones.h"

#include <stdlib.h>
#include <string.h>

struct xray {
    struct text *text;
    struct label_memory labels;
    struct legend_memory legend;
    struct zone_states zones;
    struct heat heat;
    struct trails trails;
    struct scene scene; /* of the frame that is drawn on */
    struct layer layers[2];
};

const char *const xray_mode_names[] = {
    [XRAY_BOXES] = "boxes",
    [XRAY_SCHEMATIC] = "schematic",
    [XRAY_HEATMAP] = "heatmap",
    [XRAY_BOXES_HEATMAP] = "boxes+heatmap",
    [XRAY_QUAD] = "quad",
    [XRAY_MASKS] = "masks",
    [XRAY_MASKS_CONTOUR] = "masks-contour",
    [XRAY_MASKS_SOLID] = "masks-solid",
    [XRAY_MASKS_SCHEMATIC] = "masks-schematic",
    [XRAY_MASKS_HEATMAP] = "masks-heatmap",
    [XRAY_POSE_SKELETON] = "pose-skeleton",
    [XRAY_POSE_KEYPOINTS] = "pose-keypoints",
    NULL,
};
const char *const xray_mode_aliases[] = {"both", NULL}; /* boxes+heatmap */

const char *const xray_scheme_names[] = {
    [XRAY_SCHEME_DEFAULT] = "default",
    [XRAY_SCHEME_CONFIDENCE] = "confidence",
    [XRAY_SCHEME_CLASS_SPECIFIC] = "class_specific",
    [XRAY_SCHEME_THERMAL] = "thermal",
    [XRAY_SCHEME_NEON] = "neon",
    [XRAY_SCHEME_MONOCHROME] = "monochrome",
    NULL,
};

enum { MODES = sizeof xray_mode_names / sizeof xray_mode_names[0] - 1 };
enum { SCHEMES = sizeof xray_scheme_names / sizeof xray_scheme_names[0] - 1 };

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
                                 .show_masks = true,
                                 .show_contours = true,
                                 .show_zones = true,
                                 .line_thickness = 2,
                                 .font_size = 0.6f,
                                 .min_confidence = 0,
                                 .overlay_alpha = 0.5f,
                                 .heatmap_intensity = 0.7f};
}

int xray_mode_parse(const char *name, enum xray_mode *out)
{
    int found = find_name(xray_mode_names, MODES, name);
    if (find_name(xray_mode_aliases, 1, name) >= 0)
        found = XRAY_BOXES_HEATMAP;
    if (found < 0)
        return found;
    *out = (enum xray_mode)found;
    return OW_OK;
}

int xray_scheme_parse(const char *name, enum xray_scheme *out)
{
    int found = find_name(xray_scheme_names, SCHEMES, name);
    if (found < 0)
        return found;
    *out = (enum xray_scheme)found;
    return OW_OK;
}

const char *xray_mode_name(enum xray_mode mode)
{
    return (unsigned)mode < MODES ? xray_mode_names[mode] : "?";
}

const char *xray_scheme_name(enum xray_scheme scheme)
{
    return (unsigned)scheme < SCHEMES ? xray_scheme_names[scheme] : "?";
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

void xray_set_zones(struct xray *xray, const struct zone_states *zones)
{
    xray->zones = zones ? *zones : (struct zone_states){0};
}

bool xray_shows(const struct xray *xray, const struct detections *detections,
                const struct xray_style *style)
{
    const struct parts parts = parts_of(style, style->mode);
    bool any = detections && detections->count > 0;
    return any || style->mode == XRAY_QUAD || parts.ground || (parts.heat && xray->heat.warm) ||
           (parts.objects && style->show_trails && xray->trails.count > 0) ||
           (style->show_zones && xray->zones.count > 0) ||
           (style->show_legend && legend_shows(&xray->legend, &parts, style));
}

/* How strong the inside of a box is tinted, of overlay_alpha: on a picture it must stay in sight,
 * on the dark ground there is nothing behind. */
static const float tint_on_picture = 0.2f, tint_on_ground = 0.5f;

/* Which boxes are drawn: in modes of other things only of objects that lack these. */
static void choose_boxes(struct scene *scene, const struct parts *parts)
{
    bool masked = parts->contours || parts->fill > 0;
    for (int i = 0; i < scene->count; i++) {
        struct scene_object *object = &scene->objects[i];
        bool shown =
            parts->masks ? scene_has_mask(object) : parts->points && scene_has_keypoints(object);
        object->boxed = object->boxed && (parts->boxes || !shown);
        object->tinted = !(masked && scene_has_mask(object));
    }
}

static void draw_objects(struct xray *xray, const struct parts *parts)
{
    struct scene *scene = &xray->scene;
    const struct xray_style *style = scene->style;
    float tint = parts->ground ? tint_on_ground : tint_on_picture;
    choose_boxes(scene, parts);
    if (style->show_trails)
        trails_draw(&xray->trails, scene, &xray->layers[0]);
    if (parts->fill > 0 || parts->contours)
        masks_draw(scene, xray->layers, parts->fill, parts->contours);
    boxes_draw(scene, tint * style->overlay_alpha);
    if (parts->points)
        poses_draw(scene, &xray->layers[0], parts->bones);
}

/* From what lies lowest to what is to be read. */
static int draw_mode(struct xray *xray, struct frame *frame, const struct detections *detections,
                     const struct xray_style *style, enum xray_mode mode)
{
    const struct parts parts = parts_of(style, mode);
    struct scene *scene = &xray->scene;
    scene_read(scene, frame, detections, style);
    if (parts.ground)
        panels_ground(frame);
    if (parts.heat)
        heat_draw(&xray->heat, frame, style);
    if (style->show_zones)
        zones_draw(scene, &xray->zones, &xray->layers[0]);
    if (parts.objects)
        draw_objects(xray, &parts);
    if (style->show_zones)
        zones_tag(scene, &xray->zones, xray->text);
    if (style->show_legend)
        legend_draw(scene, &parts, xray->text, &xray->legend);
    if (parts.objects)
        labels_draw(scene, xray->text, &xray->labels);
    return scene->count;
}

static int draw_quad(struct xray *xray, struct frame *frame, const struct detections *detections,
                     const struct xray_style *style)
{
    static const char *const captions[PANELS] = {"Original", "Boxes", "Heat map", "Schematic"};
    struct frame panels[PANELS];
    struct xray_style smaller = *style;
    if (!panels_split(frame, panels))
        return draw_mode(xray, frame, detections, style, XRAY_BOXES);
    /* Half as large type would not be readable, and there is less room: the name must do. */
    smaller.font_size = style->font_size * 1.3f;
    smaller.show_confidence = style->show_confidence && !style->show_labels;
    smaller.show_track_ids = false;
    smaller.line_thickness = (style->line_thickness + 1) / 2;
    struct xray_style plain = smaller;
    plain.show_legend = false; /* beside the schematic's */
    draw_mode(xray, &panels[1], detections, &plain, XRAY_BOXES);
    draw_mode(xray, &panels[2], detections, &smaller, XRAY_HEATMAP);
    int drawn = draw_mode(xray, &panels[3], detections, &smaller, XRAY_SCHEMATIC);
    for (int i = 0; i < PANELS; i++)
        plate_caption(&panels[i], xray->text, captions[i]);
    return drawn;
}

int xray_draw(struct xray *xray, struct frame *frame, const struct detections *detections,
              const struct xray_style *style)
{
    if (style->mode == XRAY_QUAD || parts_of(style, style->mode).heat)
        heat_update(&xray->heat, frame->capture_us, detections, style->min_confidence,
                    style->mode == XRAY_MASKS_HEATMAP);
    if (style->show_trails)
        trails_update(&xray->trails, frame->capture_us, detections, style->min_confidence);
    else
        xray->trails.count = 0;
    return style->mode == XRAY_QUAD ? draw_quad(xray, frame, detections, style)
                                    : draw_mode(xray, frame, detections, style, style->mode);
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
               SHAPE_ROUND, palette_ink(panel, frame), 255);
    int baseline = height / 2;
    shape_fill(
        frame,
        (struct rect){width / 2 - unit, baseline - title_pixels - 2 * unit, 2 * unit, unit / 4 + 1},
        unit / 8, SHAPE_ROUND, palette_ink(accent, frame), 255);
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
    layer_free(&x->layers[0]);
    layer_free(&x->layers[1]);
    free(x);
}
