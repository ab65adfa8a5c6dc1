#include "net/server_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PORT = 3478, TLS_PORT = 5349 };

static int fail(struct reason *why, const char *text, const char *what)
{
    return reason_set(why, OW_EPARSE, "\"%.100s\" %s.", text, what);
}

static bool take_word(const char **at, const char *word)
{
    size_t size = strlen(word);
    if (strncasecmp(*at, word, size) != 0)
        return false;
    *at += size;
    return true;
}

/* The host and what follows it. */
static bool take_host(const char **at, struct server_url *url)
{
    bool bracketed = **at == '[';
    const char *begin = *at + bracketed;
    size_t size = strcspn(begin, bracketed ? "]" : ":?/@#");
    if (size == 0 || size >= sizeof url->host || (bracketed && begin[size] != ']'))
        return false;
    memcpy(url->host, begin, size);
    url->host[size] = '\0';
    *at = begin + size + bracketed;
    return true;
}

static bool take_port(const char **at, struct server_url *url)
{
    if (**at != ':')
        return true;
    char *end;
    long port = strtol(*at + 1, &end, 10);
    if (end == *at + 1 || (*at)[1] < '0' || (*at)[1] > '9' || port < 1 || port > 65535)
        return false;
    url->port = (uint16_t)port;
    *at = end;
    return true;
}

int server_url_parse(struct server_url *out, const char *text, bool turn, struct reason *why)
{
    struct server_url url = {.kind = SERVER_STUN, .port = PORT};
    const char *at = text;
    bool tls = turn && take_word(&at, "turns:");
    if (tls) {
        url.kind = SERVER_TURN_TLS;
        url.port = TLS_PORT;
    } else if (turn && take_word(&at, "turn:")) {
        url.kind = SERVER_TURN_UDP;
    } else if (turn || !take_word(&at, "stun:")) {
        return fail(why, text,
                    turn ? "is no TURN server: write turn:host:port or turns:host:port"
                         : "is no STUN server: write stun:host:port");
    }
    if (!take_host(&at, &url))
        return fail(why, text, "names no host");
    if (!take_port(&at, &url))
        return fail(why, text, "has no proper port");
    if (turn && take_word(&at, "?transport=")) {
        if (take_word(&at, "tcp"))
            url.kind = tls ? SERVER_TURN_TLS : SERVER_TURN_TCP;
        else if (tls || !take_word(&at, "udp"))
            return fail(why, text,
                        "asks for a transport that there is not: tcp or udp (turns: tcp)");
    }
    if (*at != '\0')
        return fail(why, text, "goes on behind its end");
    *out = url;
    return OW_OK;
}
