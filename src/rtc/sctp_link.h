/* One SCTP association over DTLS (RFC 8261), by usrsctp: packets in and out, messages in and out.
 *
 * The library is started without threads and owns no socket here; packets leave through a callback
 * that puts them into the link's own ring, from which they are pulled. Two things of it are not the
 * link's:
 * - It reads a clock (to measure round trips, and how long ago a packet was sent) and draws its own
 *   randomness, as OpenSSL does. A test of loss has to let time pass.
 * - Its state, timers above all, is the process's. Links are kept apart by a number that stands for
 *   their address; a number is never used twice, so what the library still has to say of a link
 *   that is gone finds nobody. One link at a time is in the library. Whichever link's time comes
 *   first moves all timers on; what they send for a link of another thread waits in that link's
 *   ring until its own thread polls it, which is SCTP_LINK_WAKE_US later at most. A link on which
 *   nothing is under way has no deadline: thousands that stand cost nothing.
 * One thread at a time per link; different links may be used by different threads. */
#ifndef OW_RTC_SCTP_LINK_H
#define OW_RTC_SCTP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCTP_LINK_MTU = 1160, /* a packet and DTLS around it (13 + 8 + 16) fit into DTLS_MTU */
    SCTP_LINK_PORT = 5000,
    /* Of a link that stands, while it is in use: behind its acknowledgement of 200 ms. */
    SCTP_LINK_WAKE_US = 250000,
    SCTP_LINK_STREAMS = 16,          /* in each direction; more are not agreed to */
    SCTP_LINK_MAX_RECEIVED = 1024,   /* bytes of a message; longer ones are dropped */
    SCTP_LINK_MAX_SENT = 14 * 1024,  /* bytes of a message */
    SCTP_LINK_SEND_BYTES = 16 * 1024 /* sent and not acknowledged; what comes on top is refused */
};

struct sctp_link;

/* Starts the library; once for the process, before any link, by one thread. */
void sctp_link_start(void);

/* Begins to connect to the peer's port (RFC 8841). OW_ENOMEM, OW_EIO. */
int sctp_link_create(struct sctp_link **out, int64_t now_us, uint16_t remote_port);

/* A packet of the peer, whatever it holds. */
void sctp_link_receive(struct sctp_link *link, int64_t now_us, const uint8_t *packet, size_t size);

/* Copies the next packet to send, at most SCTP_LINK_MTU bytes. OW_EAGAIN when there is none. */
int sctp_link_poll(struct sctp_link *link, uint8_t *packet, size_t *size);

void sctp_link_handle_timeout(struct sctp_link *link, int64_t now_us);
int64_t sctp_link_deadline(const struct sctp_link *link);

struct sctp_message {
    uint16_t stream;
    uint32_t protocol; /* payload protocol identifier, RFC 8831 section 8 */
    bool reset;        /* no message: the peer closed the stream (RFC 6525) */
    size_t size;
    uint8_t data[SCTP_LINK_MAX_RECEIVED];
};
/* The next message that arrived. OW_EAGAIN when there is none, OW_ECLOSED when the peer ended the
 * association: then nothing comes any more. */
int sctp_link_read(struct sctp_link *link, struct sctp_message *out);

struct sctp_manner {
    uint16_t stream;
    uint32_t protocol;
    bool unordered;
    bool unreliable; /* given up once lost (RFC 7496 section 4.2, no retransmission) */
};
/* OW_EAGAIN: not connected yet, or too much is on its way; the message is dropped. OW_EINVAL for
 * an empty or too long one, OW_ECLOSED. */
int sctp_link_send(struct sctp_link *link, int64_t now_us, const struct sctp_manner *manner,
                   const uint8_t *data, size_t size);
/* Packets with messages that were sent and not acknowledged. */
int sctp_link_waiting(struct sctp_link *link);
/* Closes a stream from this side (RFC 8831 section 6.7). */
void sctp_link_reset(struct sctp_link *link, int64_t now_us, uint16_t stream);

/* Ends the association without waiting: what the peer is told is in the DTLS close. */
void sctp_link_destroy(struct sctp_link **link);

#endif
