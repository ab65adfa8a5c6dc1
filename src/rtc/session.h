/* One viewer's WebRTC session: offer in, answer out; then datagrams and access units in, datagrams
 * and events out. Sans-IO and deterministic: no clock, socket, thread or system randomness; the
 * same inputs give the same outputs (but for OpenSSL's handshake, which draws its own keys, and the
 * data channel's association, see sctp_link.h).
 *
 * Contract: call one mutating function (receive, send, handle_timeout, …), then drain with
 * rtc_session_poll() until OW_EAGAIN, then arm a timer for rtc_session_deadline(). One thread at a
 * time per session. Bytes from the wire never fail the caller: they are counted and dropped. */
#ifndef OW_RTC_SESSION_H
#define OW_RTC_SESSION_H

#include "core/address.h"
#include "core/encoded.h"
#include "core/error.h"
#include "core/random.h"
#include "rtc/ice.h"

struct dtls_identity; /* the server's certificate and key, shared by all sessions (dtls_srtp.h) */
struct rtp_frame; /* an access unit cut into RTP payloads, shared by all sessions (rtp_payload.h)
                   */
struct rtc_session;

enum {
    RTC_MAX_DATAGRAM = 1500,
    RTC_MTU = 1200,
    /* What rtp_frame_cut() is to be called with. The datagram that needs most room besides is one
     * of forward error correction: RTP header (24), FEC header (20), the extensions of the packet
     * that it protects (24), protection (16). Larger payloads are not sent. */
    RTC_MAX_PAYLOAD = RTC_MTU - 24 - 20 - 24 - 16,
};

struct rtc_session_settings {
    struct dtls_identity *identity; /* lent for the session's life */
    struct random_source *random;   /* lent for the session's life */
    bool ice_lite;
    int local_candidate_count; /* where the media port can be reached */
    struct sdp_candidate
        local_candidates[SDP_MAX_LOCAL_CANDIDATES]; /* priority 0, type "" = host */
    unsigned codecs;                 /* that may be chosen: 1 << enum video_codec …, 0 = all */
    int min_bps, start_bps, max_bps; /* limits of the rate control */
    int64_t wall_minus_now_us;       /* wall clock = now_us + this, for sender reports' NTP time */
    const char *label;               /* node id, for stream id and cname */
};

/* Parses the offer and prepares everything. Errors are the page's to show: `why` is a sentence. */
int rtc_session_create(struct rtc_session **out, const struct rtc_session_settings *settings,
                       const char *offer, size_t offer_size, int64_t now_us, struct reason *why);

const char *rtc_session_answer(const struct rtc_session *session);
const char *rtc_session_local_ufrag(const struct rtc_session *session);
/* Added to an access unit's capture time in 90 kHz ticks: rtp_timestamp = capture_us * 9 / 100 +
 * offset (modulo 2^32). The page turns the timestamp of a shown frame into its age with it. */
uint32_t rtc_session_rtp_offset(const struct rtc_session *session);

/* The codec that was agreed on: rtc_session_send() takes frames of it only. */
enum video_codec rtc_session_codec(const struct rtc_session *session);

int rtc_session_add_remote_candidate(struct rtc_session *session, int64_t now_us, const char *text,
                                     size_t size);

/* Trickle ICE (RFC 8840): an "application/trickle-ice-sdpfrag" body. Candidates are added; one with
 * other ICE credentials than the peer's present ones is a restart (RFC 8445 section 9): then the
 * session takes new credentials too, the old path carries media until the new one works, and *out
 * is the malloc'ed fragment to answer with (NULL when the fragment was no restart). OW_EPARSE,
 * OW_EINVAL, OW_ENOMEM with a sentence in `why`; then nothing has changed. After a restart
 * rtc_session_local_ufrag() is another: whoever routes by it adds the new one and keeps the one
 * before, whose checks are answered until a new path carries the media. */
int rtc_session_trickle(struct rtc_session *session, int64_t now_us, const char *fragment,
                        size_t size, char **out, struct reason *why);
/* A candidate of ours that was found after the answer was made: rtc_session_answer() and the answer
 * to a restart have it from now on. OW_ELIMIT when there are SDP_MAX_LOCAL_CANDIDATES. */
int rtc_session_add_local_candidate(struct rtc_session *session,
                                    const struct sdp_candidate *candidate);
/* May datagrams leave and come through a relay (ADDRESS_RELAY)? Then every candidate of the peer is
 * tried that way, too. Not before, and no more once the relay is gone. */
void rtc_session_set_relay(struct rtc_session *session, int64_t now_us, bool available);
/* Nothing can be sent to this address any more: a TCP connection closed, a relay forbids the peer.
 * Another path that works takes over at once. Followed by polls as any change. */
void rtc_session_forget(struct rtc_session *session, int64_t now_us, const struct address *remote);

