#include "workflow/view_shot.h"

#include "core/clock.h"
#include "core/perf.h"
#include "encode/video_focus.h"
#include "workflow/view_style.h"
#include "workflow/view_zones.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { CARD_WIDTH = 960, CARD_HEIGHT = 540 };
enum { LINE_HEIGHT = 720 }; /* of pictures with lines as thick as told; in higher ones they grow */

/* Two halves are together no wider than what one picture may be. */
enum { PAIR_WIDTH_MAX = 4096 };

/* As the scaler rounds. */
static int even(double size)
{
    return 2 * (int)(size / 2 + 0.5);
}

static bool is_pair(const struct view_shot *shot)
{
    return shot->view->parts.look.settings.layout == VIEW_SIDE_BY_SIDE;
}

/* The width wanted is that of the picture, or of each of the two. */
static void set_size(struct view_shot *shot, int width, int height)
{
    int wanted = shot->view->parts.look.settings.width;
    if (is_pair(shot)) {
        wanted = wanted > 0 ? wanted : even(width);
        wanted = wanted < PAIR_WIDTH_MAX / 2 ? wanted : PAIR_WIDTH_MAX / 2;
    }
    shot->width = wanted > 0 ? even(wanted) : width;
    shot->height = wanted > 0 ? even((double)height * shot->width / width) : height;
    shot->width *= is_pair(shot) ? 2 : 1;
}

/* Under the wiring lock: what passes all the filters. */
static struct detections *pass_filters(const struct view_inputs *inputs,
                                       struct detections *detections, bool *held)
{
    for (int i = 0; detections && i < inputs->filter_count; i++) {
        struct detections *passing = NULL;
        *held |= filter_apply(inputs->filters[i], detections, &passing) == FILTER_HOLDS;
        detections_unref(&detections);
        detections = passing;
    }
    return detections;
}

/* Behind a model in sync mode the picture brings what passed in it. */
struct detections *view_shot_detections(struct view *view, const struct picture *picture,
                                        bool *held)
{
    struct detections *chosen = NULL;
    *held = false;
    if (picture->detections)
        return view->parts.look.xray ? detections_ref(picture->detections) : NULL;
    pthread_rwlock_rdlock(&view->wiring);
    const struct view_inputs *inputs = &view->inputs;
    bool needed = view->parts.look.xray || inputs->filter_count > 0;
    if (needed && inputs->model && model_node_is_ready(inputs->model))
        model_node_predict(inputs->model, picture->frame->capture_us, &chosen);
    chosen = pass_filters(inputs, chosen, held);
    pthread_rwlock_unlock(&view->wiring);
    if (!view->parts.look.xray)
        detections_unref(&chosen);
    return chosen;
}

void view_shot_picture(struct view_shot *shot, struct view *view, struct frame *frame,
                       struct detections *detections)
{
    *shot = (struct view_shot){.view = view};
    set_size(shot, frame->width, frame->height);
    shot->frame = frame_ref(frame);
    shot->detections = detections_ref(detections);
}

/* Does a model belong to what is shown? *awaited: able to run or loading, it has given no results
 * of late; then they will come. */
static bool has_model(struct view *view, int64_t now_us, bool *awaited)
{
    pthread_rwlock_rdlock(&view->wiring);
    struct model_node *model = view->parts.look.xray ? view->inputs.model : NULL;
    *awaited = model && model_node_is_awaited(model, now_us);
    pthread_rwlock_unlock(&view->wiring);
    return model != NULL;
}

void view_shot_card(struct view_shot *shot, struct view *view, const struct source_status *status)
{
    const struct frame *last = view->last ? view->last->frame : NULL;
    *shot = (struct view_shot){.view = view, .dark = status, .card_us = clock_now_us()};
    set_size(shot, last ? last->width : CARD_WIDTH, last ? last->height : CARD_HEIGHT);
    if (last) { /* the same colours, so that the encoder need not be opened again */
        shot->full_range = last->full_range;
        shot->matrix = last->matrix;
    }
}

/* The scaler for this width, or the one that has not been used for longest. */
static struct scaler *scaler_for(struct view *view, int width)
{
    struct view_size *found = &view->sizes[0];
    for (int i = 0; i < VIEW_SIZES; i++) {
        struct view_size *size = &view->sizes[i];
        if (size->scaler && size->width == width) {
            found = size;
            break;
        }
        if (!size->scaler || (found->scaler && size->used_us < found->used_us))
            found = size;
    }
    if (!found->scaler && scaler_create(&found->scaler) < 0)
        return NULL;
    found->width = width;
    found->used_us = clock_now_us();
    return found->scaler;
}

/* The pixels to draw on. The source's frame is shared: it is copied only when something changes on
 * it. */
static int make_frame(struct view_shot *shot, int width, bool draw, struct frame **out)
{
    if (width == shot->frame->width) {
        if (draw)
            return frame_copy(out, shot->frame);
        *out = frame_ref(shot->frame);
        return OW_OK;
    }
    struct scaler *scaler = scaler_for(shot->view, width);
    return scaler ? scaler_scale(scaler, shot->frame, width, out) : OW_ENOMEM;
}

