#include "rtc/cc_feedback.h"

#include "core/error.h"

#include <string.h>

void cc_feedback_init(struct cc_feedback *feedback)
{
    memset(feedback, 0, sizeof(*feedback));
}

static struct cc_record *record_of(struct cc_feedback *feedback, uint16_t sequence)
{
    return &feedback->records[sequence % CC_RECORDS];
}

static void leave_flight(struct cc_feedback *feedback, struct cc_record *record, enum cc_fate fate)
{
    if (record->fate == CC_IN_FLIGHT)
        feedback->in_flight_bytes -= record->bytes;
    record->fate = (uint8_t)fate;
}

void cc_feedback_sent(struct cc_feedback *feedback, const struct cc_packet *packet, int own_ms)
{
    struct cc_record *record = record_of(feedback, packet->sequence);
    leave_flight(feedback, record, CC_EMPTY);
    *record = (struct cc_record){
        .send_us = (uint32_t)packet->send_us,
        .sequence = packet->sequence,
        .bytes = packet->bytes,
        .frame = (uint8_t)packet->frame,
        .probe = (uint8_t)packet->probe,
        .own_ms = (uint8_t)(own_ms < 0               ? 0
                            : own_ms > CC_MAX_OWN_MS ? CC_MAX_OWN_MS
                                                     : own_ms),
        .fate = CC_IN_FLIGHT,
    };
    feedback->in_flight_bytes += packet->bytes;
    feedback->last_send_us = packet->send_us;
    feedback->any_sent = true;
}

int cc_feedback_begin(struct cc_feedback *feedback, struct rtcp_status_reader *reader,
                      const struct rtcp_packet *packet)
{
    int code = rtcp_status_reader_init(reader, packet);
    if (code != OW_OK)
        return code;
    int32_t reference = packet->transport.reference_64ms;
    if (feedback->any_reported) {
        /* The way from the last reference to this one is the shorter one around the circle. */
        int64_t step = reference - feedback->last_reference;
        int64_t turns = step > 1 << 23 ? -1 : step < -(1 << 23) ? 1 : 0;
        feedback->arrival_offset_us += turns * ((int64_t)1 << 24) * 64000;
    }
    feedback->last_reference = reference;
    return OW_OK;
}

/* Everything between the newest packet reported on and this one is past, reported or not. Returns
 * the bytes of what was not. */
static uint32_t advance(struct cc_feedback *feedback, uint16_t sequence)
{
    uint16_t ahead = (uint16_t)(sequence - feedback->newest_reported);
    uint32_t unreported = 0;
    if (!feedback->any_reported || (ahead > CC_RECORDS && ahead < 0x8000))
        ahead = CC_RECORDS;
    else if (ahead >= 0x8000)
        return 0;
    for (uint16_t i = 1; i < ahead; i++) {
        struct cc_record *record = record_of(feedback, (uint16_t)(sequence - i));
        if (record->sequence == (uint16_t)(sequence - i) && record->fate == CC_IN_FLIGHT) {
            leave_flight(feedback, record, CC_PASSED_OVER);
            unreported += record->bytes;
        }
    }
    feedback->newest_reported = sequence;
    feedback->any_reported = true;
    return unreported;
}

bool cc_feedback_next(struct cc_feedback *feedback, struct rtcp_status_reader *reader,
                      struct cc_result *out)
{
    struct rtcp_status status;
    while (rtcp_status_next(reader, &status)) {
        struct cc_record *record = record_of(feedback, status.sequence);
        if (record->sequence != status.sequence || record->fate == CC_EMPTY ||
            record->fate == CC_RECEIVED || (record->fate == CC_LOST && !status.received))
            continue;
        *out = (struct cc_result){
            .send_us = feedback->last_send_us -
                       (int64_t)(uint32_t)((uint32_t)feedback->last_send_us - record->send_us),
            .arrival_us = status.arrival_us + feedback->arrival_offset_us,
            .bytes = record->bytes,
            .frame = record->frame,
            .probe = record->probe,
            .own_ms = record->own_ms,
            .received = status.received,
            .again = record->fate == CC_LOST,
        };
        leave_flight(feedback, record, status.received ? CC_RECEIVED : CC_LOST);
        out->unreported_bytes = advance(feedback, status.sequence);
        return true;
    }
    return false;
}
