/* The listening socket is opened here and not by the library, so that a port already taken, all
 * addresses of both families and a port chosen by the system behave the same in all its versions.
 */
#include "net/http_internal.h"
#include "net/media_socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128 };

/* -1 with errno. */
static int listen_on(const struct address *address, bool both_families)
{
    struct sockaddr_storage name;
    socklen_t size;
    int on = 1, v6_only = !both_families;
    address_to_sockaddr(address, false, &name, &size);
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->family == ADDRESS_IPV6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    if (bind(fd, (struct sockaddr *)&name, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int http_listen(int *out_fd, uint16_t *out_port, const char *bind_address, uint16_t port,
                struct reason *why)
{
    bool all = !bind_address[0];
    struct address address = {.family = ADDRESS_IPV6, .port = port};
    if (!all && address_parse(&address, bind_address, port) != OW_OK)
        return reason_set(why, OW_EINVAL, "The address to listen on, \"%s\", is not an IP address.",
                          bind_address);
    bool both = all || strcmp(bind_address, "::") == 0;
    int fd = listen_on(&address, both);
    if (fd < 0 && all && errno != EADDRINUSE) {
        address.family = ADDRESS_IPV4; /* a kernel without IPv6 */
        fd = listen_on(&address, false);
    }
    if (fd < 0 && errno == EADDRINUSE)
        return reason_set(why, OW_EEXISTS,
                          "TCP port %u is already in use: stop the other program or choose another "
                          "port with --port.",
                          port);
    if (fd < 0)
        return reason_set(why, OW_EIO, "Cannot listen on port %u: %s.", port, strerror(errno));
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    getsockname(fd, (struct sockaddr *)&name, &size);
    address_from_sockaddr(&address, &name);
    *out_fd = fd;
    *out_port = address.port;
    return OW_OK;
}
