#include "rivals.h"

#include "vision/nms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    AXES = 4,
    TRACKS_MAX = 256,
    BOXES_MAX = 256,
    SHOWN_AFTER = 3,  /* frames, SORT and OC-SORT */
    HEADING_OVER = 3, /* frames, OC-SORT */
    SIGHTS = HEADING_OVER + 1,
};

static const double pi = 3.14159265358979323846;
static const double heading_weight = 0.2; /* OC-SORT */

/* Position and velocity of one of the four numbers of a box. The filters of both papers have no
 * noise that is common to two of them, so each is a filter of its own. A step is a frame. */
struct axis {
    double x, v, pxx, pxv, pvv;
};

struct sight {
    int frame; /* counted from 1; 0: none */
    double x, y;
};

struct track {
    uint32_t id;
    int class_id, hits, seen;
    bool lost, shown;
    struct axis axis[AXES];
    /* of OC-SORT */
    struct detection last;       /* as it was detected */
    struct sight sights[SIGHTS]; /* of the last frames, by their number */
    struct axis missed[AXES];    /* in the first frame that it was not seen in */
    double heading[2];           /* of length 1, or 0 when not known */
};

enum kind { SORT, OC_SORT, BYTE, BOT_SORT };

struct state {
    enum kind kind;
    const struct rival *settings;
    struct track tracks[TRACKS_MAX];
    int count;
    uint32_t last_id;
};

static void step(struct axis *a, double qx, double qv)
{
    a->x += a->v;
    a->pxx += 2 * a->pxv + a->pvv + qx;
    a->pxv += a->pvv;
    a->pvv += qv;
}

static void correct(struct axis *a, double z, double r)
{
    double gain = a->pxx / (a->pxx + r), slope = a->pxv / (a->pxx + r), rest = z - a->x;
    a->x += gain * rest;
    a->v += slope * rest;
    a->pvv -= slope * a->pxv;
    a->pxv -= gain * a->pxv;
    a->pxx -= gain * a->pxx;
}

/* Do unsure detections carry tracks on, and tracks begin without an id? */
static bool is_byte(enum kind kind)
{
    return kind == BYTE || kind == BOT_SORT;
}

/* SORT and OC-SORT: centre, area, aspect. ByteTrack: centre, aspect, height. BoT-SORT: centre,
 * width, height. */
static void measure(enum kind kind, const struct detection *box, double z[AXES])
{
    double w = (double)(box->x2 - box->x1), h = (double)(box->y2 - box->y1);
    z[0] = (double)box->x1 + w / 2;
    z[1] = (double)box->y1 + h / 2;
    z[2] = kind == BYTE ? w / h : kind == BOT_SORT ? w : w * h;
    z[3] = is_byte(kind) ? h : w / h;
}

static struct detection box_of(enum kind kind, const struct track *track)
{
    const struct axis *a = track->axis;
    double h = is_byte(kind) ? fmax(a[3].x, 1) : sqrt(fmax(a[2].x / fmax(a[3].x, 1e-3), 1));
    double w = kind == BYTE ? a[2].x * h : kind == BOT_SORT ? fmax(a[2].x, 1) : fmax(a[2].x, 1) / h;
    return (struct detection){.class_id = track->class_id,
                              .confidence = 1,
                              .track_id = track->id,
                              .x1 = (float)(a[0].x - w / 2),
                              .y1 = (float)(a[1].x - h / 2),
                              .x2 = (float)(a[0].x + w / 2),
                              .y2 = (float)(a[1].x + h / 2)};
}

static double square(double x)
{
    return x * x;
}

/* Variances of one of the four numbers. */
struct noise {
    double first, first_velocity, step, step_velocity, sighting;
};

/* z as in measure(). */
static struct noise noise_of(enum kind kind, const double z[AXES], int k)
{
    double side = kind == BOT_SORT && k % 2 == 0 ? z[2] : z[3];
    if (!is_byte(kind))
        return (struct noise){10, k == 3 ? 0 : 10000, 1,
                              k == 3   ? 0
                              : k == 2 ? 1e-4
                                       : 1e-2,
                              k < 2 ? 1 : 10};
    if (kind == BYTE && k == 2)
        return (struct noise){square(1e-2), square(1e-5), square(1e-2), square(1e-5), square(1e-1)};
    return (struct noise){square(side / 10), square(side / 16), square(side / 20),
                          square(side / 160), square(side / 20)};
}

