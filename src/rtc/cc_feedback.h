/* What was sent, by transport-wide sequence number, and what transport-wide feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01) says became of it. */
#ifndef OW_RTC_CC_FEEDBACK_H
#define OW_RTC_CC_FEEDBACK_H

#include "rtc/rtcp.h"

enum { CC_RECORDS = 2048, CC_MAX_OWN_MS = 250 };

/* A datagram that leaves. */
struct cc_packet {
    int64_t send_us;
    uint16_t sequence; /* transport-wide */
    uint16_t bytes;    /* of the datagram, without IP and UDP headers */
    uint16_t probe;    /* cc_probe.id of the cluster that it belongs to, 0 = none */
    bool padding;      /* sent for the probe's sake only */
    uint32_t frame;    /* counts video frames; packets of one frame may leave back to back */
};

enum cc_fate {
    CC_EMPTY,
    CC_IN_FLIGHT,
    CC_PASSED_OVER, /* later ones were reported on, this one was not: its report was lost */
    CC_LOST,
    CC_RECEIVED
};

/* A packet on its way, in twelve bytes: thousands of viewers have a ring of these each. */
struct cc_record {
    uint32_t send_us; /* modulo 2^32 */
    uint16_t sequence;
    uint16_t bytes;
    uint8_t frame; /* modulo 256 */
    uint8_t probe; /* modulo 256 */
    uint8_t own_ms;
    uint8_t fate; /* enum cc_fate */
};

struct cc_feedback {
    struct cc_record records[CC_RECORDS];
    int64_t last_send_us;
    int64_t arrival_offset_us; /* unrolls the 24-bit reference time, about twelve days a turn */
    int32_t last_reference;
    uint32_t in_flight_bytes; /* sent after the newest packet that was reported on */
    uint16_t newest_reported;
    bool any_sent, any_reported;
};

/* What became of one packet. */
struct cc_result {
    int64_t send_us, arrival_us; /* two clocks */
    uint32_t bytes;
    uint8_t frame, probe, own_ms;
    uint32_t unreported_bytes; /* sent before it, whose report was lost */
    bool received;
    bool again; /* it had been reported as lost before */
};

void cc_feedback_init(struct cc_feedback *feedback);
/* own_ms: how long the sender's own burst before it makes it wait, at the target's rate. */
void cc_feedback_sent(struct cc_feedback *feedback, const struct cc_packet *packet, int own_ms);

/* Begins to read a TRANSPORT_FEEDBACK. OW_EPARSE when malformed. */
int cc_feedback_begin(struct cc_feedback *feedback, struct rtcp_status_reader *reader,
                      const struct rtcp_packet *packet);
/* The next packet whose fate is news; repeated, forged and outdated statuses are stepped over. */
bool cc_feedback_next(struct cc_feedback *feedback, struct rtcp_status_reader *reader,
                      struct cc_result *out);

#endif
