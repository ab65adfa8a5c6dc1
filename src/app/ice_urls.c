#include "app/ice_urls.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_URL = 255 };

static const char separators[] = ", ";

static bool only(const char *text, size_t size, const char *characters)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0' || !strchr(characters, text[i]))
            return false;
    return size > 0;
}

/* The size of a host name, an IPv4 address or an IPv6 one in brackets; 0 = none of them. */
static size_t host_size(const char *text, size_t size)
{
    static const char hex[] = "0123456789abcdefABCDEF:.";
    static const char name[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._";
    if (size > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', size);
        return end && only(text + 1, (size_t)(end - text) - 1, hex) ? (size_t)(end - text) + 1 : 0;
    }
    const char *end = strpbrk(text, ":?");
    size_t length = end && (size_t)(end - text) < size ? (size_t)(end - text) : size;
    return only(text, length, name) ? length : 0;
}

/* What stands behind the host: ":port" or nothing. Its size, -1 = neither. */
static int port_size(const char *text, size_t size)
{
    if (size == 0 || text[0] != ':')
        return 0;
    int port = 0, at = 1;
    for (; (size_t)at < size && at < 7 && text[at] >= '0' && text[at] <= '9'; at++)
        port = port * 10 + (text[at] - '0');
    return port >= 1 && port <= 65535 ? at : -1;
}

static bool is_transport(const char *text, size_t size)
{
    static const char udp[] = "?transport=udp", tcp[] = "?transport=tcp";
    return size == sizeof udp - 1 && (memcmp(text, udp, size) == 0 || memcmp(text, tcp, size) == 0);
}

static bool is_url(const char *url, size_t size, enum ice_url_kind kind)
{
    static const char *const schemes[][2] = {{"stun:", "stuns:"}, {"turn:", "turns:"}};
    size_t at = 0;
    for (int i = 0; i < 2 && at == 0; i++)
        if (strncmp(url, schemes[kind][i], strlen(schemes[kind][i])) == 0)
            at = strlen(schemes[kind][i]);
    if (at == 0 || size > MAX_URL)
        return false;
    size_t host = host_size(url + at, size - at);
    if (host == 0)
        return false;
    at += host;
    int port = port_size(url + at, size - at);
    if (port < 0)
        return false;
    at += (size_t)port;
    return at == size || (kind == ICE_URL_TURN && is_transport(url + at, size - at));
}

int ice_urls_check(const char *urls, enum ice_url_kind kind, const char *option, struct reason *why)
{
    static const char *const examples[] = {"stun:stun.example.org:3478",
                                           "turn:turn.example.org:3478?transport=udp"};
    size_t count = 0;
    for (;;) {
        urls += strspn(urls, separators);
        size_t size = strcspn(urls, separators);
        if (size == 0)
            break;
        if (!is_url(urls, size, kind))
            return reason_set(why, OW_EINVAL, "--%s is \"%.*s\", but must look like %s", option,
                              size < 80 ? (int)size : 80, urls, examples[kind]);
        urls += size;
        count++;
    }
    if (count == 0)
        return reason_set(why, OW_EINVAL, "--%s is empty, but must look like %s", option,
                          examples[kind]);
    return OW_OK;
}

int ice_urls_first(const char *urls, const char *scheme, char *out, size_t room)
{
    while (urls) {
        urls += strspn(urls, separators);
        size_t size = strcspn(urls, separators);
        if (size == 0)
            break;
        if (size < room && strncmp(urls, scheme, strlen(scheme)) == 0) {
            memcpy(out, urls, size);
            out[size] = '\0';
            return OW_OK;
        }
        urls += size;
    }
    return OW_ENOTFOUND;
}
