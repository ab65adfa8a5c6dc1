/* RTCP: reading what a viewer sends back and writing what a sender says (RFC 3550 section 6, 4585,
 * 5104, 3611, draft-alvestrand-rmcat-remb, draft-holmer-rmcat-transport-wide-cc-extensions-01). */
#ifndef OW_RTC_RTCP_H
#define OW_RTC_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_kind {
    RTCP_REPORT, /* sender or receiver report */
    RTCP_BYE,
    RTCP_NACK,
    RTCP_PLI,
    RTCP_FIR,
    RTCP_REMB,
    RTCP_TRANSPORT_FEEDBACK,
    RTCP_REFERENCE_TIME, /* XR: receiver reference time */
};

enum {
    RTCP_MAX_REPORT_BLOCKS = 31,
    RTCP_SENDER_REPORT_BYTES = 28,
    RTCP_MAX_CNAME_BYTES = 64,
    /* sender report + SDES with one CNAME + BYE, before protection */
    RTCP_MAX_WRITTEN_BYTES = 28 + 8 + 2 + RTCP_MAX_CNAME_BYTES + 4 + 8,
};

struct rtcp_report_block {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256 since the last report */
    int32_t cumulative_lost;
    uint32_t highest_sequence;
    uint32_t jitter;        /* timestamp ticks */
    uint32_t last_sr;       /* middle 32 bits of the NTP time of our report; 0 = none yet */
    uint32_t since_last_sr; /* 1/65536 s */
};

/* One packet out of a compound. Pointers are lent from the datagram. */
struct rtcp_packet {
    enum rtcp_kind kind;
    uint32_t sender_ssrc, media_ssrc; /* media_ssrc: of feedback */
    const uint8_t *items; /* report blocks, NACK items, FIR entries or feedback chunks */
    size_t items_size;
    int count; /* of report blocks, NACK items or FIR entries */
    uint64_t remb_bps;
    uint64_t ntp; /* REFERENCE_TIME */
    struct {
        uint16_t base_sequence;
        uint16_t status_count;
        int32_t reference_64ms; /* 24-bit signed, units of 64 ms */
        uint8_t feedback_count;
    } transport;
};

struct rtcp_reader {
    const uint8_t *data;
    size_t left;
};

void rtcp_reader_init(struct rtcp_reader *reader, const uint8_t *data, size_t size);

/* The next packet that a sender has a use for; unknown kinds are stepped over. OW_OK, OW_EAGAIN at
 * the end, OW_EPARSE when the rest is malformed (reading ends there). */
int rtcp_next(struct rtcp_reader *reader, struct rtcp_packet *out);

/* Report block `index` < count of a REPORT. */
struct rtcp_report_block rtcp_report_block(const struct rtcp_packet *packet, int index);

/* NACK item `index` < count: the first lost sequence number, and a mask of the 16 that follow. */
void rtcp_nack_item(const struct rtcp_packet *packet, int index, uint16_t *sequence,
                    uint16_t *following);

/* The SSRC and command number of FIR entry `index` < count. */
void rtcp_fir_entry(const struct rtcp_packet *packet, int index, uint32_t *ssrc, uint8_t *number);

/* Walks the packet statuses of a TRANSPORT_FEEDBACK. */
struct rtcp_status_reader {
    const uint8_t *chunk, *delta;
    uint32_t left;         /* statuses still to come */
    uint16_t sequence;     /* of the next status */
    uint16_t current;      /* the chunk being read */
    uint16_t in_chunk;     /* statuses left in it */
    int64_t arrival_250us; /* on the receiver's clock */
};

struct rtcp_status {
    uint16_t sequence;
    bool received;
    int64_t arrival_us; /* receiver's clock; only differences mean something */
};

/* OW_EPARSE when chunks or deltas do not fit into the packet. At most 65,535 steps. */
int rtcp_status_reader_init(struct rtcp_status_reader *reader, const struct rtcp_packet *packet);
bool rtcp_status_next(struct rtcp_status_reader *reader, struct rtcp_status *out);

struct rtcp_sender_report {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_timestamp;
    uint32_t packets, bytes; /* payload bytes, without headers */
};

/* Each returns the bytes written: 28; a multiple of four up to 80; 8. A CNAME of more than
 * RTCP_MAX_CNAME_BYTES is cut. */
size_t rtcp_write_sender_report(uint8_t *out, const struct rtcp_sender_report *report);
size_t rtcp_write_cname(uint8_t *out, uint32_t ssrc, const char *cname);
size_t rtcp_write_bye(uint8_t *out, uint32_t ssrc);

#endif