/* The picture twice, and the right one of them to draw on. */
static int make_pair(struct view_shot *shot, int width, struct frame **out, struct frame *right)
{
    struct frame *one = NULL, *pair = NULL, left;
    int rc = make_frame(shot, even((double)width / 2), false, &one);
    if (rc == OW_OK)
        rc = frame_create(&pair, 2 * one->width, one->height);
    if (rc == OW_OK) {
        frame_copy_stamps(pair, one);
        frame_window(&left, pair, 0, 0, one->width, one->height);
        frame_window(right, pair, one->width, 0, one->width, one->height);
        frame_paste(&left, one);
        frame_paste(right, one);
        *out = pair;
    }
    frame_unref(&one);
    return rc;
}

/* Lines keep their share of a smaller picture, and are not lost in a large one. */
static struct xray_style style_for(const struct view_shot *shot, int width)
{
    struct xray_style style = shot->view->parts.look.style;
    double grown = fmax((double)shot->height / LINE_HEIGHT, 1);
    int thickness = (int)lround(style.line_thickness * grown * width / shot->width);
    style.line_thickness = thickness > 1 ? thickness : 1;
    return style;
}

/* The zones that belong to the picture; none where it is dark. */
static void read_zones(const struct view_shot *shot, struct zone_states *out)
{
    struct view *view = shot->view;
    out->count = 0;
    if (!shot->frame || !view->parts.look.xray)
        return;
    pthread_rwlock_rdlock(&view->wiring);
    view_zones_read(&view->inputs, shot->frame->width, shot->frame->height, out);
    pthread_rwlock_unlock(&view->wiring);
}

/* Nothing is to be drawn on the plain picture. */
static bool draws(struct view_shot *shot)
{
    struct view *view = shot->view;
    const struct view_look *look = &view->parts.look;
    struct zone_states zones;
    if (!look->xray || look->settings.layout == VIEW_CLEAN)
        return false;
    read_zones(shot, &zones);
    xray_set_zones(view->xray, &zones);
    return xray_shows(view->xray, shot->detections, &look->style);
}

static int draw_picture(struct view_shot *shot, int width, struct drawn *out)
{
    struct view *view = shot->view;
    const struct detections *detections = shot->detections;
    bool clean = view->parts.look.settings.layout == VIEW_CLEAN, draw = draws(shot);
    int64_t start_us = clock_now_us();
    struct drawn drawn = {.width = width};
    struct frame right;
    int rc = is_pair(shot) ? make_pair(shot, width, &drawn.frame, &right)
                           : make_frame(shot, width, draw, &drawn.frame);
    if (rc < 0)
        return rc;
    if (draw) {
        struct xray_style style = style_for(shot, width);
        drawn.detections =
            xray_draw(view->xray, is_pair(shot) ? &right : drawn.frame, detections, &style);
    }
    if (clean && detections)
        drawn.detections = detections->count;
    if (detections && !shot->again) {
        drawn.infer_start_us = detections->infer_start_us;
        drawn.infer_end_us = detections->infer_end_us;
    }
    drawn.drawn_us = clock_now_us();
    drawn.has_model = has_model(view, drawn.drawn_us, &drawn.model_awaited);
    if (drawn.frame != shot->frame)
        perf_add(PERF_XRAY, drawn.drawn_us - start_us);
    *out = drawn;
    return OW_OK;
}

static void card_text(const struct source_status *status, char *out, size_t size)
{
    time_t since = (time_t)((clock_wall_us() - clock_now_us() + status->since_us) / 1000000);
    struct tm local;
    char at[16] = "";
    localtime_r(&since, &local);
    strftime(at, sizeof at, "%H:%M:%S", &local);
    snprintf(out, size, "since %s%s%s", at, status->text[0] ? " — " : "", status->text);
}

static int draw_card(struct view_shot *shot, int width, struct drawn *out)
{
    struct frame *frame = NULL;
    int height =
        width == shot->width ? shot->height : even((double)shot->height * width / shot->width);
    int rc = frame_create(&frame, width, height > 2 ? height : 2);
    if (rc < 0)
        return rc;
    frame->full_range = shot->full_range;
    frame->matrix = shot->matrix;
    frame->capture_us = frame->stages.at_us[STAGE_CAPTURE] = shot->card_us;
    char line[256];
    card_text(shot->dark, line, sizeof line);
    xray_card(shot->view->xray, frame,
              shot->dark->state == SOURCE_OPENING ? "CONNECTING" : "NO SIGNAL", line);
    *out = (struct drawn){.frame = frame, .width = width, .drawn_us = clock_now_us()};
    return OW_OK;
}

const struct drawn *view_shot_at(struct view_shot *shot, int width)
{
    for (int i = 0; i < shot->count; i++)
        if (shot->drawn[i].width == width)
            return &shot->drawn[i];
    if (shot->count == VIEW_SIZES)
        return NULL;
    struct drawn *drawn = &shot->drawn[shot->count];
    int rc = shot->dark ? draw_card(shot, width, drawn) : draw_picture(shot, width, drawn);
    if (rc < 0)
        return NULL;
    shot->count++;
    return drawn;
}