/* The sight of HEADING_OVER frames ago, or the next there is after that; the last one else. */
static const struct sight *sight_before(const struct track *track, int frame)
{
    for (int ago = HEADING_OVER; ago > 0; ago--) {
        const struct sight *sight = &track->sights[(frame - ago + SIGHTS) % SIGHTS];
        if (ago <= frame && sight->frame == frame - ago + 1)
            return sight;
    }
    return &track->sights[track->seen % SIGHTS];
}

static void direction(const struct sight *from, const struct detection *to, double out[2])
{
    double x = (double)(to->x1 + to->x2) / 2 - from->x, y = (double)(to->y1 + to->y2) / 2 - from->y;
    double length = hypot(x, y) + 1e-6;
    out[0] = x / length;
    out[1] = y / length;
}

static void head_for(struct track *track, const struct detection *box, int frame)
{
    direction(sight_before(track, frame), box, track->heading);
}

static void remember(struct track *track, const struct detection *box, int frame)
{
    track->last = *box;
    track->sights[frame % SIGHTS] = (struct sight){.frame = frame + 1,
                                                   .x = (double)(box->x1 + box->x2) / 2,
                                                   .y = (double)(box->y1 + box->y2) / 2};
}

/* OC-SORT, observation-centric momentum: -0.5 for a detection behind a track, 0.5 for one ahead. */
static double straightness(const struct track *track, const struct detection *box, int frame)
{
    double way[2];
    if (hypot(track->heading[0], track->heading[1]) < 0.5)
        return 0;
    direction(sight_before(track, frame), box, way);
    double cosine = way[0] * track->heading[0] + way[1] * track->heading[1];
    return (pi / 2 - acos(fmin(fmax(cosine, -1), 1))) / pi;
}

static void begin(struct state *s, const struct detection *box, int frame)
{
    if (s->count == TRACKS_MAX)
        return;
    struct track *track = &s->tracks[s->count++];
    double z[AXES];
    measure(s->kind, box, z);
    *track = (struct track){.class_id = box->class_id, .hits = 1, .seen = frame};
    for (int k = 0; k < AXES; k++) {
        struct noise noise = noise_of(s->kind, z, k);
        track->axis[k] = (struct axis){.x = z[k], .pxx = noise.first, .pvv = noise.first_velocity};
    }
    if (!is_byte(s->kind) || frame == 0)
        track->id = ++s->last_id;
    track->shown = frame < (is_byte(s->kind) ? 1 : SHOWN_AFTER);
    remember(track, box, frame);
}

/* The numbers as they are reckoned to be. */
static void read_state(const struct axis axis[AXES], double z[AXES])
{
    for (int k = 0; k < AXES; k++)
        z[k] = axis[k].x;
}

static void step_all(enum kind kind, struct axis axis[AXES])
{
    double state[AXES];
    read_state(axis, state);
    for (int k = 0; k < AXES; k++) {
        struct noise noise = noise_of(kind, state, k);
        step(&axis[k], noise.step, noise.step_velocity);
    }
}

static void correct_all(enum kind kind, struct axis axis[AXES], const struct detection *box)
{
    double z[AXES], state[AXES];
    measure(kind, box, z);
    read_state(axis, state);
    for (int k = 0; k < AXES; k++)
        correct(&axis[k], z[k], noise_of(kind, state, k).sighting);
}

static void move(struct state *s)
{
    for (int i = 0; i < s->count; i++) {
        struct track *track = &s->tracks[i];
        struct axis *a = track->axis;
        if (is_byte(s->kind) && track->lost)
            a[3].v = 0;
        if (s->kind == BOT_SORT && track->lost)
            a[2].v = 0;
        if (!is_byte(s->kind) && a[2].x + a[2].v <= 0)
            a[2].v = 0;
        step_all(s->kind, a);
    }
}

