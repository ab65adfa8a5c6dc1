#include "net/http_access.h"

#include "core/clock.h"
#include "core/percent.h"
#include "net/http_auth.h"
#include "net/http_auth_fields.h"
#include "net/http_guard.h"
#include "net/http_internal.h"

#include <stdio.h>
#include <string.h>

enum { COOKIE_NAME_BYTES = 32, NEXT_BYTES = 1024 };

static void name_cookie(const struct http_request *request, char name[COOKIE_NAME_BYTES])
{
    snprintf(name, COOKIE_NAME_BYTES, "overwatch_%u", request->local.port);
}

void http_access_set_cookie(const struct http_request *request, const char *session,
                            char out[HTTP_SET_COOKIE_BYTES])
{
    char name[COOKIE_NAME_BYTES];
    name_cookie(request, name);
    snprintf(out, HTTP_SET_COOKIE_BYTES,
             "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict%s%s\r\n", name, session,
             session[0] ? "" : "; Max-Age=0", request->secure ? "; Secure" : "");
}

bool http_access_session(const struct http_request *request, char *out, size_t room)
{
    char name[COOKIE_NAME_BYTES];
    name_cookie(request, name);
    return http_cookie_find(request->cookie, name, out, room);
}

/* -- who is it? -- */

static void identify(struct http_auth *auth, struct http_request *request)
{
    char session[HTTP_AUTH_SESSION_BYTES];
    const char *token = http_bearer_token(request->authorization);
    if (http_access_session(request, session, sizeof session))
        request->session = http_auth_session(auth, session, clock_now_us());
    request->authenticated = request->session != 0 || (token && http_auth_token_fits(auth, token));
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What everybody may see: a browser's question before a request of another origin, routes that say
 * so, and the files of the log-in page. */
static bool is_open(const struct http_server *server, const struct http_request *request)
{
    struct http_request scratch;
    if (request->method == HTTP_OPTIONS)
        return true;
    for (const struct http_route *i = server->settings.routes; i->pattern; i++)
        if ((i->flags & HTTP_OPEN) && i->method == request->method &&
            http_route_match(i->pattern, request->path, &scratch))
            return true;
    const char *const *open = server->settings.open_paths;
    for (; request->method == HTTP_GET && open && *open; open++)
        if (begins(request->path, *open))
            return true;
    return false;
}

/* -- and if not -- */

/* A page is asked for by a browser, which can be shown the log-in; all else is asked by programs.
 */
static bool is_page(const struct http_request *request, const struct http_head *head)
{
    const char *last = strrchr(request->path, '/');
    return request->method == HTTP_GET && !head->websocket && !begins(request->path, "/api/") &&
           !begins(request->path, "/whep/") && !begins(request->path, "/metrics") && last &&
           !strchr(last, '.');
}

/* The path and query of the request, encoded as they came; "/" when they are too long. */
static void write_target(const struct http_request *request, char out[NEXT_BYTES])
{
    size_t at = 0;
    bool fits = percent_encode(request->path, "/", out, NEXT_BYTES);
    for (int i = 0; i < request->query_count && fits; i++) {
        const struct http_pair *pair = &request->query[i];
        at += strlen(out + at);
        fits = at + 2 < NEXT_BYTES;
        if (!fits)
            break;
        out[at++] = i == 0 ? '?' : '&';
        fits = percent_encode(pair->name, "/", out + at, NEXT_BYTES - at);
        at += fits ? strlen(out + at) : 0;
        fits = fits && at + 2 < NEXT_BYTES;
        if (!fits)
            break;
        out[at++] = '=';
        fits = percent_encode(pair->value, "/", out + at, NEXT_BYTES - at);
    }
    if (!fits || !http_next_is_local(out))
        snprintf(out, NEXT_BYTES, "/");
}

static void send_to_login(struct http_exchange *exchange)
{
    char target[NEXT_BYTES], next[2 * NEXT_BYTES], headers[2 * NEXT_BYTES + 128];
    write_target(&exchange->request, target);
    if (!percent_encode(target, "/", next, sizeof next))
        snprintf(next, sizeof next, "/");
    snprintf(headers, sizeof headers, "Location: /login%s%s\r\nCache-Control: no-store\r\n",
             strcmp(target, "/") == 0 ? "" : "?next=", strcmp(target, "/") == 0 ? "" : next);
    http_reply(exchange, 303, "text/plain", NULL, 0, headers);
}

static void demand_login(struct http_exchange *exchange)
{
    static const char detail[] =
        "{\"detail\": \"Log in first: POST /api/login with the password, or send the header "
        "Authorization: Bearer and a token.\"}";
    static const char wrong[] =
        "{\"detail\": \"This token is not (any more) one of the server's.\"}";
    bool has_token = exchange->request.authorization[0] != '\0';
    const char *headers = has_token ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"
                                      "Cache-Control: no-store\r\n"
                                    : "WWW-Authenticate: Bearer\r\nCache-Control: no-store\r\n";
    http_reply(exchange, 401, "application/json", has_token ? wrong : detail,
               strlen(has_token ? wrong : detail), headers);
}

bool http_access_check(struct http_server *server, struct http_exchange *exchange,
                       const struct http_head *head)
{
    struct http_request *request = &exchange->request;
    struct reason why;
    if (http_guard_check(request->host, request->origin, server->bind_address,
                         server->allowed_hosts, &why) != OW_OK) {
        http_reply_error(exchange, 403, why.text);
        return false;
    }
    if (server->settings.auth)
        identify(server->settings.auth, request);
    else
        request->authenticated = true;
    if (request->authenticated || is_open(server, request))
        return true;
    if (is_page(request, head))
        send_to_login(exchange);
    else
        demand_login(exchange);
    return false;
}
