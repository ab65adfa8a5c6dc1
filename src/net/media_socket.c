#include "net/media_socket.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; older C libraries do not name it */
#endif

enum {
    SOCKET_BUFFER_BYTES = 4 * 1024 * 1024, /* a small one starves STUN behind video */
    DSCP_AF41 = 34 << 2,                   /* RFC 8837: interactive video */
    /* Datagrams queued: enough to make a system call cheap, few enough to stay in the cache. */
    QUEUE = 128,
    MAX_SEGMENTS = 64, /* UDP_MAX_SEGMENTS of Linux before 6.9 */
    MAX_MESSAGE_BYTES = 65507,
    /* Refusals in a row, without a success between: the kernel or the way out cannot do it. One
     * alone can be a single destination's path. */
    MAX_REFUSALS = 16,
    MAX_FULL = 3, /* messages in a row without room: the rest of the queue is dropped */
};

struct out_message {
    int first, count; /* datagrams */
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
    struct sockaddr_storage to;
};

struct media_socket {
    int fd;
    bool ipv6; /* the descriptor speaks IPv6, IPv4 addresses are mapped */
    uint16_t port;
    struct media_socket_figures figures;
    int refusals;

    struct mmsghdr in[MEDIA_BATCH];
    struct iovec in_parts[MEDIA_BATCH];
    struct sockaddr_storage in_from[MEDIA_BATCH];
    uint8_t in_data[MEDIA_BATCH][MEDIA_DATAGRAM_BYTES];

    int queued;
    struct rtc_output queue[QUEUE];
    struct iovec parts[QUEUE];
    struct mmsghdr out[QUEUE];
    struct out_message messages[QUEUE];
};

/* As root the limits of the system may be passed; else what they allow is taken. */
static void set_buffers(int fd)
{
    int bytes = SOCKET_BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    int traffic_class = DSCP_AF41;
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
}

static int bind_family(int family, const struct address *address, bool shared)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int off = 0, on = 1;
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (shared)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    struct sockaddr_storage name;
    socklen_t size;
    address_to_sockaddr(address, family == AF_INET6, &name, &size);
    if (bind(fd, (struct sockaddr *)&name, size) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Binds both families at once; a kernel without IPv6 gets an IPv4 socket. */
static int bind_socket(struct media_socket *self, const struct media_socket_settings *settings,
                       struct reason *why)
{
    struct address address = {.family = ADDRESS_IPV6, .port = settings->port};
    if (settings->bind_address &&
        address_parse(&address, settings->bind_address, settings->port) != OW_OK)
        return reason_set(why, OW_EINVAL, "The media address \"%s\" is not an IP address.",
                          settings->bind_address);
    self->ipv6 = true;
    self->fd = bind_family(AF_INET6, &address, settings->shared);
    if (self->fd < 0 && errno != EADDRINUSE) {
        if (!settings->bind_address)
            address.family = ADDRESS_IPV4;
        if (address.family == ADDRESS_IPV4) {
            self->ipv6 = false;
            self->fd = bind_family(AF_INET, &address, settings->shared);
        }
    }
    if (self->fd >= 0)
        return OW_OK;
    if (errno == EADDRINUSE)
        return reason_set(why, OW_EEXISTS,
                          "UDP port %u is already in use: stop the other program or choose another "
                          "port with --media-port.",
                          settings->port);
    return reason_set(why, OW_EIO, "The media port %u cannot be opened: %s.", settings->port,
                      strerror(errno));
}

static void prepare_batches(struct media_socket *self)
{
    for (int i = 0; i < MEDIA_BATCH; i++) {
        self->in_parts[i] = (struct iovec){self->in_data[i], MEDIA_DATAGRAM_BYTES};
        self->in[i].msg_hdr.msg_iov = &self->in_parts[i];
        self->in[i].msg_hdr.msg_iovlen = 1;
        self->in[i].msg_hdr.msg_name = &self->in_from[i];
    }
    for (int i = 0; i < QUEUE; i++) {
        self->parts[i].iov_base = self->queue[i].data;
        self->out[i].msg_hdr.msg_name = &self->messages[i].to;
    }
}

int media_socket_open(struct media_socket **out, const struct media_socket_settings *settings,
                      struct reason *why)
{
    struct media_socket *self = calloc(1, sizeof *self);
    if (!self)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    int rc = bind_socket(self, settings, why);
    if (rc != OW_OK) {
        free(self);
        return rc;
    }
    set_buffers(self->fd);
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    struct address bound;
    getsockname(self->fd, (struct sockaddr *)&name, &size);
    address_from_sockaddr(&bound, &name);
    self->port = bound.port;
    self->figures.segmentation = true;
    prepare_batches(self);
    *out = self;
    return OW_OK;
}

int media_socket_share(struct media_socket *self)
{
    int on = 1;
    return setsockopt(self->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 ? OW_OK
                                                                               : OW_EUNSUPPORTED;
}

int media_socket_fd(const struct media_socket *socket)
{
    return socket->fd;
}

uint16_t media_socket_port(const struct media_socket *socket)
{
    return socket->port;
}

/* Receive offload (UDP_GRO) is left out: what comes in are single small reports of many viewers,
 * which never join, and it would want 64 KB of buffer for each. */
int media_socket_receive(struct media_socket *self, struct media_datagram *out)
{
    for (int i = 0; i < MEDIA_BATCH; i++)
        self->in[i].msg_hdr.msg_namelen = sizeof self->in_from[i];
    int count = 0;
    /* An error that an earlier datagram caused (port unreachable) is reported once, then gone. */
    for (int tries = 0; tries < 8; tries++) {
        count = recvmmsg(self->fd, self->in, MEDIA_BATCH, MSG_DONTWAIT, NULL);
        if (count >= 0 || errno == EAGAIN)
            break;
    }
    for (int i = 0; i < count; i++) {
        address_from_sockaddr(&out[i].from, &self->in_from[i]);
        out[i].size = self->in[i].msg_len;
        out[i].data = self->in_data[i];
    }
    return count > 0 ? count : 0;
}

/* -- outwards -- */

struct rtc_output *media_socket_next(struct media_socket *self)
{
    if (self->queued == QUEUE)
        media_socket_flush(self);
    return &self->queue[self->queued];
}

void media_socket_commit(struct media_socket *self)
{
    const struct rtc_output *datagram = &self->queue[self->queued];
    if (datagram->to.family == ADDRESS_NONE || (datagram->to.family == ADDRESS_IPV6 && !self->ipv6))
        self->figures.refused++;
    else
        self->queued++;
}

void media_socket_send(struct media_socket *self, const struct address *to, const uint8_t *data,
                       size_t size)
{
    struct rtc_output *datagram = media_socket_next(self);
    if (size > sizeof datagram->data) {
        self->figures.refused++;
        return;
    }
    datagram->to = *to;
    datagram->size = size;
    memcpy(datagram->data, data, size);
    media_socket_commit(self);
}

/* How many datagrams from `first` on make one message. */
static int run_length(const struct media_socket *self, int first)
{
    const struct rtc_output *head = &self->queue[first];
    size_t bytes = head->size;
    int count = 1;
    while (self->figures.segmentation && first + count < self->queued && count < MAX_SEGMENTS) {
        const struct rtc_output *next = &self->queue[first + count];
        if (next->size > head->size || bytes + next->size > MAX_MESSAGE_BYTES || next->size == 0 ||
            !address_equal(&next->to, &head->to))
            break;
        bytes += next->size;
        count++;
        if (next->size < head->size)
            break;
    }
    return count;
}

static void set_segment_size(struct mmsghdr *message, struct out_message *details, size_t size)
{
    message->msg_hdr.msg_control = details->control;
    message->msg_hdr.msg_controllen = sizeof details->control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message->msg_hdr);
    uint16_t segment = (uint16_t)size;
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(header), &segment, sizeof segment);
}

