#include "mot.h"

#include "vision/nms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float matching_iou = 0.5F;

static void *grown(void *memory, size_t bytes)
{
    void *more = realloc(memory, bytes);
    if (more == NULL)
        abort();
    return more;
}

static void *zeros(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL)
        abort();
    return memory;
}

void mot_add(struct mot_sequence *sequence, int frame, const struct detection *box)
{
    struct mot_frame *at = &sequence->frames[frame];
    if (at->count == at->room) {
        at->room = at->room * 2 + 16;
        at->items = grown(at->items, (size_t)at->room * sizeof *at->items);
    }
    at->items[at->count++] = *box;
}

void mot_free(struct mot_sequence *sequence)
{
    for (int f = 0; f < MOT_FRAMES; f++)
        free(sequence->frames[f].items);
    memset(sequence, 0, sizeof *sequence);
}

void mot_reverse(const struct mot_sequence *from, struct mot_sequence *out)
{
    for (int f = 0; f < MOT_FRAMES; f++)
        for (int i = 0; i < from->frames[f].count; i++)
            mot_add(out, MOT_FRAMES - 1 - f, &from->frames[f].items[i]);
}

bool mot_same_kind(int class_a, int class_b)
{
    return (class_a == 0) == (class_b == 0);
}

/* A file of the folder, behind its first line, which names the columns. */
static FILE *open_table(const char *folder, const char *name)
{
    char path[512];
    char head[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(head, sizeof head, file) == NULL) {
        fclose(file);
        file = NULL;
    }
    return file;
}

static struct detection box_of(int class_id, const float sides[4])
{
    return (struct detection){.class_id = class_id,
                              .confidence = 1,
                              .x1 = sides[0],
                              .y1 = sides[1],
                              .x2 = sides[0] + sides[2],
                              .y2 = sides[1] + sides[3]};
}

bool mot_read_detections(struct mot_sequence *out, const char *folder)
{
    FILE *file = open_table(folder, "detections.csv");
    int frame = 0, class_id = 0, score = 0, read = 0;
    float sides[4];
    if (file == NULL)
        return false;
    while ((read = fscanf(file, "%d,%d,%d,%f,%f,%f,%f", &frame, &class_id, &score, &sides[0],
                          &sides[1], &sides[2], &sides[3])) == 7 &&
           frame >= 0 && frame < MOT_FRAMES) {
        struct detection box = box_of(class_id, sides);
        box.confidence = (float)score / 1000;
        mot_add(out, frame, &box);
    }
    fclose(file);
    return read == EOF;
}

struct key {
    int track, frame;
    bool vehicle;
    float sides[4];
};

static bool read_key(FILE *file, struct key *key)
{
    char kind[16];
    if (fscanf(file, "%d,%15[a-z],%d,%f,%f,%f,%f", &key->track, kind, &key->frame, &key->sides[0],
               &key->sides[1], &key->sides[2], &key->sides[3]) != 7)
        return false;
    key->vehicle = strcmp(kind, "vehicle") == 0;
    return key->frame >= 0 && key->frame < MOT_FRAMES;
}

static void add_truth(struct mot_sequence *out, const struct key *key)
{
    struct detection box = box_of(key->vehicle ? 2 : 0, key->sides);
    box.track_id = (uint32_t)key->track;
    mot_add(out, key->frame, &box);
}

bool mot_read_tracks(struct mot_sequence *out, const char *folder)
{
    FILE *file = open_table(folder, "tracks.csv");
    struct key from = {0}, to;
    if (file == NULL)
        return false;
    while (read_key(file, &to)) {
        for (int f = from.frame + 1; from.track == to.track && f < to.frame; f++) {
            float part = (float)(f - from.frame) / (float)(to.frame - from.frame);
            struct key between = to;
            between.frame = f;
            for (int k = 0; k < 4; k++)
                between.sides[k] = from.sides[k] + (to.sides[k] - from.sides[k]) * part;
            add_truth(out, &between);
        }
        add_truth(out, &to);
        from = to;
    }
    bool whole = feof(file) != 0;
    fclose(file);
    return whole;
}

