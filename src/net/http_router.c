/* From a request to its handler. */
#include "net/http_guard.h"
#include "net/http_internal.h"

#include <stdio.h>

static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/* The methods that a path knows, each once, as an Allow header; NULL when no route takes it. */
static char *allow_header(const struct http_server *server, const char *path, char *out,
                          size_t room)
{
    struct http_request scratch;
    bool named[sizeof method_names / sizeof method_names[0]] = {false};
    size_t at = 0;
    for (const struct http_route *i = server->settings.routes; i->pattern; i++)
        if (!named[i->method] && http_route_match(i->pattern, path, &scratch)) {
            at += (size_t)snprintf(out + at, room - at, "%s%s",
                                   at ? ", " : "Allow: ", method_names[i->method]);
            named[i->method] = true;
        }
    if (at == 0)
        return NULL;
    snprintf(out + at, room - at, "\r\n");
    return out;
}

static void run_route(struct http_server *server, struct http_exchange *exchange,
                      const struct http_route *route)
{
    exchange->route = route;
    exchange->context = server->settings.context;
    if (route->flags & HTTP_STREAMS) {
        if (http_streams_add(&server->streams, exchange) != OW_OK)
            http_reply_error(exchange, 503,
                             "Too many uploads are under way: try again in a moment.");
    } else if (!(route->flags & HTTP_MAY_BLOCK)) {
        route->handle(exchange->context, exchange);
    } else if (http_workers_add(server->workers, exchange) != OW_OK) {
        http_reply_error(exchange, 503, "Too many requests are waiting: try again in a moment.");
    }
}

/* The route that a request is for, NULL when there is none; `params` gets the parts of its path. */
static const struct http_route *find_route(const struct http_server *server,
                                           const struct http_request *request,
                                           struct http_request *params)
{
    const struct http_route *i = server->settings.routes;
    while (i->pattern &&
           (i->method != request->method || !http_route_match(i->pattern, request->path, params)))
        i++;
    return i->pattern ? i : NULL;
}

bool http_router_streams(const struct http_server *server, const struct http_exchange *exchange)
{
    struct http_request scratch;
    const struct http_route *route = find_route(server, &exchange->request, &scratch);
    return route && (route->flags & HTTP_STREAMS);
}

/* The request has passed http_access_check(). */
void http_router_dispatch(struct http_server *server, struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    const struct http_route *route = find_route(server, request, request);
    if (route) {
        run_route(server, exchange, route);
        return;
    }
    char allow[128];
    const char *known = allow_header(server, request->path, allow, sizeof allow);
    if (request->method == HTTP_OPTIONS) {
        http_reply(exchange, 204, "text/plain", NULL, 0,
                   known ? known : "Allow: GET, HEAD, OPTIONS\r\n");
    } else if (known) {
        static const char body[] = "{\"detail\": \"This path does not know that method.\"}";
        http_reply(exchange, 405, "application/json", body, sizeof body - 1, known);
    } else if (request->method == HTTP_GET && server->settings.fallback) {
        server->settings.fallback(server->settings.context, exchange);
    } else {
        http_reply_error(exchange, 404, "There is nothing at this path.");
    }
}
