/* ICE over TCP, passive (RFC 6544): a listener on the media port's number, connections that carry
 * datagrams with RFC 4571 framing. The first packet of a connection is a check for a viewer, else
 * it is closed; from then on it belongs to that viewer and its thread.
 *
 * What a connection cannot take stays in a bounded buffer, and a viewer whose connection falls
 * behind is left out of whole frames, up to a key frame: nothing blocks, nothing grows, and what is
 * sent is never old. */
#ifndef OW_NET_MEDIA_TCP_H
#define OW_NET_MEDIA_TCP_H

#include "net/media_internal.h"

struct media_tcp_connection;
struct media_tcp_listener;

/* On the first thread, before it runs. OW_EEXISTS when the port is taken for TCP, OW_EIO,
 * OW_ENOMEM.
 */
int media_tcp_listen(struct media_tcp_listener **out, struct media_thread *thread,
                     const char *bind_address, uint16_t port, struct reason *why);
/* After the thread has ended. */
void media_tcp_listener_destroy(struct media_tcp_listener **listener);

/* Queues a datagram for the connection from `to`; dropped when there is none (any more), or no
 * room. media_tcp_flush() sends it. */
void media_tcp_send(struct media_viewer *viewer, const struct address *to, const uint8_t *data,
                    size_t size);
void media_tcp_flush(struct media_viewer *viewer);
/* May the viewer be sent this frame? Not when its connection is behind; then a key frame is asked
 * for once it has caught up. */
bool media_tcp_admits(struct media_viewer *viewer, const struct rtp_frame *frame, int64_t now_us);

/* Closes the connections of a viewer that is going. */
void media_tcp_drop_viewer(struct media_viewer *viewer);
/* Closes what broke: at the end of a round, when nothing refers to it any more. */
void media_tcp_sweep(struct media_thread *thread);
/* Closes all connections of a thread that is ending. */
void media_tcp_close_all(struct media_thread *thread);

#endif