/* The Hungarian method's tables, from index 1; index 0 is the row that is being added. Behind the
 * columns there is one for each row that stands for "none". */
struct assignment {
    const double *gain;
    int rows, columns, all; /* `all` with those for "none" */
    double *row_price, *column_price, *least;
    int *row_of, *way;
    bool *used;
};

static double cost(const struct assignment *a, int row, int column)
{
    bool none = column > a->columns;
    return none ? 0 : -a->gain[(size_t)(row - 1) * (size_t)a->columns + (size_t)(column - 1)];
}

/* Takes the column that is cheapest to reach from those reached so far, and moves the prices so
 * that the way to it costs nothing. */
static int reach_next(struct assignment *a, int column)
{
    int row = a->row_of[column];
    int next = 0;
    double delta = 1e18;
    a->used[column] = true;
    for (int c = 1; c <= a->all; c++) {
        if (a->used[c])
            continue;
        double more = cost(a, row, c) - a->row_price[row] - a->column_price[c];
        if (more < a->least[c]) {
            a->least[c] = more;
            a->way[c] = column;
        }
        if (a->least[c] < delta) {
            delta = a->least[c];
            next = c;
        }
    }
    for (int c = 0; c <= a->all; c++) {
        if (a->used[c]) {
            a->row_price[a->row_of[c]] += delta;
            a->column_price[c] -= delta;
        } else {
            a->least[c] -= delta;
        }
    }
    return next;
}

static void add_row(struct assignment *a, int row)
{
    int column = 0;
    a->row_of[0] = row;
    for (int c = 0; c <= a->all; c++) {
        a->least[c] = 1e18;
        a->used[c] = false;
    }
    do
        column = reach_next(a, column);
    while (a->row_of[column] != 0);
    for (; column != 0; column = a->way[column])
        a->row_of[column] = a->row_of[a->way[column]];
}

void mot_assign(const double *gain, int rows, int columns, int *column_of)
{
    size_t room = (size_t)rows + (size_t)columns + 1;
    struct assignment a = {
        .gain = gain,
        .rows = rows,
        .columns = columns,
        .all = columns + rows,
        .row_price = zeros(room, sizeof(double)),
        .column_price = zeros(room, sizeof(double)),
        .least = zeros(room, sizeof(double)),
        .row_of = zeros(room, sizeof(int)),
        .way = zeros(room, sizeof(int)),
        .used = zeros(room, sizeof(bool)),
    };
    for (int r = 1; r <= rows; r++)
        add_row(&a, r);
    for (int r = 0; r < rows; r++)
        column_of[r] = -1;
    for (int c = 1; c <= columns; c++)
        if (a.row_of[c] != 0 && cost(&a, a.row_of[c], c) < 0)
            column_of[a.row_of[c] - 1] = c - 1;
    free(a.row_price);
    free(a.column_price);
    free(a.least);
    free(a.row_of);
    free(a.way);
    free(a.used);
}

static uint32_t greatest_id(const struct mot_sequence *sequence)
{
    uint32_t greatest = 0;
    for (int f = 0; f < MOT_FRAMES; f++)
        for (int i = 0; i < sequence->frames[f].count; i++)
            if (sequence->frames[f].items[i].track_id > greatest)
                greatest = sequence->frames[f].items[i].track_id;
    return greatest;
}

static bool match(const struct detection *a, const struct detection *b)
{
    return mot_same_kind(a->class_id, b->class_id) && box_iou(a, b) >= matching_iou;
}

struct follower {
    uint32_t id; /* 0: never followed */
    int frame;   /* when it was last */
};

