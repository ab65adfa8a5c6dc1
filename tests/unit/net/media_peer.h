/* A viewer for tests of the media port, over real sockets: ICE checks, DTLS, SRTP; by UDP or TCP.
 */
#ifndef OW_TESTS_MEDIA_PEER_H
#define OW_TESTS_MEDIA_PEER_H

#include "../rtc/rtc_peer.h"
#include "net/media_server.h"
#include "rtc/stream_frame.h"

struct media_peer {
    struct rtc_peer dtls;
    char session_id[33], ufrag[64], pwd[64];
    int fd;
    bool tcp, srtp;
    struct stream_frame_reader reader;
    uint8_t in[65536]; /* TCP: bytes not taken yet */
    const uint8_t *left;
    size_t left_size;
    uint8_t mark; /* of the next check */
    int packets, key_packets;
    uint16_t last_sequence;
};

/* Offers itself to the stream and opens its socket; nothing has been sent then. */
void media_peer_open(struct media_peer *peer, struct media_server *server, const char *stream_id,
                     bool tcp);
/* Connects until SRTP is there. */
void media_peer_connect(struct media_peer *peer);
/* Takes what comes until `packets` RTP packets were read in all; fails after 10 s. */
void media_peer_expect(struct media_peer *peer, int packets);
/* Takes one datagram if there is one within timeout_ms and handles it: answers checks, goes on with
 * the handshake, decrypts and counts RTP. False = none came. */
bool media_peer_step(struct media_peer *peer, int timeout_ms);
void media_peer_check(struct media_peer *peer);
void media_peer_send(struct media_peer *peer, const uint8_t *data, size_t size);
void media_peer_close(struct media_peer *peer);

#endif
