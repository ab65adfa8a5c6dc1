#include "net/media_socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SOCKET_BUFFER_BYTES = 4 * 1024 * 1024, /* a small one starves STUN behind video */
    DSCP_AF41 = 34 << 2,                   /* RFC 8837: interactive video */
};

struct media_socket {
    int fd;
    bool ipv6; /* the descriptor speaks IPv6, IPv4 addresses are mapped */
    uint16_t port;
    uint64_t refused;

    struct mmsghdr in[MEDIA_BATCH];
    struct iovec in_parts[MEDIA_BATCH];
    struct sockaddr_storage in_from[MEDIA_BATCH];
    uint8_t in_data[MEDIA_BATCH][MEDIA_DATAGRAM_BYTES];

    int out_count;
    struct mmsghdr out[MEDIA_BATCH];
    struct iovec out_parts[MEDIA_BATCH];
    struct sockaddr_storage out_to[MEDIA_BATCH];
    uint8_t out_data[MEDIA_BATCH][MEDIA_DATAGRAM_BYTES];
};

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

void address_to_sockaddr(const struct address *address, bool as_ipv6, struct sockaddr_storage *out,
                         socklen_t *size)
{
    memset(out, 0, sizeof *out);
    if (address->family == ADDRESS_IPV4 && !as_ipv6) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(address->port);
        memcpy(&in->sin_addr, address->ip, 4);
        *size = sizeof *in;
        return;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address->port);
    if (address->family == ADDRESS_IPV4) {
        memcpy(in6->sin6_addr.s6_addr, mapped_prefix, 12);
        memcpy(in6->sin6_addr.s6_addr + 12, address->ip, 4);
    } else {
        memcpy(in6->sin6_addr.s6_addr, address->ip, 16);
    }
    *size = sizeof *in6;
}

void address_from_sockaddr(struct address *out, const struct sockaddr_storage *in)
{
    memset(out, 0, sizeof *out);
    if (in->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)in;
        out->family = ADDRESS_IPV4;
        out->port = ntohs(in4->sin_port);
        memcpy(out->ip, &in4->sin_addr, 4);
    } else if (in->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)in;
        bool mapped = memcmp(in6->sin6_addr.s6_addr, mapped_prefix, 12) == 0;
        out->family = mapped ? ADDRESS_IPV4 : ADDRESS_IPV6;
        out->port = ntohs(in6->sin6_port);
        memcpy(out->ip, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    }
}

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

static int bind_family(int family, const struct address *address)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int off = 0;
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
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
static int bind_socket(struct media_socket *self, const char *bind_address, uint16_t port,
                       struct reason *why)
{
    struct address address = {.family = ADDRESS_IPV6, .port = port};
    if (bind_address && address_parse(&address, bind_address, port) != OW_OK)
        return reason_set(why, OW_EINVAL, "The media address \"%s\" is not an IP address.",
                          bind_address);
    self->ipv6 = true;
    self->fd = bind_family(AF_INET6, &address);
    if (self->fd < 0 && errno != EADDRINUSE) {
        if (!bind_address)
            address.family = ADDRESS_IPV4;
        if (address.family == ADDRESS_IPV4) {
            self->ipv6 = false;
            self->fd = bind_family(AF_INET, &address);
        }
    }
    if (self->fd >= 0)
        return OW_OK;
    if (errno == EADDRINUSE)
        return reason_set(why, OW_EEXISTS,
                          "UDP port %u is already in use: stop the other program or choose another "
                          "port with --media-port.",
                          port);
    return reason_set(why, OW_EIO, "The media port %u cannot be opened: %s.", port,
                      strerror(errno));
}

static void prepare_batches(struct media_socket *self)
{
    for (int i = 0; i < MEDIA_BATCH; i++) {
        self->in_parts[i] = (struct iovec){self->in_data[i], MEDIA_DATAGRAM_BYTES};
        self->in[i].msg_hdr.msg_iov = &self->in_parts[i];
        self->in[i].msg_hdr.msg_iovlen = 1;
        self->in[i].msg_hdr.msg_name = &self->in_from[i];
        self->out_parts[i].iov_base = self->out_data[i];
        self->out[i].msg_hdr.msg_iov = &self->out_parts[i];
        self->out[i].msg_hdr.msg_iovlen = 1;
        self->out[i].msg_hdr.msg_name = &self->out_to[i];
    }
}

int media_socket_open(struct media_socket **out, const char *bind_address, uint16_t port,
                      struct reason *why)
{
    struct media_socket *self = calloc(1, sizeof *self);
    if (!self)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    int rc = bind_socket(self, bind_address, port, why);
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
    prepare_batches(self);
    *out = self;
    return OW_OK;
}

int media_socket_fd(const struct media_socket *socket)
{
    return socket->fd;
}

uint16_t media_socket_port(const struct media_socket *socket)
{
    return socket->port;
}

int media_socket_receive(struct media_socket *self, struct media_datagram *out)
{
    for (int i = 0; i < MEDIA_BATCH; i++)
        self->in[i].msg_hdr.msg_namelen = sizeof self->in_from[i];
    int count;
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

void media_socket_send(struct media_socket *self, const struct address *to, const uint8_t *data,
                       size_t size)
{
    if (size > MEDIA_DATAGRAM_BYTES || (to->family == ADDRESS_IPV6 && !self->ipv6) ||
        to->family == ADDRESS_NONE) {
        self->refused++;
        return;
    }
    int i = self->out_count++;
    memcpy(self->out_data[i], data, size);
    self->out_parts[i].iov_len = size;
    address_to_sockaddr(to, self->ipv6, &self->out_to[i], &self->out[i].msg_hdr.msg_namelen);
    if (self->out_count == MEDIA_BATCH)
        media_socket_flush(self);
}

void media_socket_flush(struct media_socket *self)
{
    int done = 0;
    while (done < self->out_count) {
        int sent = sendmmsg(self->fd, self->out + done, (unsigned)(self->out_count - done), 0);
        if (sent > 0) {
            done += sent;
        } else if (errno != EINTR) {
            self->refused++; /* this one; the others may have another way */
            done++;
        }
    }
    self->out_count = 0;
}

uint64_t media_socket_refused(const struct media_socket *socket)
{
    return socket->refused;
}

void media_socket_close(struct media_socket **socket)
{
    if (!*socket)
        return;
    close((*socket)->fd);
    free(*socket);
    *socket = NULL;
}

static bool is_usable(const struct address *address, bool loopback)
{
    if (address->family == ADDRESS_NONE || address_is_loopback(address) != loopback)
        return false;
    bool link_local = address->family == ADDRESS_IPV6 && address->ip[0] == 0xfe &&
                      (address->ip[1] & 0xc0) == 0x80;
    return !link_local;
}

int media_local_addresses(struct address *out, int max, bool loopback)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return 0;
    int count = 0;
    for (int pass = 0; pass < 2; pass++) {
        int family = pass == 0 ? AF_INET : AF_INET6;
        for (struct ifaddrs *i = list; i && count < max; i = i->ifa_next) {
            if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP))
                continue;
            struct sockaddr_storage name = {0};
            memcpy(&name, i->ifa_addr,
                   family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
            struct address address;
            address_from_sockaddr(&address, &name);
            if (is_usable(&address, loopback))
                out[count++] = address;
        }
    }
    freeifaddrs(list);
    return count;
}
