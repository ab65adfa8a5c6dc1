#include "media_peer.h"

#include "../rtc/sdp_value.h"
#include "core/clock.h"
#include "rtc/rtp_header.h"
#include "rtc/stun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char offer_format[] =
    "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:peer\r\na=ice-pwd:peerpasswordpeerpassword\r\na=fingerprint:sha-256 %s\r\n"
    "a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n";

static int open_socket(const struct media_server *server, bool tcp)
{
    int fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(media_server_port(server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void media_peer_open(struct media_peer *peer, struct media_server *server, const char *stream_id,
                     bool tcp)
{
    char fingerprint[32 * 3 + 1], offer[2048];
    struct media_answer answer = {0};
    struct reason why = {""};
    struct address via;
    memset(peer, 0, sizeof *peer);
    rtc_peer_create(&peer->dtls, "SRTP_AEAD_AES_128_GCM", 0);
    for (int i = 0; i < 32; i++)
        snprintf(fingerprint + 3 * i, 4, "%02X%s", peer->dtls.fingerprint[i], i < 31 ? ":" : "");
    snprintf(offer, sizeof offer, offer_format, fingerprint);
    assert_int_equal(address_parse(&via, "127.0.0.1", 0), OW_OK);
    int rc = media_server_offer(server, stream_id, offer, strlen(offer), &via, NULL, &answer, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(rc, OW_OK);
    if (tcp)
        assert_non_null(strstr(answer.sdp, "tcptype passive"));
    assert_true(sdp_read_value(answer.sdp, "a=ice-ufrag:", peer->ufrag, sizeof peer->ufrag));
    assert_true(sdp_read_value(answer.sdp, "a=ice-pwd:", peer->pwd, sizeof peer->pwd));
    memcpy(peer->session_id, answer.session_id, sizeof peer->session_id);
    free(answer.sdp);
    peer->tcp = tcp;
    peer->fd = open_socket(server, tcp);
}

void media_peer_send(struct media_peer *peer, const uint8_t *data, size_t size)
{
    uint8_t framed[2048 + STREAM_FRAME_HEADER_BYTES];
    size_t framed_size = size;
    if (!peer->tcp)
        memcpy(framed, data, size);
    else
        assert_int_equal(stream_frame_write(framed, sizeof framed, data, size, &framed_size),
                         OW_OK);
    (void)!send(peer->fd, framed, framed_size, MSG_NOSIGNAL);
}

void media_peer_check(struct media_peer *peer)
{
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {++peer->mark};
    char username[160];
    struct stun_writer writer;
    snprintf(username, sizeof username, "%s:peer", peer->ufrag);
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 12345);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    stun_put_use_candidate(&writer);
    assert_int_equal(stun_finish(&writer, peer->pwd), OW_OK);
    media_peer_send(peer, data, writer.size);
}

static void answer_check(struct media_peer *peer, const struct stun_message *request)
{
    uint8_t data[512];
    struct stun_writer writer;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    struct address mapped = {.family = ADDRESS_IPV4};
    assert_int_equal(getpeername(peer->fd, (struct sockaddr *)&name, &size), 0);
    const struct sockaddr_in *in = (const struct sockaddr_in *)&name;
    memcpy(mapped.ip, &in->sin_addr, 4);
    mapped.port = ntohs(in->sin_port);
    stun_begin(&writer, data, sizeof data, STUN_SUCCESS, request->transaction);
    stun_put_xor_mapped(&writer, &mapped);
    assert_int_equal(stun_finish(&writer, "peerpasswordpeerpassword"), OW_OK);
    media_peer_send(peer, data, writer.size);
}

static void take_media(struct media_peer *peer, uint8_t *data, size_t size)
{
    int length = (int)size;
    if (!peer->srtp || (data[1] >= 192 && data[1] <= 223))
        return;
    uint16_t sequence = read_u16(data + 2);
    assert_int_equal(srtp_unprotect(peer->dtls.in, data, &length), srtp_err_status_ok);
    size_t header = 12 + 4 * (size_t)(data[0] & 15);
    if (data[0] & 0x10)
        header += 4 + 4 * (size_t)read_u16(data + header + 2);
    if ((size_t)length <= header || data[0] & 0x20)
        return; /* padding of a probe */
    int type = data[header] & 0x1f;
    peer->packets++;
    peer->key_packets += type == 5 || type == 24;
    peer->last_sequence = sequence;
}

static void take(struct media_peer *peer, uint8_t *data, size_t size)
{
    struct stun_message message;
    if (data[0] < 4) {
        if (stun_parse(&message, data, size) == OW_OK && message.class == STUN_REQUEST)
            answer_check(peer, &message);
    } else if (data[0] >= 20 && data[0] <= 63) {
        rtc_peer_receive(&peer->dtls, data, size);
    } else if (data[0] >= 128) {
        take_media(peer, data, size);
    }
    uint8_t record[2048];
    for (size_t length; (length = rtc_peer_poll(&peer->dtls, record, sizeof record)) > 0;)
        media_peer_send(peer, record, length);
    if (peer->dtls.connected && !peer->srtp) {
        rtc_peer_start_srtp(&peer->dtls);
        peer->srtp = true;
    }
}

static bool next_framed(struct media_peer *peer, uint8_t *data, size_t *size)
{
    const uint8_t *packet;
    if (peer->left_size == 0 ||
        stream_frame_read(&peer->reader, &peer->left, &peer->left_size, &packet, size) != OW_OK)
        return false;
    memcpy(data, packet, *size);
    return true;
}

bool media_peer_step(struct media_peer *peer, int timeout_ms)
{
    uint8_t data[4096];
    size_t size;
    if (peer->tcp && next_framed(peer, data, &size)) {
        take(peer, data, size);
        return true;
    }
    struct pollfd wait = {.fd = peer->fd, .events = POLLIN};
    if (poll(&wait, 1, timeout_ms) != 1)
        return false;
    ssize_t received =
        recv(peer->fd, peer->tcp ? peer->in : data, peer->tcp ? sizeof peer->in : sizeof data, 0);
    if (received <= 0)
        return false;
    if (peer->tcp) {
        peer->left = peer->in;
        peer->left_size = (size_t)received;
        if (!next_framed(peer, data, &size))
            return true;
    } else {
        size = (size_t)received;
    }
    take(peer, data, size);
    return true;
}

void media_peer_connect(struct media_peer *peer)
{
    int64_t give_up_us = clock_now_us() + 10000000;
    while (!peer->srtp) {
        assert_true(clock_now_us() < give_up_us);
        media_peer_check(peer);
        while (media_peer_step(peer, 20) && !peer->srtp) {
        }
        rtc_peer_receive(&peer->dtls, NULL, 0);
    }
}

void media_peer_expect(struct media_peer *peer, int packets)
{
    int64_t give_up_us = clock_now_us() + 10000000;
    while (peer->packets < packets) {
        assert_true(clock_now_us() < give_up_us);
        media_peer_step(peer, 100);
    }
}

void media_peer_close(struct media_peer *peer)
{
    rtc_peer_destroy(&peer->dtls);
    close(peer->fd);
}
