/* SCTP packets of a peer behind DTLS. The input is a script: chunks are put into packets whose tag
 * and checksum are right, because without these nothing is read. It may come before, within or
 * after a handshake, and the channel may be open. */
#include "fuzz.h"

#include "core/error.h"
#include "rtc/data_channel.h"
#include "rtc/rtp_header.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, INIT = 1, INIT_TAG_AT = 16, MOST_STEPS = 40, STEP_US = 20000 };

/* RFC 9260 appendix A, bit by bit. */
static uint32_t crc32c(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void seal(uint8_t *packet, size_t size, uint32_t tag)
{
    write_u16(packet, SCTP_LINK_PORT);
    write_u16(packet + 2, SCTP_LINK_PORT);
    write_u32(packet + 4, tag);
    memset(packet + 8, 0, 4);
    uint32_t crc = crc32c(packet, size);
    for (int i = 0; i < 4; i++)
        packet[8 + i] = (uint8_t)(crc >> (8 * i));
}

struct run {
    struct data_channel ours;
    struct sctp_link *page; /* a peer that behaves, for the way to an open channel */
    uint32_t tag;           /* that ours wants to see */
    int64_t now_us;
};

static void pass(struct run *run, int steps)
{
    uint8_t packet[SCTP_LINK_MTU];
    size_t size;
    for (int i = 0; i < steps; i++) {
        run->now_us += STEP_US;
        sctp_link_handle_timeout(run->ours.link, run->now_us);
        while (sctp_link_poll(run->ours.link, packet, &size) == OW_OK) {
            if (size >= INIT_TAG_AT + 4 && packet[HEADER] == INIT)
                run->tag = read_u32(packet + INIT_TAG_AT);
            sctp_link_receive(run->page, run->now_us, packet, size);
        }
        while (sctp_link_poll(run->page, packet, &size) == OW_OK)
            data_channel_receive(&run->ours, run->now_us, packet, size);
    }
}

static void open_channel(struct run *run)
{
    static const uint8_t open[] = "\x03\x81\0\0\0\0\0\0\0\x08\0\0metadata";
    const struct sctp_manner manner = {.protocol = 50};
    (void)sctp_link_send(run->page, run->now_us, &manner, open, sizeof(open) - 1);
    pass(run, 3);
}

/* What the page says in it, beginning like a wish. */
static void say(struct run *run, const uint8_t *data, size_t size)
{
    const struct sctp_manner manner = {.protocol = 53};
    (void)sctp_link_send(run->page, run->now_us, &manner, data, size);
    pass(run, 3);
}

/* Each step: a byte that says what, a byte for its size, the chunks. */
static void play(struct run *run, const uint8_t *data, size_t size)
{
    uint8_t packet[HEADER + 4 * 255];
    for (int step = 0; step < MOST_STEPS && size >= 2; step++) {
        uint8_t what = data[0];
        size_t chunks = 4 * (size_t)data[1];
        data += 2;
        size -= 2;
        chunks = chunks < size ? chunks : size;
        memcpy(packet + HEADER, data, chunks);
        data += chunks;
        size -= chunks;
        seal(packet, HEADER + chunks, (what & 1) != 0 ? 0 : run->tag);
        data_channel_receive(&run->ours, run->now_us, packet, HEADER + chunks);
        (void)data_channel_send(&run->ours, run->now_us, packet, HEADER + chunks);
        if ((what & 2) != 0)
            pass(run, 1 + (what >> 4));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {0};
    if (size == 0)
        return 0;
    sctp_link_start();
    if (data_channel_begin(&run.ours, 0, SCTP_LINK_PORT) != OW_OK ||
        sctp_link_create(&run.page, 0, SCTP_LINK_PORT) != OW_OK)
        abort();
    pass(&run, data[0] & 7);
    if ((data[0] & 8) != 0)
        open_channel(&run);
    if ((data[0] & 16) != 0)
        say(&run, data + 1, size - 1);
    play(&run, data + 1, size - 1);
    data_channel_send(&run.ours, run.now_us, data, size);
    data_channel_end(&run.ours);
    sctp_link_destroy(&run.page);
    return 0;
}