/* Pairs of one frame: who followed a true track in the frame before goes on when it still can. */
static void pair_frame(const struct mot_frame *truth, const struct mot_frame *tracked,
                       const struct follower *followers, int *match_of)
{
    double *gain = zeros((size_t)truth->count * (size_t)tracked->count, sizeof *gain);
    for (int t = 0; t < truth->count; t++)
        for (int h = 0; h < tracked->count; h++) {
            const struct detection *a = &truth->items[t], *b = &tracked->items[h];
            if (b->track_id == 0 || !match(a, b))
                continue;
            bool goes_on = followers[a->track_id].id == b->track_id;
            gain[t * tracked->count + h] = (double)box_iou(a, b) + (goes_on ? 1000 : 0);
        }
    mot_assign(gain, truth->count, tracked->count, match_of);
    free(gain);
}

static int count_boxes(const struct mot_frame *frame)
{
    int count = 0;
    for (int i = 0; i < frame->count; i++)
        count += frame->items[i].track_id != 0;
    return count;
}

static void score_frame(const struct mot_frame *truth, const struct mot_frame *tracked, int frame,
                        struct follower *followers, struct mot_scores *out)
{
    int *match_of = zeros((size_t)truth->count, sizeof *match_of);
    int matched = 0;
    pair_frame(truth, tracked, followers, match_of);
    for (int t = 0; t < truth->count; t++) {
        if (match_of[t] < 0)
            continue;
        struct follower *before = &followers[truth->items[t].track_id];
        uint32_t id = tracked->items[match_of[t]].track_id;
        matched++;
        out->switches += before->id != 0 && before->id != id;
        out->fragments += before->id != 0 && before->frame < frame - 1;
        *before = (struct follower){.id = id, .frame = frame};
    }
    out->truth += truth->count;
    out->missed += truth->count - matched;
    out->false_positives += count_boxes(tracked) - matched;
    free(match_of);
}

/* Over all ways to give each true track one id, the one under which most boxes are right. */
static double best_idf1(const struct mot_sequence *truth, const struct mot_sequence *tracked)
{
    int rows = (int)greatest_id(truth), columns = (int)greatest_id(tracked);
    double *gain = zeros((size_t)rows * (size_t)columns, sizeof *gain);
    int *column_of = zeros((size_t)rows, sizeof *column_of);
    int boxes = 0;
    double right = 0;
    for (int f = 0; f < MOT_FRAMES; f++) {
        const struct mot_frame *a = &truth->frames[f], *b = &tracked->frames[f];
        boxes += a->count + count_boxes(b);
        for (int t = 0; t < a->count; t++)
            for (int h = 0; h < b->count; h++)
                if (b->items[h].track_id != 0 && match(&a->items[t], &b->items[h]))
                    gain[((int)a->items[t].track_id - 1) * columns + (int)b->items[h].track_id -
                         1]++;
    }
    mot_assign(gain, rows, columns, column_of);
    for (int r = 0; r < rows; r++)
        if (column_of[r] >= 0)
            right += gain[r * columns + column_of[r]];
    free(gain);
    free(column_of);
    return boxes > 0 ? 2 * right / boxes : 0;
}

static int count_ids(const struct mot_sequence *tracked)
{
    uint32_t greatest = greatest_id(tracked);
    bool *there = zeros((size_t)greatest + 1, sizeof *there);
    int count = 0;
    for (int f = 0; f < MOT_FRAMES; f++)
        for (int i = 0; i < tracked->frames[f].count; i++)
            there[tracked->frames[f].items[i].track_id] = true;
    for (uint32_t id = 1; id <= greatest; id++)
        count += there[id];
    free(there);
    return count;
}

void mot_score(const struct mot_sequence *truth, const struct mot_sequence *tracked,
               struct mot_scores *out)
{
    struct follower *followers = zeros((size_t)greatest_id(truth) + 1, sizeof *followers);
    *out = (struct mot_scores){.tracks = count_ids(tracked)};
    for (int f = 0; f < MOT_FRAMES; f++)
        score_frame(&truth->frames[f], &tracked->frames[f], f, followers, out);
    if (out->truth > 0)
        out->mota =
            1 - (double)(out->missed + out->false_positives + out->switches) / (double)out->truth;
    out->idf1 = best_idf1(truth, tracked);
    free(followers);
}
