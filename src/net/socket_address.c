#include "net/socket_address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

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
