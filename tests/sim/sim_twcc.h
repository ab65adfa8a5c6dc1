/* The receiver's side of transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-
 * extensions-01): notes when packets arrive and writes feedback as a browser does, with run length
 * and status vector chunks. A packet that comes late moves the window back, so that what was
 * reported already is reported again (libwebrtc, remote_estimator_proxy.cc). */
#ifndef OW_TESTS_SIM_TWCC_H
#define OW_TESTS_SIM_TWCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIM_TWCC_PACKETS = 4096,
    SIM_TWCC_BACK_US = 500000, /* how long arrivals are kept to be reported again */
    SIM_TWCC_MAX_BYTES = 1100, /* of one feedback packet */
};

struct sim_twcc {
    int64_t arrivals_us[SIM_TWCC_PACKETS]; /* by unwrapped number; 0 = not received */
    int64_t begin, end;                    /* kept: [begin, end), unwrapped numbers */
    int64_t window;                        /* the next feedback begins here */
    bool started;
    uint8_t feedback_count;
};

/* Unwraps a 16-bit number to the one nearest to `near`. */
int64_t sim_unwrap(int64_t near, uint16_t number);

void sim_twcc_arrived(struct sim_twcc *twcc, int64_t now_us, uint16_t sequence);
/* Writes the next feedback packet; returns its size, 0 when there is nothing to report. To be
 * called until then. `out` holds SIM_TWCC_MAX_BYTES. */
size_t sim_twcc_write(struct sim_twcc *twcc, uint8_t *out, uint32_t sender_ssrc,
                      uint32_t media_ssrc);

#endif
