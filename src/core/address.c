#include "core/address.h"

#include "core/error.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static size_t ip_size(const struct address *address)
{
    return address->family == ADDRESS_IPV6 ? 16 : 4;
}

bool address_same_ip(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, ip_size(a)) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->port == b->port && a->transport == b->transport && address_same_ip(a, b);
}

int address_parse(struct address *out, const char *ip, uint16_t port)
{
    struct address parsed = {.port = port};
    if (inet_pton(AF_INET, ip, parsed.ip) == 1)
        parsed.family = ADDRESS_IPV4;
    else if (inet_pton(AF_INET6, ip, parsed.ip) == 1)
        parsed.family = ADDRESS_IPV6;
    else
        return OW_EPARSE;
    *out = parsed;
    return OW_OK;
}

const char *address_ip_text(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    int family = address->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    if (!inet_ntop(family, address->ip, text, ADDRESS_TEXT_BYTES))
        text[0] = '\0';
    return text;
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    char ip[ADDRESS_TEXT_BYTES];
    address_ip_text(address, ip);
    const char *format = address->family == ADDRESS_IPV6 ? "[%.45s]:%u" : "%.45s:%u";
    snprintf(text, ADDRESS_TEXT_BYTES, format, ip, address->port);
    return text;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t ipv6_loopback[16] = {[15] = 1};
    if (address->family == ADDRESS_IPV4)
        return address->ip[0] == 127;
    return address->family == ADDRESS_IPV6 && memcmp(address->ip, ipv6_loopback, 16) == 0;
}
