/* The state of a session, shared by the session_*.c files and nobody else. */
#ifndef OW_RTC_SESSION_INTERNAL_H
#define OW_RTC_SESSION_INTERNAL_H

#include "rtc/cc.h"
#include "rtc/data_channel.h"
#include "rtc/dtls_srtp.h"
#include "rtc/history.h"
#include "rtc/pacer.h"
#include "rtc/rtp_header.h"
#include "rtc/session.h"
#include "rtc/tier.h"

enum {
    SESSION_RESENDS = 128,
    SESSION_COPIES = 256, /* a power of two */
    SESSION_LABEL_BYTES = 64,
    SESSION_CLOSE_TEXT_BYTES = 240,
};

enum session_phase { PHASE_CONNECTING, PHASE_CONNECTED, PHASE_CLOSING, PHASE_CLOSED };

/* A stream of RTP packets: the video or its retransmissions. */
struct rtp_stream {
    uint8_t payload_type;
    uint32_t ssrc;
    uint16_t sequence; /* of the next packet */
};

/* Packets to be sent once more, in the order of their time. */
struct session_resends {
    struct session_resend {
        int64_t due_us;
        uint16_t sequence; /* of the original */
    } items[SESSION_RESENDS];
    int first, count;
};

/* A repetition on its way, by its transport-wide sequence number. */
struct session_copy {
    uint16_t transport_sequence, original;
    bool open;
};

/* The probe cluster that is being sent. */
struct session_probe {
    bool active;
    struct cc_probe plan;
    int64_t taken_us, start_us; /* start: of its first packet */
    size_t bytes;
    int packets;
    uint16_t padding_back; /* how far behind the newest packet padding is taken from next */
};

/* Whether the path drops what comes at once: found out by trying small bursts. */
enum session_burst_size { BURST_WHOLE, BURST_TRIED, BURST_SMALL };

struct session_burst {
    enum session_burst_size size;
    int64_t again_us;   /* not to be tried again, or to be given up, before */
    double loss_before; /* with whole bursts */
    double loss_tried;  /* sum of the reports since */
    int reports;
};

/* What became of the bytes sent lately; each second it counts half of what it did. */
struct session_share {
    double media, headers, repair;
    int64_t halved_us;
};

/* Forward error correction: the group of packets that is being protected. */
struct session_fec {
    struct rtp_stream stream; /* payload_type 0 = not offered */
    int64_t until_us;         /* wanted until then */
    int64_t begun_us;         /* when the first packet of the group left */
    uint16_t base;            /* its sequence number */
    int packets;              /* of the group so far; 0 = there is none */
    int rows, next_row;       /* repair packets of the complete group, and the next to leave */
};

/* A part of records that is not sent each time. */
struct told_part {
    struct metadata *record; /* in which it was sent last, own reference; NULL = in none since the
                                channel was opened */
    int since;               /* records sent since then */
};

/* Records beside the video, in a data channel. */
struct session_data {
    uint16_t port;        /* the peer's for SCTP; 0 = no data channels were offered */
    uint32_t max_message; /* that the peer takes, bytes */
    struct data_channel channel;
    bool informed;  /* a model belongs to the latest picture */
    int64_t due_us; /* a record is due then, if not each is wanted */
    struct told_part names, zones;
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
    struct session_data data;
    struct dtls_transport *dtls;
    struct srtp_link *srtp; /* NULL before DTLS is up */
    enum session_phase phase;
    int64_t created_us,
        path_since_us;   /* path_since_us: INT64_MAX before there is a selected pair */
    struct address path; /* the selected pair's, for noticing a change */
    bool heard_check;    /* authentic STUN has arrived */
    int64_t heard_us;    /* when anything authentic arrived last */
    int64_t feedback_us; /* and when the last RTCP did */

    /* events that wait to be polled */
    enum ice_state reported_ice_state;
    bool connected_pending, key_wanted, bye_pending;
    bool silent; /* closing without a word: there is no consent to send any more */
    int64_t key_asked_us;
    int reported_target_bps;
    int64_t target_reported_us;
    int64_t reported_hold_us;
    char close_text[SESSION_CLOSE_TEXT_BYTES];

    struct tier tier;
    bool tier_pending; /* the event */