/* Makes the messages of the queue from datagram `first` on; of one datagram each when `single`.
 * Returns how many. */
static int build_messages(struct media_socket *self, int first, int end, bool single)
{
    int count = 0;
    while (first < end) {
        struct out_message *details = &self->messages[count];
        struct msghdr *header = &self->out[count].msg_hdr;
        details->first = first;
        details->count = single ? 1 : run_length(self, first);
        address_to_sockaddr(&self->queue[first].to, self->ipv6, &details->to, &header->msg_namelen);
        for (int i = first; i < first + details->count; i++)
            self->parts[i].iov_len = self->queue[i].size;
        header->msg_iov = &self->parts[first];
        header->msg_iovlen = (size_t)details->count;
        header->msg_control = NULL;
        header->msg_controllen = 0;
        if (details->count > 1)
            set_segment_size(&self->out[count], details, self->queue[first].size);
        first += details->count;
        count++;
    }
    return count;
}

static void count_sent(struct media_socket *self, const struct out_message *messages, int count)
{
    for (int i = 0; i < count; i++) {
        self->figures.datagrams += (uint64_t)messages[i].count;
        if (messages[i].count > 1)
            self->refusals = 0;
    }
    self->figures.messages += (uint64_t)count;
}

/* Sends messages[0..count) and returns the datagram to go on with: the end, or the first one of a
 * segmented message that was refused. */
static int send_messages(struct media_socket *self, int count, int end)
{
    int done = 0, full = 0;
    while (done < count) {
        int sent = sendmmsg(self->fd, self->out + done, (unsigned)(count - done), 0);
        const struct out_message *refused = &self->messages[done];
        if (sent > 0) {
            count_sent(self, refused, sent);
            done += sent;
            full = 0;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            self->figures.full += (uint64_t)refused->count;
            self->figures.refused += (uint64_t)refused->count;
            done++;
            if (++full == MAX_FULL && done < count) {
                uint64_t left = (uint64_t)(end - self->messages[done].first);
                self->figures.full += left;
                self->figures.refused += left;
                return end;
            }
        } else if (errno != EINTR) {
            if (refused->count > 1)
                return refused->first;
            self->figures.refused++; /* this one; the others may have another way */
            done++;
        }
    }
    return end;
}

/* A refused segmented message leaves as single datagrams: then it was the segmentation. */
static int send_singly(struct media_socket *self, int first)
{
    int end = first + run_length(self, first);
    uint64_t sent = self->figures.datagrams;
    send_messages(self, build_messages(self, first, end, true), end);
    if (self->figures.datagrams != sent && ++self->refusals >= MAX_REFUSALS)
        self->figures.segmentation = false;
    return end;
}

void media_socket_flush(struct media_socket *self)
{
    int first = 0;
    while (first < self->queued) {
        first = send_messages(self, build_messages(self, first, self->queued, false), self->queued);
        if (first < self->queued)
            first = send_singly(self, first);
    }
    self->queued = 0;
}

void media_socket_figures(const struct media_socket *socket, struct media_socket_figures *out)
{
    *out = socket->figures;
}

void media_socket_close(struct media_socket **socket)
{
    if (!*socket)
        return;
    close((*socket)->fd);
    free(*socket);
    *socket = NULL;
}
