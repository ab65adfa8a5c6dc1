/* A whole session driven by bytes. Each step of the input is an operation, an argument and, for a
 * datagram, its bytes: what comes from the wire, what the encoder sends, and time. The session must
 * keep its contract: datagrams fit the MTU, it falls quiet when drained, nothing follows CLOSED. */
#include "fuzz.h"

#include "rtc/dtls_srtp.h"
#include "rtc/rtp_payload.h"
#include "rtc/session.h"
#include "rtc/stun.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OUTPUTS = 20000 };

static const char OFFER[] =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:peer\r\na=ice-pwd:peerpeerpeerpeerpeerpeer\r\n"
    "a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
    "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n"
    "a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n";

struct run {
    struct rtc_session *session;
    int64_t now_us;
    struct address from[2];
    bool closed;
};

static void drain(struct run *run)
{
    struct rtc_output out;
    for (int i = 0; rtc_session_poll(run->session, run->now_us, &out) == OW_OK; i++) {
        if (run->closed || i > MAX_OUTPUTS)
            abort();
        if (out.kind == RTC_OUTPUT_DATAGRAM && (out.size == 0 || out.size > RTC_MTU))
            abort();
        run->closed = out.kind == RTC_OUTPUT_CLOSED;
    }
}

/* A check of the real peer, so that its address is validated and DTLS gets through. */
static void send_check(struct run *run, uint8_t id)
{
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {id};
    char username[128], password[64];
    const char *answer = rtc_session_answer(run->session);
    const char *at = strstr(answer, "a=ice-pwd:");
    struct stun_writer writer;
    if (at == NULL)
        abort();
    at += strlen("a=ice-pwd:");
    size_t length = strcspn(at, "\r\n");
    if (length >= sizeof(password))
        abort();
    memcpy(password, at, length);
    password[length] = '\0';
    strcpy(username, rtc_session_local_ufrag(run->session));
    strcat(username, ":peer");
    stun_begin(&writer, data, sizeof(data), STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1845501695);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    stun_put_use_candidate(&writer);
    if (stun_finish(&writer, password) != OW_OK)
        abort();
    rtc_session_receive(run->session, run->now_us, &run->from[0], writer.data, writer.size);
}

static void send_frame(struct run *run, uint8_t argument)
{
    struct encoded *unit = NULL;
    struct rtp_frame *frame = NULL;
    if (encoded_create(&unit, 4 + (size_t)argument * 64) != OW_OK)
        return;
    memset(unit->data, 0xab, unit->size);
    memcpy(unit->data, "\0\0\1\x65", 4);
    unit->key = (argument & 1) != 0;
    unit->capture_us = run->now_us;
    unit->sequence = 0;
    if (rtp_frame_cut(&frame, unit, RTC_MAX_PAYLOAD) == OW_OK)
        rtc_session_send(run->session, run->now_us, frame);
    rtp_frame_unref(&frame);
    encoded_unref(&unit);
}

/* Trickle with as many bytes as the first one says; returns how many were used. */
static size_t trickle(struct run *run, const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t length = data[0] < size - 1 ? data[0] : size - 1;
    char *answer = NULL;
    if (rtc_session_trickle(run->session, run->now_us, (const char *)data + 1, length, &answer,
                            NULL) == OW_OK)
        free(answer);
    return 1 + length;
}

/* How the session is reached. */
static size_t reach(struct run *run, uint8_t argument, const uint8_t *data, size_t size)
{
    switch (argument) {
    case 0xff:
        rtc_session_close(run->session, run->now_us, "fuzz");
        return 0;
    case 0xfe:
        return trickle(run, data, size);
    case 0xfd:
    case 0xfc:
        rtc_session_set_relay(run->session, run->now_us, argument & 1);
        return 0;
    case 0xfb:
        rtc_session_forget(run->session, run->now_us, &run->from[0]);
        return 0;
    default:
        (void)rtc_session_add_remote_candidate(run->session, run->now_us, (const char *)data, size);
        return 0;
    }
}

/* One step; returns the bytes that it used of `data`. */
static size_t step(struct run *run, const uint8_t *data, size_t size)
{
    uint8_t operation = data[0] % 8, argument = size > 1 ? data[1] : 0;
    size_t used = size > 1 ? 2 : 1;
    switch (operation) {
    case 0:
    case 1:
    case 2: { /* a datagram of up to 255 bytes, or of 16 times as many */
        size_t length = operation == 2 ? argument * 16u : argument;
        if (length > size - used)
            length = size - used;
        rtc_session_receive(run->session, run->now_us, &run->from[operation & 1], data + used,
                            length);
        used += length;
        break;
    }
    case 3:
        send_check(run, argument);
        break;
    case 4:
        send_frame(run, argument);
        break;
    case 5:
        run->now_us += argument * 10000;
        break;
    case 6: { /* to the next deadline */
        int64_t deadline = rtc_session_deadline(run->session);
        if (deadline != INT64_MAX && deadline > run->now_us)
            run->now_us = deadline;
        break;
    }
    default:
        used += reach(run, argument, data + used, size - used);
        break;
    }
    rtc_session_handle_timeout(run->session, run->now_us);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_identity *identity; /* made once a process: a key costs time */
    struct random_source random;
    struct run run = {.now_us = 1000000,
                      .from = {{.family = ADDRESS_IPV4, .ip = {192, 0, 2, 7}, .port = 50000},
                               {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 8}, .port = 50000}}};
    if (identity == NULL && dtls_identity_create(&identity, 1700000000000000, NULL) != OW_OK)
        abort();
    random_seeded(&random, 5);
    struct rtc_session_settings settings = {.identity = identity,
                                            .random = &random,
                                            .min_bps = 100000,
                                            .start_bps = 1000000,
                                            .max_bps = 5000000,
                                            .label = "fuzz"};
    if (rtc_session_create(&run.session, &settings, OFFER, sizeof(OFFER) - 1, run.now_us, NULL) !=
        OW_OK)
        abort();
    while (size > 0) {
        size_t used = step(&run, data, size);
        data += used;
        size -= used;
        drain(&run);
    }
    rtc_session_destroy(&run.session);
    return 0;
}
