/* Durations of one operation: totals since the last reset and percentiles over the latest samples.
 * Thread-safe; adding costs a lock and a store. */
#ifndef OW_CORE_PERF_H
#define OW_CORE_PERF_H

#include <stdint.h>

/* The operations that /performance speaks of, in the order of the way of a frame. */
#define PERF_OPERATION_LIST(X)                                                                     \
    X(PERF_DECODE, "decode")                                                                       \
    X(PERF_PREPROCESS, "preprocess")                                                               \
    X(PERF_INFERENCE, "model_inference")                                                           \
    X(PERF_POSTPROCESS, "postprocess")                                                             \
    X(PERF_XRAY, "xray_visualization")                                                             \
    X(PERF_H264, "h264_encoding")                                                                  \
    X(PERF_JPEG, "jpeg_encoding")                                                                  \
    X(PERF_SEND, "packetize_send")                                                                 \
    X(PERF_GLASS_TO_ENCODER, "glass_to_encoder")

enum perf_operation {
#define PERF_ENUM(id, name) id,
    PERF_OPERATION_LIST(PERF_ENUM)
#undef PERF_ENUM
        PERF_OPERATION_COUNT
};

const char *perf_operation_name(enum perf_operation operation);

struct perf_summary {
    uint64_t count; /* 0: all the rest is 0 */
    double avg_ms, min_ms, max_ms, p50_ms, p95_ms, p99_ms, std_ms;
};

/* How many took at most so long, since the start (perf_reset() leaves it alone): what a collector
 * that asks again and again wants. */
enum { PERF_BUCKETS = 13 };
extern const double perf_bucket_ms[PERF_BUCKETS]; /* the last is infinite */
struct perf_histogram {
    uint64_t counts[PERF_BUCKETS]; /* each holds those before it, so the last is all */
    double sum_ms;
};

/* One process-wide recorder: the operations are few and the figures are the process's. */
void perf_add(enum perf_operation operation, int64_t duration_us);
void perf_read(enum perf_operation operation, struct perf_summary *out);
void perf_read_histogram(enum perf_operation operation, struct perf_histogram *out);
void perf_reset(void);

#endif