/* What a record tells beside the objects. */
struct record_extras {
    struct zone_states zones;
    struct metadata_color colors[XRAY_CUSTOM_COLORS_MAX];
};

static void add_color(struct metadata_picture *picture, struct metadata_color *colors, int class_id,
                      struct rgb color)
{
    for (int i = 0; i < picture->color_count; i++)
        if (colors[i].class_id == class_id)
            return;
    if (picture->color_count < XRAY_CUSTOM_COLORS_MAX)
        colors[picture->color_count++] =
            (struct metadata_color){class_id, {color.r, color.g, color.b}};
}

/* What the user has chosen: the colours of classes in the picture, what is drawn, and for a page
 * that draws the zones. */
static void add_extras(const struct view_shot *shot, struct metadata_picture *picture,
                       struct record_extras *extras)
{
    const struct xray_style *style = &shot->view->parts.look.style;
    const struct detections *seen = picture->detections;
    struct rgb color;
    for (int i = 0; seen && style->custom_count > 0 && i < seen->count; i++)
        if (xray_own_color(style, seen->labels, seen->items[i].class_id, &color))
            add_color(picture, extras->colors, seen->items[i].class_id, color);
    picture->colors = extras->colors;
    picture->hides = view_style_hides(style);
    picture->min_confidence = style->min_confidence;
    if (!picture->shapes || !style->show_zones)
        return;
    read_zones(shot, &extras->zones);
    picture->zones = &extras->zones;
}

/* What is known of a picture that counts as captured later than it was. */
static int64_t no_sooner(int64_t at_us, const struct encoded *unit)
{
    return at_us != 0 && at_us < unit->capture_us ? unit->capture_us : at_us;
}

/* Without memory for its record viewers are shown the picture alone. */
void view_shot_describe(const struct view_shot *shot, const struct drawn *drawn,
                        struct encoded *unit)
{
    const struct detections *detections = shot->detections;
    unit->detections = drawn->detections;
    unit->model_awaited = drawn->model_awaited;
    unit->stages.at_us[STAGE_INFER_START] = no_sooner(drawn->infer_start_us, unit);
    unit->stages.at_us[STAGE_INFER_END] = no_sooner(drawn->infer_end_us, unit);
    unit->stages.at_us[STAGE_DRAWN] = drawn->drawn_us;
    bool clean = shot->view->parts.look.settings.layout == VIEW_CLEAN;
    struct record_extras extras;
    struct metadata_picture picture = {
        .detections = detections,
        .width = unit->width,
        .height = unit->height,
        .informs = drawn->has_model,
        .predicted = detections_are_predicted(detections),
        .awaited = unit->model_awaited,
        .clean = clean,
        .shapes = clean,
        .stages = unit->stages,
    };
    add_extras(shot, &picture, &extras);
    (void)metadata_create(&unit->metadata, &picture);
}

/* The room that a label takes above its box, in pixels (xray/labels.c). */
static int label_room(const struct view_look *look, int height)
{
    bool drawn = look->style.show_labels && look->settings.layout != VIEW_CLEAN;
    return drawn ? (int)lround((double)look->style.font_size * height / 16) : 0;
}

void view_shot_focus(const struct view_shot *shot, const struct frame *frame,
                     struct video_focus *out)
{
    const struct view_look *look = &shot->view->parts.look;
    out->steps = look->settings.focus;
    out->count = 0;
    if (!shot->detections || look->style.mode == XRAY_QUAD) /* there they are at four places */
        return;
    int width = is_pair(shot) ? frame->width / 2 : frame->width;
    for (int left = frame->width - width; left >= 0; left -= width) {
        const struct video_region part = {left, 0, left + width, frame->height};
        video_focus_add(out, shot->detections, &part, label_room(look, frame->height));
    }
}

int view_shot_record(const struct view_shot *shot, struct metadata **out)
{
    const struct frame *frame = shot->frame;
    const struct detections *detections = shot->detections;
    struct record_extras extras;
    struct metadata_picture picture = {
        .detections = detections,
        .width = shot->width,
        .height = shot->height,
        .predicted = detections_are_predicted(detections),
        .shapes = true,
        .stages = frame ? frame->stages
                        : (struct stage_times){.at_us = {[STAGE_CAPTURE] = shot->card_us}},
    };
    picture.informs = has_model(shot->view, clock_now_us(), &picture.awaited);
    if (detections && !shot->again) {
        picture.stages.at_us[STAGE_INFER_START] = detections->infer_start_us;
        picture.stages.at_us[STAGE_INFER_END] = detections->infer_end_us;
    }
    add_extras(shot, &picture, &extras);
    return metadata_create(out, &picture);
}

void view_shot_end(struct view_shot *shot)
{
    for (int i = 0; i < shot->count; i++)
        frame_unref(&shot->drawn[i].frame);
    frame_unref(&shot->frame);
    detections_unref(&shot->detections);
}