    /* media */
    struct rtp_stream video, rtx;
    uint16_t transport_sequence;
    struct pacer pacer;
    struct history history;
    struct cc cc;
    struct session_resends resends;     /* asked for by NACK */
    struct session_resends copies;      /* further copies, and copies of frames' last packets */
    struct session_resends late_copies; /* unless one has arrived by then */
    struct session_copy sent_copies[SESSION_COPIES];
    int64_t copy_sent_us; /* the last of them; INT64_MIN / 2 = never */
    struct session_fec fec;
    struct session_probe probe;
    struct session_share share;
    struct session_burst burst;
    uint32_t frame_number;  /* of the frame that is leaving; the first is 1 */
    uint32_t timestamp;     /* its RTP timestamp */
    uint64_t video_packets; /* sent so far, whose numbers run from 0 */
    uint64_t key_begun_at;  /* number of the first packet of the latest key frame */
    uint64_t key_at;    /* what was sent before is of no use: a whole key frame has left, or will */
    bool returning;     /* it was away: no hold applies to the key frame that it gets */
    int64_t anew_us;    /* when all that was sent was last given up */
    bool stamp_capture; /* the frame that is leaving carries its capture time */
    int64_t capture_stamped_us;
    bool heard_report;                  /* the peer reports on our SSRC: it needs no mid any more */
    int64_t report_due_us;              /* next sender report; INT64_MAX before the first frame */
    int64_t key_sent_us, media_sent_us; /* INT64_MIN = never */
    uint32_t report_packets, report_bytes;

