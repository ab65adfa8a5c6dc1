/* The one data channel that a viewer may open (RFC 8831), by the in-band opening of RFC 8832: the
 * page opens it under the label "metadata", says what it wants and gets records. Channels of other
 * labels are closed; a second one of this label takes the place of the first. */
#ifndef OW_RTC_DATA_CHANNEL_H
#define OW_RTC_DATA_CHANNEL_H

#include "rtc/sctp_link.h"

#define DATA_CHANNEL_LABEL "metadata"

/* What an SCTP message carries, its payload protocol identifier (RFC 8831 section 8). */
enum { DATA_PROTOCOL_DCEP = 50, DATA_PROTOCOL_BINARY = 53 };

/* Messages of the opening (RFC 8832 section 5), and types of a channel (section 8.2.2). */
enum {
    DCEP_ACK = 0x02,
    DCEP_OPEN = 0x03,
    DCEP_OPEN_BYTES = 12, /* in front of label and protocol */
    DCEP_REXMIT = 0x01,   /* so many attempts, 0 among them */
    DCEP_UNORDERED = 0x80,
};

/* An opening (RFC 8832 section 5.1). */
struct dcep_open {
    uint8_t type; /* reliability and order, section 8.2.2 */
    bool unordered, unreliable;
    uint16_t label_size;
    const uint8_t *label; /* inside the message */
};
/* OW_EPARSE for what is none. */
int dcep_parse_open(struct dcep_open *out, const uint8_t *data, size_t size);

/* What the page says in the channel that it wants: how many records, and whether it draws them
 * where there is no video. Before it has said so it gets each, and video always. */
enum {
    RECORD_WISH_BYTES = 4,
    RECORD_WISH_KIND = 1,
    RECORD_WISH_VECTOR = 1, /* flag */
    RECORD_WISH_EACH = 0xffff,
    RECORD_WISH_SPAN_US = 10000000,
};
struct record_wish {
    int per_10s; /* records in ten seconds at most, 0 = none, RECORD_WISH_EACH = of each picture */
    bool vector;
};
/* kind (1 byte), flags (1), records in ten seconds (2, big endian); bytes behind these are of a
 * later version. OW_EPARSE for what is none. */
int record_wish_parse(struct record_wish *out, const uint8_t *data, size_t size);

struct data_channel {
    struct sctp_link *link; /* NULL = not agreed on, or not begun */
    bool open;
    struct record_wish wish;
    struct sctp_manner manner;
};

/* OW_ENOMEM, OW_EIO. */
int data_channel_begin(struct data_channel *channel, int64_t now_us, uint16_t remote_port);
/* A packet of the association. */
void data_channel_receive(struct data_channel *channel, int64_t now_us, const uint8_t *packet,
                          size_t size);
/* A binary message. OW_EAGAIN: nobody listens, or too much is on its way; it is dropped. */
int data_channel_send(struct data_channel *channel, int64_t now_us, const uint8_t *data,
                      size_t size);
void data_channel_end(struct data_channel *channel);

#endif
