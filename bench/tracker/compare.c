/* Our tracker beside others on the same detections: tracker_compare FOLDER (tests/data/vtest).
 * Everything is exact and the same on every machine but for the times at the end. */
#include "core/clock.h"
#include "core/error.h"
#include "mot_run.h"
#include "rivals.h"
#include "vision/tracker.h"

#include <stdio.h>
#include <stdlib.h>

enum { THRESHOLDS = 5, DEMO = 1, ROWS = 13, OBJECTS_MAX = 1000, ROUNDS = 100 };

static const float thresholds[THRESHOLDS] = {0.35F, 0.4F, 0.45F, 0.5F, 0.55F};

/* Frames as they are and backwards: in thirty seconds there are few crossings to judge by. */
struct footage {
    struct mot_sequence seen[2], truth[2];
};

static const struct row {
    const char *name;
    void (*run)(const struct rival *settings, const struct mot_sequence *seen,
                struct mot_sequence *out); /* NULL: ours */
    float more;                            /* what a score must have more to begin a track */
    int lost_after;
} rows[ROWS] = {
    {"ours, reported", NULL, 0, 0},
    {"ours, tracks of those", NULL, 0, 0},
    {"ours, drawn", NULL, 0, 0},
    {"SORT, kept for 1 frame", sort_run, 0, 1},
    {"SORT, kept for 1 s", sort_run, 0, 10},
    {"OC-SORT, kept for 1 s", oc_sort_run, 0, 10},
    {"OC-SORT, kept for 3 s", oc_sort_run, 0, 30},
    {"ByteTrack, kept for 1 s", byte_run, 0, 10},
    {"ByteTrack, kept for 3 s", byte_run, 0, 30},
    {"ByteTrack, begun 0.1 higher, 1 s", byte_run, 0.1F, 10},
    {"ByteTrack, begun 0.1 higher, 3 s", byte_run, 0.1F, 30},
    {"BoT-SORT, begun 0.1 higher, 1 s", bot_sort_run, 0.1F, 10},
    {"BoT-SORT, begun 0.1 higher, 3 s", bot_sort_run, 0.1F, 30},
};

struct sum {
    double runs, switches, fragments, ids, mota, idf1, missed, false_positives;
};

static void add(struct sum *sum, const struct mot_sequence *truth, struct mot_sequence *tracked)
{
    struct mot_scores scores;
    mot_score(truth, tracked, &scores);
    sum->runs++;
    sum->switches += scores.switches;
    sum->fragments += scores.fragments;
    sum->ids += scores.tracks;
    sum->mota += scores.mota;
    sum->idf1 += scores.idf1;
    sum->missed += scores.missed;
    sum->false_positives += scores.false_positives;
    mot_free(tracked);
}

static void run(const struct footage *footage, int backwards, float threshold,
                struct sum sums[ROWS])
{
    static struct mot_result ours;
    static struct mot_sequence other;
    const struct mot_sequence *truth = &footage->truth[backwards];
    mot_run(&footage->seen[backwards], threshold, &ours);
    add(&sums[0], truth, &ours.reported);
    add(&sums[1], truth, &ours.filtered);
    add(&sums[2], truth, &ours.drawn);
    for (int i = 3; i < ROWS; i++) {
        const struct rival settings = {threshold, threshold + rows[i].more, rows[i].lost_after};
        rows[i].run(&settings, &footage->seen[backwards], &other);
        add(&sums[i], truth, &other);
    }
}

static void print(const char *title, const struct sum sums[ROWS])
{
    printf("%-34s %8s %6s %6s %6s %6s %6s %6s\n", title, "switches", "fragm.", "ids", "MOTA",
           "IDF1", "missed", "false");
    for (int i = 0; i < ROWS; i++) {
        const struct sum *s = &sums[i];
        printf("%-34s %8.1f %6.1f %6.1f %6.3f %6.3f %6.0f %6.0f\n", rows[i].name,
               s->switches / s->runs, s->fragments / s->runs, s->ids / s->runs, s->mota / s->runs,
               s->idf1 / s->runs, s->missed / s->runs, s->false_positives / s->runs);
    }
    puts("");
}

