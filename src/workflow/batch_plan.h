/* How many of the pictures that wait for a model are run together: decided by what runs of each
 * size were measured to take here, since it is the model and what it runs on that decide. Pure:
 * time is an argument.
 *
 * Latency counts, not the rate alone: what is known of a source is on average as old as its run
 * took and half the time between two of its runs. With `waiting` sources in runs of n pictures,
 * each of t(n), that is t(n) * (1 + waiting / (2n)); more pictures are taken together where that is
 * shorter by a tenth than one by one. Of two pictures a run may so take 1.2 times as long as of
 * one, with sixteen sources 1.6 times; sixteen of sixteen are taken where they take less than 5.4
 * times as long. On a CPU, where n pictures take about n times as long, it never is; a run of two
 * is tried now and then all the same. */
#ifndef OW_WORKFLOW_BATCH_PLAN_H
#define OW_WORKFLOW_BATCH_PLAN_H

#include <stdint.h>

enum {
    BATCH_SIZES = 5, /* 1, 2, 4, 8, 16: few shapes, for some providers prepare each for long */
    BATCH_SAMPLES = 5,
    BATCH_RETRY_US = 60000000, /* what was measured before is not believed any more */
};

struct batch_plan {
    int least, most;
    struct {
        int64_t took_us[BATCH_SAMPLES]; /* a ring of the last */
        int64_t measured_us;            /* when the last came */
        int count;
    } sizes[BATCH_SIZES];
};

/* Of a model whose run takes `least` to `most` pictures and costs no less with fewer than `least`:
 * with a fixed batch there is nothing to measure. */
void batch_plan_init(struct batch_plan *plan, int least, int most);

/* How many of `waiting` (1 or more) pictures to take together now. */
int batch_plan_choose(const struct batch_plan *plan, int waiting, int64_t now_us);

/* A run of so many pictures took so long in all. */
void batch_plan_record(struct batch_plan *plan, int pictures, int64_t took_us, int64_t now_us);

/* A run of so many pictures failed: no more than half of them from now on. */
void batch_plan_fail(struct batch_plan *plan, int pictures);

#endif