/* OC-SORT, observation-centric re-update: who is found again is led once more through the frames
 * that it was missed in, on a straight line from the last box to this one. */
static void lead_back(struct state *s, struct track *track, const struct detection *box, int frame)
{
    const struct detection *from = &track->last;
    int gap = frame - track->seen;
    memcpy(track->axis, track->missed, sizeof track->axis);
    for (int i = 1; i < gap; i++) {
        float part = (float)i / (float)gap;
        struct detection between = {.x1 = from->x1 + (box->x1 - from->x1) * part,
                                    .y1 = from->y1 + (box->y1 - from->y1) * part,
                                    .x2 = from->x2 + (box->x2 - from->x2) * part,
                                    .y2 = from->y2 + (box->y2 - from->y2) * part};
        correct_all(s->kind, track->axis, &between);
        step_all(s->kind, track->axis);
    }
}

static void take(struct state *s, struct track *track, const struct detection *box, int frame)
{
    if (s->kind == OC_SORT && track->seen < frame - 1)
        lead_back(s, track, box, frame);
    correct_all(s->kind, track->axis, box);
    track->hits = track->seen == frame - 1 || is_byte(s->kind) ? track->hits + 1 : 1;
    head_for(track, box, frame);
    remember(track, box, frame);
    track->seen = frame;
    track->lost = false;
    if (track->id == 0)
        track->id = ++s->last_id;
    track->shown = is_byte(s->kind) || track->hits >= SHOWN_AFTER || frame < SHOWN_AFTER;
}

/* Which tracks and detections one stage looks at, and how much they must have in common. */
struct pass {
    bool (*track)(const struct track *track, int frame);
    float from, below;
    double least;
    bool by_score; /* overlap times score counts */
    bool all;      /* pairs with less are paired, too, and then taken apart */
    bool heading;  /* the way counts, too */
    bool last;     /* tracks stand where they were last detected */
};

/* What a pair has in common; 0: nothing, or the stage does not look at it. */
static double overlap(const struct state *s, const struct pass *pass, const struct track *track,
                      const struct detection *box, int frame)
{
    struct detection at = pass->last ? track->last : box_of(s->kind, track);
    if (box->confidence < pass->from || box->confidence >= pass->below ||
        !pass->track(track, frame) || track->seen >= frame ||
        !mot_same_kind(at.class_id, box->class_id))
        return 0;
    return (double)box_iou(&at, box) * (double)(pass->by_score ? box->confidence : 1);
}

static void pair(struct state *s, const struct pass *pass, const struct mot_frame *seen, int frame,
                 bool *taken)
{
    static double common[TRACKS_MAX * BOXES_MAX], gain[TRACKS_MAX * BOXES_MAX];
    static int match[TRACKS_MAX];
    int count = seen->count < BOXES_MAX ? seen->count : BOXES_MAX;
    for (int t = 0; t < s->count; t++)
        for (int d = 0; d < count; d++) {
            const struct detection *box = &seen->items[d];
            double way = pass->heading ? heading_weight * (double)box->confidence *
                                             straightness(&s->tracks[t], box, frame)
                                       : 0;
            double is = taken[d] ? 0 : overlap(s, pass, &s->tracks[t], box, frame);
            common[t * count + d] = is;
            gain[t * count + d] = is <= 0 ? 0 : pass->all ? is + way : fmax(is - pass->least, 0);
        }
    mot_assign(gain, s->count, count, match);
    for (int t = 0; t < s->count; t++) {
        if (match[t] < 0 || common[t * count + match[t]] < pass->least)
            continue;
        taken[match[t]] = true;
        take(s, &s->tracks[t], &seen->items[match[t]], frame);
    }
}

static bool any(const struct track *track, int frame)
{
    (void)track;
    (void)frame;
    return true;
}

static bool confirmed(const struct track *track, int frame)
{
    (void)frame;
    return track->id != 0;
}