static void print_foresight(const struct footage *footage)
{
    static const struct {
        int every, ahead;
    } cases[] = {{1, 1}, {2, 1}, {2, 2}, {3, 3}};
    static const char *const names[] = {[MOT_TRACKER] = "ours",
                                        [MOT_STILL] = "unmoved",
                                        [MOT_TRUE_WAY] = "true way",
                                        [MOT_TRUTH] = "true box"};
    enum { FORESEERS = sizeof names / sizeof *names };
    printf("%-34s %8s", "IoU with the later detection", "boxes");
    for (int k = 0; k < FORESEERS; k++)
        printf(" %8s %6s", names[k], "p10");
    puts("");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int k = 0; k < FORESEERS; k++) {
            struct mot_foresight made;
            mot_foresee(&footage->truth[0], &footage->seen[0], thresholds[DEMO], cases[i].every,
                        cases[i].ahead, (enum mot_foreseer)k, &made);
            if (k == 0)
                printf("model every %d00 ms, %d00 ms ahead    %8d", cases[i].every, cases[i].ahead,
                       made.count);
            printf(" %8.3f %6.3f", made.median, made.low);
        }
        puts("");
    }
    puts("");
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Objects in rows that overlap a little, each on its way. */
static void print_time(int objects)
{
    int64_t update_us[ROUNDS], predict_us[ROUNDS];
    struct tracker *tracker = NULL;
    struct detections *in = NULL, *out = NULL;
    if (tracker_create(&tracker) != OW_OK || detections_create(&in, objects, NULL) != OW_OK)
        exit(1);
    in->source_width = in->source_height = 4000;
    for (int round = 0; round < ROUNDS; round++) {
        in->capture_us = (int64_t)round * MOT_STEP_US;
        for (int i = 0; i < objects; i++) {
            int row = i / 40;
            float x = (float)(i % 40 * 60 + round * (i % 7)), y = (float)(row * 100);
            in->items[i] = (struct detection){
                .confidence = 0.9F, .x1 = x, .y1 = y, .x2 = x + 64, .y2 = y + 130};
        }
        int64_t start_us = clock_now_us();
        if (tracker_update(tracker, in, 0.4F, &out) != OW_OK)
            exit(1);
        detections_unref(&out);
        int64_t middle_us = clock_now_us();
        if (tracker_predict(tracker, in->capture_us + 1000, &out) != OW_OK)
            exit(1);
        update_us[round] = middle_us - start_us;
        predict_us[round] = clock_now_us() - middle_us;
        detections_unref(&out);
    }
    qsort(update_us, ROUNDS, sizeof *update_us, compare);
    qsort(predict_us, ROUNDS, sizeof *predict_us, compare);
    printf("%4d objects: update p50 %lld us, p95 %lld us; predict p50 %lld us, p95 %lld us\n",
           objects, (long long)update_us[ROUNDS / 2], (long long)update_us[ROUNDS * 95 / 100],
           (long long)predict_us[ROUNDS / 2], (long long)predict_us[ROUNDS * 95 / 100]);
    tracker_destroy(&tracker);
    detections_unref(&in);
}

int main(int argc, char **argv)
{
    static struct footage footage;
    struct sum demo[ROWS] = {0}, all[ROWS] = {0};
    if (argc != 2 || !mot_read_detections(&footage.seen[0], argv[1]) ||
        !mot_read_tracks(&footage.truth[0], argv[1])) {
        fprintf(stderr, "tracker_compare FOLDER: needs detections.csv and tracks.csv there\n");
        return 1;
    }
    mot_reverse(&footage.seen[0], &footage.seen[1]);
    mot_reverse(&footage.truth[0], &footage.truth[1]);
    run(&footage, 0, thresholds[DEMO], demo);
    for (int backwards = 0; backwards < 2; backwards++)
        for (int t = 0; t < THRESHOLDS; t++)
            run(&footage, backwards, thresholds[t], all);
    print("confidence 0.4, as the demo has it", demo);
    print("mean of 10: 0.35 to 0.55, both ways", all);
    print_foresight(&footage);
    print_time(20);
    print_time(300);
    print_time(OBJECTS_MAX);
    for (int i = 0; i < 2; i++) {
        mot_free(&footage.seen[i]);
        mot_free(&footage.truth[i]);
    }
    return 0;
}
