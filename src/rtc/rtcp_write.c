#include "rtc/rtcp.h"
#include "rtc/rtp_header.h"

#include <string.h>

enum {
    RTCP_VERSION_2 = 0x80,
    TYPE_SENDER_REPORT = 200,
    TYPE_SOURCE_DESCRIPTION = 202,
    TYPE_BYE = 203,
    SDES_CNAME = 1,
};

/* RFC 3550 section 6.4.1: the length field counts 32-bit words less one. */
static void put_header(uint8_t *out, int count, int type, size_t size)
{
    out[0] = (uint8_t)(RTCP_VERSION_2 | count);
    out[1] = (uint8_t)type;
    write_u16(out + 2, (uint16_t)(size / 4 - 1));
}

size_t rtcp_write_sender_report(uint8_t *out, const struct rtcp_sender_report *report)
{
    put_header(out, 0, TYPE_SENDER_REPORT, RTCP_SENDER_REPORT_BYTES);
    write_u32(out + 4, report->ssrc);
    write_u32(out + 8, (uint32_t)(report->ntp >> 32));
    write_u32(out + 12, (uint32_t)report->ntp);
    write_u32(out + 16, report->rtp_timestamp);
    write_u32(out + 20, report->packets);
    write_u32(out + 24, report->bytes);
    return RTCP_SENDER_REPORT_BYTES;
}

size_t rtcp_write_cname(uint8_t *out, uint32_t ssrc, const char *cname)
{
    size_t length = strnlen(cname, RTCP_MAX_CNAME_BYTES);
    size_t size = 8 + 2 + length;
    size_t padded = (size / 4 + 1) * 4; /* at least one null octet ends the list, section 6.5 */
    write_u32(out + 4, ssrc);
    out[8] = SDES_CNAME;
    out[9] = (uint8_t)length;
    memcpy(out + 10, cname, length);
    memset(out + size, 0, padded - size);
    put_header(out, 1, TYPE_SOURCE_DESCRIPTION, padded);
    return padded;
}

size_t rtcp_write_bye(uint8_t *out, uint32_t ssrc)
{
    put_header(out, 1, TYPE_BYE, 8);
    write_u32(out + 4, ssrc);
    return 8;
}
