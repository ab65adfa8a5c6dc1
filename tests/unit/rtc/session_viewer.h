/* A browser on a simulated link without delay, for tests: controlling ICE, DTLS client, SRTP. Time
 * is a variable. */
#ifndef OW_TESTS_SESSION_VIEWER_H
#define OW_TESTS_SESSION_VIEWER_H

#include "rtc/dtls_srtp.h"
#include "rtc/rtcp.h"
#include "rtc/rtp_header.h"
#include "rtc/rtp_payload.h"
#include "rtc/session.h"
#include "rtc/stun.h"
#include "rtc_peer.h"

enum { PAYLOAD_TYPE = 102, RTX_PAYLOAD_TYPE = 103, MAX_PACKETS = 512 };

#define START_US INT64_C(5000000)
#define WALL_MINUS_NOW_US INT64_C(1700000000000000)

extern const struct address VIEWER, OTHER; /* where the browser is, and somebody else */

struct media {
    uint8_t data[RTC_MAX_DATAGRAM];
    size_t size;
};

struct session_viewer {
    struct rtc_session *session;
    struct rtc_peer peer;
    int64_t now_us;
    bool mute; /* the browser answers no STUN */
    char ufrag[64], pwd[64];
    uint32_t ssrc, rtx_ssrc;
    uint8_t check_id;
    int key_events, connected_events, target_bps, holds;
    int64_t hold_until_us;
    bool closed, bye;
    char close_text[256];
    struct rtcp_sender_report report;
    int reports;
    struct media packets[MAX_PACKETS]; /* decrypted RTP */
    int packet_count;
};
extern struct session_viewer viewer;

/* Group set-up and tear-down: the server's certificate. */
int viewer_set_up(void **state);
int viewer_tear_down(void **state);

void viewer_offer(char *out, size_t size, const uint8_t *fingerprint, const char *extra);
struct rtc_session_settings viewer_settings(void);

/* A session that has answered; a wrong fingerprint in its offer does not fit the browser's. */
void viewer_begin(bool right_fingerprint);
void viewer_end(void);
void viewer_handshake(void);
/* Both of them, up to the event that tells of it. */
void viewer_connect(void);

/* Takes what the session gives. */
void viewer_drain(void);
/* Lets time pass to `until_us`, deadline by deadline. */
void viewer_run_until(int64_t until_us);

void viewer_send_check(const struct address *from);
int viewer_send_dtls(const struct address *from); /* how many datagrams */
void viewer_send_rtcp(const uint8_t *plain, size_t size, const struct address *from);
void viewer_send_feedback(int type, int format, const uint8_t *fci, size_t size);
/* Transport-wide feedback: `lost` packets from `base` on did not arrive, `received` after them did.
 */
void viewer_send_transport_feedback(uint16_t base, int lost, int received);
void viewer_send_nack(const struct media *packet);

/* A picture to the browser; the frame is the caller's. */
struct rtp_frame *viewer_send_frame(bool key, size_t size);
void viewer_send_and_forget(bool key, size_t size);

uint16_t viewer_transport_sequence(const struct media *packet);
struct rtc_session_stats viewer_stats(void);

#endif