/* Other limits of the rate control, for example of another preset: what was learned of the path
 * stays. Followed by polls as any change. */
void rtc_session_set_limits(struct rtc_session *session, int64_t now_us, int min_bps, int start_bps,
                            int max_bps);

/* Any datagram that came from `from`: STUN, DTLS, SRTCP are told apart by RFC 7983. */
void rtc_session_receive(struct rtc_session *session, int64_t now_us, const struct address *from,
                         const uint8_t *data, size_t size);

/* The next frame. It may be of another rendition than the one before it if it is a key frame; its
 * RTP timestamp is one tick more than the last one's when it was captured no later. Dropped in
 * silence when it is of another codec than agreed on, before the session is connected, and until a
 * key frame comes after a drop (a key frame is asked for by event). Keeps its own reference. */
void rtc_session_send(struct rtc_session *session, int64_t now_us, struct rtp_frame *frame);

/* What is known of a picture, for a session that shows vectors (RTC_OUTPUT_TIER); else, and when
 * the path does not take another one yet, it is left out. */
void rtc_session_send_record(struct rtc_session *session, int64_t now_us,
                             struct metadata *metadata);

void rtc_session_handle_timeout(struct rtc_session *session, int64_t now_us);
int64_t rtc_session_deadline(const struct rtc_session *session); /* INT64_MAX = none */

/* Starts a clean close: DTLS close_notify and RTCP BYE leave with the next polls. */
void rtc_session_close(struct rtc_session *session, int64_t now_us, const char *reason);

enum rtc_output_kind {
    RTC_OUTPUT_DATAGRAM,   /* to, data, size */
    RTC_OUTPUT_ICE_STATE,  /* ice_state */
    RTC_OUTPUT_CONNECTED,  /* DTLS is up: media flows, a key frame is wanted */
    RTC_OUTPUT_KEY_FRAME,  /* PLI, FIR or a drop: a key frame is wanted */
    RTC_OUTPUT_TARGET_BPS, /* target_bps: what an encoder for this viewer alone should make: what
                              its path takes, less headers and repair. A fall is told at once. */
    RTC_OUTPUT_HOLD,       /* hold_until_us: a frame that is encoded before would only wait. Told
                              whenever it changes by more than some ms; now = the hold is lifted */
    RTC_OUTPUT_TIER,       /* vector: video is of no use until further notice, records are; or video
                              is wanted again, from a key frame on */
    RTC_OUTPUT_CLOSED      /* text says why; nothing comes after it */
};

struct rtc_output {
    enum rtc_output_kind kind;
    struct address to;
    uint8_t data[RTC_MAX_DATAGRAM];
    size_t size;
    enum ice_state ice_state;
    int target_bps;
    int64_t hold_until_us;
    bool vector;
    const char *text; /* lent until the next call */
};

/* OW_OK with the next output that is due by now_us, OW_EAGAIN when there is none. */
int rtc_session_poll(struct rtc_session *session, int64_t now_us, struct rtc_output *out);

/* How far a connection has come. */
enum rtc_step {
    RTC_STEP_OFFER,        /* answered; no ICE check has arrived yet */
    RTC_STEP_CHECKS,       /* checks arrive, no pair works yet */
    RTC_STEP_DTLS,         /* a pair works, the handshake goes on */
    RTC_STEP_FIRST_PACKET, /* media is sent, the peer has not reported on it yet */
    RTC_STEP_PLAYING,      /* the peer reports that it receives */
};
const char *rtc_step_name(enum rtc_step step); /* "offer", "checks", "dtls", "first_packet", … */
/* A sentence on what to do when it stays at this step. */
const char *rtc_step_advice(enum rtc_step step);

struct rtc_session_stats {
    enum rtc_step step;
    enum ice_state ice_state;
    const char *dtls_state; /* "new", "connecting", "connected", "failed", "closed" */
    const char *srtp_profile;
    struct address selected; /* family ADDRESS_NONE before there is one */
    int64_t round_trip_us;
    double loss_fraction; /* of the last report, 0..1 */
    double jitter_ms;
    const char *rate_state;                 /* cc_state_name() */
    int64_t queue_delay_us;                 /* cc_queue_delay_us() */
    int estimate_bps, target_bps, sent_bps; /* sent over the last second */
    uint64_t frames_sent, key_frames_sent, packets_sent, bytes_sent, frames_dropped;
    uint64_t nacks, retransmits, fec_packets, probes, padding_packets, plis, firs,
        dropped_datagrams;
    uint64_t records_sent, records_dropped; /* in the data channel; dropped: too much on its way */
    bool receives_transport_cc;
    bool data_channel; /* it is open */
    bool vector;       /* vectors are shown, not video */
};
void rtc_session_stats(const struct rtc_session *session, int64_t now_us,
                       struct rtc_session_stats *out);

void rtc_session_destroy(struct rtc_session **session);

#endif
