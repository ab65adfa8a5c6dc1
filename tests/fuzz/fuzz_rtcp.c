/* A compound of any content: what is read stays within it, and reading ends. */
#include "fuzz.h"

#include "core/error.h"
#include "rtc/cc.h"
#include "rtc/rtcp.h"

#include <stdlib.h>

static void read_items(const struct rtcp_packet *packet)
{
    uint32_t ssrc;
    uint16_t sequence, following;
    uint8_t number;
    for (int i = 0; i < packet->count; i++) {
        if (packet->kind == RTCP_REPORT)
            (void)rtcp_report_block(packet, i);
        else if (packet->kind == RTCP_NACK)
            rtcp_nack_item(packet, i, &sequence, &following);
        else if (packet->kind == RTCP_FIR)
            rtcp_fir_entry(packet, i, &ssrc, &number);
    }
}

static void read_statuses(const struct rtcp_packet *packet)
{
    struct rtcp_status_reader reader;
    struct rtcp_status status;
    int count = 0;
    if (rtcp_status_reader_init(&reader, packet) != OW_OK)
        return;
    while (rtcp_status_next(&reader, &status))
        count++;
    if (count != packet->transport.status_count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cc cc; /* too large for the stack; set up anew for every input */
    static const struct cc_settings limits = {
        .min_bps = 100000, .start_bps = 1000000, .max_bps = 5000000};
    struct rtcp_reader reader;
    struct rtcp_packet packet;
    size_t packets = 0;
    cc_init(&cc, &limits, 0);
    for (uint16_t i = 0; i < 100; i++)
        cc_on_packet_sent(&cc,
                          &(struct cc_packet){.send_us = i * 1000, .sequence = i, .bytes = 1200});
    rtcp_reader_init(&reader, data, size);
    while (rtcp_next(&reader, &packet) == OW_OK) {
        int64_t now_us = (int64_t)++packets * 1000000;
        read_items(&packet);
        if (packet.kind == RTCP_TRANSPORT_FEEDBACK) {
            read_statuses(&packet);
            (void)cc_on_transport_feedback(&cc, now_us, &packet);
        } else if (packet.kind == RTCP_REMB) {
            cc_on_remb(&cc, now_us, packet.remb_bps);
        }
        int target = cc_target_bps(&cc, now_us);
        if (target < limits.min_bps || target > limits.max_bps)
            abort();
    }
    if (packets > size / 4)
        abort();
    return 0;
}
