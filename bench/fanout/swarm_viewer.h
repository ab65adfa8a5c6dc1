/* One viewer of the swarm: does what a browser does on the network and decodes nothing. ICE checks,
 * a DTLS handshake, receiver reports and transport-wide feedback are real; packets are counted by
 * their readable headers, and one in many is decrypted to see that it can be. */
#ifndef OW_BENCH_SWARM_VIEWER_H
#define OW_BENCH_SWARM_VIEWER_H

#include "swarm_channel.h"
#include "swarm_frames.h"

#include "core/random.h"
#include "rtc/srtp_link.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SWARM_DECRYPT_EVERY = 100, /* packets of a viewer */
    SWARM_ARRIVALS = 512,      /* between two feedbacks */
    SWARM_LATE_BUCKETS = 2000, /* of half a millisecond */
    SWARM_LATE_US = 50000,
    SWARM_UNKNOWN_US = 1000000, /* a packet that the first viewer has not got by then is wrong */
};

struct swarm_counts {
    uint64_t packets, bytes, lost, frames;
    uint64_t timed, late; /* frames */
    /* packets read; those that cannot be, or are not what the first viewer gets */
    uint64_t decrypted, broken;
    uint64_t records, record_bytes;
    uint32_t lateness[SWARM_LATE_BUCKETS];
    int64_t latest_us;
};

/* What all viewers share. */
struct swarm {
    SSL_CTX *context;
    struct random_source random;
    const char *ufrag, *pwd;
    int transport_cc_id;
    bool controlling;
    int records_per_10s; /* that each viewer wants; 0 = it opens no channel */
    int connected, failed;
    struct swarm_counts counts;
    struct swarm_frames frames;
    const struct swarm_viewer *first; /* whose RTP timestamps are those of the swarm */
    bool has_base;
    uint32_t base; /* the least of arrival - RTP time of all viewers, in its units */
};

struct swarm_viewer {
    struct swarm *swarm;
    int fd;
    char remote_ufrag[260], remote_pwd[260];
    SSL *ssl;                  /* NULL once connected, where no channel needs it */
    struct srtp_link *reports; /* once connected */
    struct swarm_channel channel;
    srtp_t media;
    bool answered; /* a check of ours */
    uint32_t ssrc;
    bool has_sequence;
    uint16_t highest;
    uint32_t extended, received, expected_before, received_before;
    bool aligned;
    uint32_t offset; /* its RTP timestamps - those of the first viewer */
    struct {
        uint64_t hash; /* 0 = none */
        uint32_t timestamp;
        int64_t since_us;
    } read; /* a packet that is yet to be found among those of the first viewer */
    int64_t check_us, feedback_us, report_us, created_us;
    uint8_t feedback_count;
    int arrival_count;
    struct {
        uint16_t sequence;
        int64_t us;
    } arrivals[SWARM_ARRIVALS];
};

/* The socket is connected to the server. False when it cannot be. */
bool swarm_viewer_open(struct swarm_viewer *viewer, struct swarm *swarm, const char *ufrag,
                       const char *pwd, const struct sockaddr_in *server, int64_t now_us);
void swarm_viewer_receive(struct swarm_viewer *viewer, int64_t now_us, uint8_t *data, size_t size);
/* To be called every 10 ms or so: checks, handshake, feedback. */
void swarm_viewer_tick(struct swarm_viewer *viewer, int64_t now_us);
void swarm_viewer_close(struct swarm_viewer *viewer);

#endif
