/* Who may talk to the HTTP port: Host and Origin of a request, and the route table's patterns. Pure
 * functions over text. */
#ifndef OW_NET_HTTP_GUARD_H
#define OW_NET_HTTP_GUARD_H

#include "net/http_server.h"

/* Is the Host header (with or without port) localhost, a loopback or the bind address, or one of
 * the comma separated allowed hosts ("*" = any)? With all addresses bound, any literal IP address
 * is ours: DNS rebinding needs a name. */
bool http_host_allowed(const char *host, const char *bind_address, const char *allowed_hosts);

/* Does the Origin header (empty = absent) name the same host and port as Host? */
bool http_origin_allowed(const char *origin, const char *host);

/* Checks both; on refusal `why` says what to do. OW_EAUTH. */
int http_guard_check(const char *host, const char *origin, const char *bind_address,
                     const char *allowed_hosts, struct reason *why);

/* Does `path` fit `pattern`? Fills params. An empty segment never fits a {name}. */
bool http_route_match(const char *pattern, const char *path, struct http_request *request);

#endif
