#include "net/http_policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { HOST_BYTES = 256 };

/* A host, with or without port, as a policy can name it: that has no way to write IPv6. */
static bool is_source(const char *host, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr(".-_:", host[i]))
            return false;
    return size > 0 && size < HOST_BYTES;
}

/* Whole or not at all. */
static void append(char out[HTTP_POLICY_BYTES], const char *text)
{
    size_t at = strlen(out), size = strlen(text);
    if (at + size < HTTP_POLICY_BYTES)
        memcpy(out + at, text, size + 1);
}

/* 'self' covers WebSockets in new browsers only. */
static void add_sockets(char out[HTTP_POLICY_BYTES], const char *host)
{
    char both[2 * HOST_BYTES + 32];
    if (!is_source(host, strlen(host)))
        return;
    snprintf(both, sizeof both, " ws://%s wss://%s", host, host);
    append(out, both);
}

/* On every port, as pages of these hosts may call from every port. */
static void add_ancestors(char out[HTTP_POLICY_BYTES], const char *list)
{
    char both[2 * HOST_BYTES + 32];
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t size = strcspn(list, ", \t");
        if (size == 1 && list[0] == '*') {
            append(out, " *");
        } else if (is_source(list, size) && !memchr(list, ':', size)) {
            snprintf(both, sizeof both, " http://%.*s:* https://%.*s:*", (int)size, list, (int)size,
                     list);
            append(out, both);
        }
        list += size;
    }
}

void http_policy_write(const char *host, const char *allowed_hosts, char out[HTTP_POLICY_BYTES])
{
    snprintf(out, HTTP_POLICY_BYTES,
             "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
             "img-src 'self' blob: data:; media-src 'self' blob:; base-uri 'none'; "
             "form-action 'self'; connect-src 'self'");
    add_sockets(out, host);
    append(out, "; frame-ancestors 'self'");
    add_ancestors(out, allowed_hosts);
}

void http_policy_write_inline(const char *nonce, char out[HTTP_POLICY_BYTES])
{
    snprintf(out, HTTP_POLICY_BYTES,
             "default-src 'none'; script-src 'nonce-%.64s'; style-src 'nonce-%.64s'; "
             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             nonce, nonce);
}
