/* The session of a model alone, on values that do not change: what the rest is measured against. */
#ifndef OW_BENCH_BARE_H
#define OW_BENCH_BARE_H

#include "vision/model.h"
#include "vision/session.h"

#include <stddef.h>

struct bare {
    struct ort_session *session;
    void *values;
    int64_t dims[4];
};

/* Of the file and the input size of `info`, with one picture a run, and run some times. Errors as
 * ort_session_open(), and OW_EUNSUPPORTED for a fixed batch. */
int bare_open(struct bare *bare, const struct model_info *info, int threads, struct reason *why);
void bare_close(struct bare *bare);

/* So many runs; how long they took is added to *took_us. */
int bare_run(struct bare *bare, int runs, int64_t *took_us, struct reason *why);

/* The middle one; they are sorted. */
double median_of(double *values, size_t count);

#endif