static bool followed(const struct track *track, int frame)
{
    (void)frame;
    return track->id != 0 && !track->lost;
}

static bool new (const struct track *track, int frame)
{
    (void)frame;
    return track->id == 0;
}

static void forget(struct state *s, int frame)
{
    int kept = 0;
    for (int i = 0; i < s->count; i++) {
        struct track *track = &s->tracks[i];
        track->lost = track->seen < frame;
        if (track->seen == frame - 1)
            memcpy(track->missed, track->axis, sizeof track->missed);
        if (track->lost && (track->id == 0 || frame - track->seen > s->settings->lost_after))
            continue;
        s->tracks[kept++] = *track;
    }
    s->count = kept;
}

/* ByteTrack: of a followed and a lost track on one place the one that lived longer stays. */
static void unify(struct state *s)
{
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < s->count; k++) {
            struct detection a = box_of(s->kind, &s->tracks[i]), b = box_of(s->kind, &s->tracks[k]);
            if (s->tracks[i].lost || !s->tracks[k].lost || box_iou(&a, &b) < 0.85F)
                continue;
            int goes = s->tracks[i].hits > s->tracks[k].hits ? k : i;
            s->tracks[goes] = s->tracks[--s->count];
        }
}

static void show(const struct state *s, int frame, struct mot_sequence *out)
{
    for (int i = 0; i < s->count; i++) {
        const struct track *track = &s->tracks[i];
        struct detection box = s->kind == OC_SORT ? track->last : box_of(s->kind, track);
        box.track_id = track->id;
        if (track->seen == frame && track->shown)
            mot_add(out, frame, &box);
    }
}

static void run(enum kind kind, const struct rival *settings, const struct pass *passes, int count,
                const struct mot_sequence *seen, struct mot_sequence *out)
{
    static struct state s;
    memset(&s, 0, sizeof s);
    s.kind = kind;
    s.settings = settings;
    for (int f = 0; f < MOT_FRAMES; f++) {
        const struct mot_frame *now = &seen->frames[f];
        bool taken[BOXES_MAX] = {false};
        move(&s);
        for (int i = 0; i < count; i++)
            pair(&s, &passes[i], now, f, taken);
        for (int d = 0; d < now->count && d < BOXES_MAX; d++)
            if (!taken[d] && now->items[d].confidence >= settings->begin)
                begin(&s, &now->items[d], f);
        forget(&s, f);
        if (is_byte(kind))
            unify(&s);
        show(&s, f, out);
    }
}

void sort_run(const struct rival *settings, const struct mot_sequence *seen,
              struct mot_sequence *out)
{
    const struct pass passes[] = {
        {.track = any, .from = settings->high, .below = 2, .least = 0.3, .all = true}};
    run(SORT, settings, passes, 1, seen, out);
}

static void byte_like_run(enum kind kind, const struct rival *settings,
                          const struct mot_sequence *seen, struct mot_sequence *out)
{
    const struct pass passes[] = {
        {.track = confirmed, .from = settings->high, .below = 2, .least = 0.2, .by_score = true},
        {.track = followed, .from = 0.1F, .below = settings->high, .least = 0.5},
        {.track = new, .from = settings->high, .below = 2, .least = 0.3, .by_score = true},
    };
    run(kind, settings, passes, 3, seen, out);
}

void byte_run(const struct rival *settings, const struct mot_sequence *seen,
              struct mot_sequence *out)
{
    byte_like_run(BYTE, settings, seen, out);
}

void bot_sort_run(const struct rival *settings, const struct mot_sequence *seen,
                  struct mot_sequence *out)
{
    byte_like_run(BOT_SORT, settings, seen, out);
}

void oc_sort_run(const struct rival *settings, const struct mot_sequence *seen,
                 struct mot_sequence *out)
{
    const struct pass passes[] = {
        {.track = any,
         .from = settings->high,
         .below = 2,
         .least = 0.3,
         .all = true,
         .heading = true},
        {.track = any, .from = settings->high, .below = 2, .least = 0.3, .all = true, .last = true},
    };
    run(OC_SORT, settings, passes, 2, seen, out);
}
