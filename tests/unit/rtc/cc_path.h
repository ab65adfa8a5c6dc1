/* A small path for congestion control to be tried on: senders of video frames, one shaped link with
 * a drop-tail queue, receivers that send transport-wide feedback. Virtual time, seeded. */
#ifndef OW_TEST_CC_PATH_H
#define OW_TEST_CC_PATH_H

#include "rtc/cc.h"

enum { PATH_SENDERS = 3, PATH_QUEUE = 4096, PATH_ARRIVALS = 1024, PATH_SECONDS = 200 };

struct path_sender {
    struct cc cc;
    int64_t start_us, stop_us; /* sends in between */
    double fps;
    double demand_bps; /* the encoder makes no more; 0 = whatever the target is */
    /* state */
    uint16_t sequence;
    uint32_t frame;
    int64_t next_frame_us;
    struct path_burst {
        size_t bytes;       /* of the frame, still to be sent */
        int64_t capture_us; /* of that frame */
    } pending[64];
    int pending_first, pending_count;
    double tokens;
    struct cc_probe probe;
    size_t probe_bytes;
    int probe_packets;
    int64_t probe_start_us;
    /* the receiver */
    struct path_arrival {
        uint16_t sequence;
        int64_t arrival_us;
    } arrivals[PATH_ARRIVALS];
    int arrival_count;
    uint16_t reported; /* the next sequence number to report on */
    int64_t next_feedback_us;
    struct path_feedback {
        int64_t due_us;
        uint16_t base, count;
        int32_t reference;
        uint16_t size;
        uint8_t items[1800];
    } feedback[16];
    int feedback_first, feedback_count;
    /* what was seen */
    double sent_bits[PATH_SECONDS], received_bits[PATH_SECONDS];
    float queue_ms[PATH_SECONDS * 4000 / 20]; /* of every packet */
    int queue_count;
    struct path_frame_delay {
        float at_s, delay_ms;
    } frames[PATH_SECONDS * 61];
    int frame_count;
    uint64_t lost, sent;
    int probes;
    int64_t held_us;
    double target_trace[PATH_SECONDS * 10]; /* each 100 ms */
};

struct path {
    int64_t now_us;
    uint64_t seed;
    double rate_bps, burst_bytes;
    int64_t queue_limit_us, base_us, jitter_us, feedback_us;
    double loss;
    bool lose_feedback; /* the way back is dead */
    double tokens;
    size_t queued_bytes;
    struct path_packet {
        int64_t send_us, entered_us, capture_us;
        uint16_t sequence, bytes;
        uint8_t sender;
        bool last;
    } queue[PATH_QUEUE];
    int queue_first, queue_count;
    int sender_count;
    struct path_sender senders[PATH_SENDERS];
};

/* malloc'ed; a path of `rate_bps`, 300 ms of queue, base_us one way, feedback each 70 ms. */
struct path *path_new(double rate_bps, int64_t base_us, int sender_count,
                      const struct cc_settings *settings);
void path_run(struct path *path, int64_t until_us);

/* Of sender `index`, between two times in seconds. */
double path_rate(const struct path *path, int index, int from_s, int to_s); /* received, bit/s */
double path_frame_delay(const struct path *path, int index, double from_s, double to_s,
                        double quantile); /* ms above the base delay */
double path_worst_second(const struct path *path, int index, double from_s, double to_s);
/* Seconds after `from_s` until every quarter second's median frame delay is below limit_ms. */
double path_settled(const struct path *path, int index, double from_s, double to_s,
                    double limit_ms);
/* Seconds after `from_s` until the target was `bps` or more; 1e9 = never. */
double path_reached(const struct path *path, int index, double from_s, double bps);
double path_lowest(const struct path *path, int index, double from_s, double to_s); /* target */

#endif
