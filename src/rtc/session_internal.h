/* The state of a session, shared by the session_*.c files and nobody else. */
#ifndef OW_RTC_SESSION_INTERNAL_H
#define OW_RTC_SESSION_INTERNAL_H

#include "rtc/cc.h"
#include "rtc/dtls_srtp.h"
#include "rtc/history.h"
#include "rtc/pacer.h"
#include "rtc/rtp_header.h"
#include "rtc/session.h"

enum {
    SESSION_RESEND_QUEUE = 256,
    SESSION_LABEL_BYTES = 64,
    SESSION_CLOSE_TEXT_BYTES = 160,
};

enum session_phase { PHASE_CONNECTING, PHASE_CONNECTED, PHASE_CLOSING, PHASE_CLOSED };

/* A stream of RTP packets: the video or its retransmissions. */
struct rtp_stream {
    uint8_t payload_type;
    uint32_t ssrc;
    uint16_t sequence; /* of the next packet */
};

struct rtc_session {
    /* fixed by offer and answer */
    char *answer;
    char label[SESSION_LABEL_BYTES];
    uint8_t extension_id[SDP_EXT_COUNT];
    char mid[SDP_MID_BYTES];
    enum video_codec codec;
    bool has_rtx;
    uint16_t playout_max_10ms;
    uint32_t rtp_offset;
    int64_t wall_minus_now_us;

    struct ice_agent *ice;
    struct dtls_transport *dtls;
    struct srtp_link *srtp; /* NULL before DTLS is up */
    enum session_phase phase;
    int64_t created_us,
        path_since_us; /* path_since_us: INT64_MAX before there is a selected pair */

    /* events that wait to be polled */
    enum ice_state reported_ice_state;
    bool connected_pending, key_wanted, bye_pending;
    bool silent; /* closing without a word: there is no consent to send any more */
    int64_t key_asked_us;
    int reported_target_bps;
    int64_t target_reported_us;
    char close_text[SESSION_CLOSE_TEXT_BYTES];

    /* media */
    struct rtp_stream video, rtx;
    uint16_t transport_sequence;
    struct pacer pacer;
    struct history history;
    struct cc cc;
    uint16_t resend[SESSION_RESEND_QUEUE]; /* sequence numbers, a ring */
    int resend_first, resend_count;
    bool stamp_capture; /* the frame that is leaving carries its capture time */
    int64_t capture_stamped_us;
    bool heard_report;     /* the peer reports on our SSRC: it needs no mid any more */
    int64_t report_due_us; /* next sender report; INT64_MAX before the first frame */
    int64_t key_sent_us;
    uint32_t report_packets, report_bytes;

    /* from the peer */
    int64_t report_round_trip_us; /* 0 = not known */
    int fir_number;               /* last command number, -1 = none */
    double jitter_ms;

    struct rate_meter sent;
    struct rtc_session_stats counters; /* only the counting fields are kept here */
};

/* session.c */
int64_t session_round_trip_us(const struct rtc_session *session); /* 0 = not known */
void session_want_key(struct rtc_session *session);
/* Ends the session; with `tell_peer` BYE and close_notify leave first. */
void session_close(struct rtc_session *session, const char *reason, bool tell_peer);

/* session_feedback.c: an SRTCP datagram of the peer. */
void session_receive_rtcp(struct rtc_session *session, int64_t now_us, const uint8_t *data,
                          size_t size);

/* session_media.c: the next media or report datagram that is due, into out->data and out->size.
 * OW_EAGAIN when there is none. */
int session_poll_media(struct rtc_session *session, int64_t now_us, struct rtc_output *out);
int session_poll_bye(struct rtc_session *session, int64_t now_us, struct rtc_output *out);
int64_t session_media_deadline(const struct rtc_session *session);

#endif