    /* from the peer */
    int64_t report_round_trip_us; /* 0 = not known */
    int fir_number;               /* last command number, -1 = none */
    double jitter_ms;
    double loss_average;   /* of its reports, -1 before the first */
    uint64_t lost_packets; /* that it asked for */
    int64_t asked_us;      /* when it last asked for packets; INT64_MIN / 2 = never */
    double repair_bytes;   /* resent lately, less half of what could have been sent since */
    int64_t repair_bytes_us;
    int64_t queue_seen_us; /* when the path's queue was last long enough to run over */

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
/* PLI, FIR, a NACK that comes too late: unless a key frame has just left that meets the wish. */
void session_on_key_wish(struct rtc_session *session, int64_t now_us);

/* session_rate.c: what the path takes, and what follows from it. */
void session_rate_init(struct rtc_session *session, int64_t now_us);
/* To be called after everything that may have changed the rate control's mind. */
void session_rate_changed(struct rtc_session *session, int64_t now_us);
/* A datagram of `bytes` left of which `media` are video for the first time. */
void session_count_share(struct rtc_session *session, int64_t now_us, size_t bytes, size_t media,
                         bool repair);
/* RTC_OUTPUT_TARGET_BPS or RTC_OUTPUT_HOLD when there is news. */
int session_poll_rate(struct rtc_session *session, int64_t now_us, struct rtc_output *out);
/* Does the cluster under way want a packet now? */
bool session_probe_is_due(const struct rtc_session *session, int64_t now_us);
/* When it wants its next one, or ends for want of any; INT64_MAX = none is under way. */
int64_t session_probe_deadline(const struct rtc_session *session);
/* A datagram of it left. */
void session_probe_count(struct rtc_session *session, int64_t now_us, size_t bytes);

/* session_tier.c: video, or vectors. */
void session_tier_update(struct rtc_session *session, int64_t now_us);
/* The next packet of padding that is due to find out whether video would pass. */
int session_poll_padding(struct rtc_session *session, int64_t now_us, struct rtc_output *out);

/* session_data.c: the data channel and its records. */
void session_data_begin(struct rtc_session *session, int64_t now_us);
/* What a DTLS datagram brought. */
void session_data_receive(struct rtc_session *session, int64_t now_us);
/* A frame has left under session->timestamp: its record is made ready to follow it. */
void session_data_frame(struct rtc_session *session, int64_t now_us, const struct rtp_frame *frame);
/* Sends a record, with the names when they are due; returns its size. What does not fit, or finds
 * too much on its way, is left out. */
size_t session_data_send(struct rtc_session *session, struct metadata *metadata,
                         struct metadata_copy *copy);
/* Hands the next SCTP packet to DTLS; OW_EAGAIN when there is none. */
int session_poll_data(struct rtc_session *session, int64_t now_us);
void session_data_timeout(struct rtc_session *session, int64_t now_us);
int64_t session_data_deadline(const struct rtc_session *session); /* INT64_MAX = none */
void session_data_end(struct rtc_session *session);

/* session_fec.c: repair packets that are sent unasked (flexfec.h). */
/* The video packet `sequence` left, the last one of its frame or not. */
void session_fec_sent(struct rtc_session *session, int64_t now_us, uint16_t sequence, bool last);
/* Are losses repaired without a question? */
bool session_fec_in_use(const struct rtc_session *session, int64_t now_us);
/* The next repair packet that is due, into out->data and out->size. */
int session_poll_fec(struct rtc_session *session, int64_t now_us, struct rtc_output *out);
int64_t session_fec_deadline(const struct rtc_session *session); /* INT64_MAX = none */

/* session_repair.c: lost packets and lost viewers. */
void session_on_nack(struct rtc_session *session, int64_t now_us, const struct rtcp_packet *packet);
/* A repetition of `original`, a datagram of `bytes`, leaves as `transport_sequence`. */
void session_copy_sent(struct rtc_session *session, int64_t now_us, uint16_t transport_sequence,
                       uint16_t original, size_t bytes);
/* What a well-formed TRANSPORT_FEEDBACK says of them: who has lost all copies gets others without
 * asking. Receivers ask but ten times, each 100 ms whatever the round trip. */
void session_on_copies(struct rtc_session *session, int64_t now_us,
                       const struct rtcp_packet *feedback);
/* The next packet to repeat that is due; false = none. `original`: its sequence number. */
bool session_take_resend(struct rtc_session *session, int64_t now_us,
                         const struct history_packet **out, uint16_t *original);
/* One to repeat for a probe's sake. */
bool session_take_padding(struct rtc_session *session, const struct history_packet **out,
                          uint16_t *original);
int64_t session_repair_deadline(const struct rtc_session *session); /* INT64_MAX = none */
/* A frame has left, its last packet as `sequence`. */
void session_repair_frame(struct rtc_session *session, int64_t now_us,
                          const struct rtp_frame *frame, uint16_t sequence);
/* As the peer reports it, 0..1; before its first report, what it has asked for. */
double session_loss(const struct rtc_session *session);
/* Are packets lost, and not because a queue runs over? Then copies would make it worse. Without
 * transport-wide feedback nobody knows. */
bool session_loses_at_random(const struct rtc_session *session, int64_t now_us);
bool session_is_far(const struct rtc_session *session);
/* Did it ask for packets lately? */
bool session_is_losing(const struct rtc_session *session, int64_t now_us);
/* The peer reported its loss since the last report. */
void session_learn_burst(struct rtc_session *session, int64_t now_us, double loss);
/* Remembers when the path's queue was long. */
void session_watch_queue(struct rtc_session *session, int64_t now_us);
/* Something authentic arrived. */
void session_heard(struct rtc_session *session, int64_t now_us);
/* The selected pair is another one. */
void session_path_changed(struct rtc_session *session, int64_t now_us);
/* Forgets all that waits and was sent. */
void session_forget_media(struct rtc_session *session);

/* session_media.c: the next media or report datagram that is due, into out->data and out->size.
 * OW_EAGAIN when there is none. */
int session_poll_media(struct rtc_session *session, int64_t now_us, struct rtc_output *out);
/* The header extensions of a packet that leaves now, but for mid and capture time. */
struct rtp_extensions session_extensions(const struct rtc_session *session, int64_t now_us);
/* NTP time of a frame's capture. */
uint64_t session_capture_ntp(const struct rtc_session *session, const struct rtp_frame *frame);
/* A datagram of `bytes` left under the next transport-wide sequence number, of which `media` are
 * video for the first time. */
enum session_datagram { DATAGRAM_VIDEO, DATAGRAM_REPAIR, DATAGRAM_PADDING };
void session_count_datagram(struct rtc_session *session, int64_t now_us, enum session_datagram kind,
                            size_t bytes, size_t media);
int session_poll_bye(struct rtc_session *session, int64_t now_us, struct rtc_output *out);
int64_t session_media_deadline(const struct rtc_session *session);

#endif
