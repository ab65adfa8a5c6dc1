/* The door of the HTTP server: which requests go on to their handlers. First Host and Origin
 * (http_guard.h), then, on a protected server, whether the client has logged in or bears a token.
 */
#ifndef OW_NET_HTTP_ACCESS_H
#define OW_NET_HTTP_ACCESS_H

#include "net/http_server.h"

enum { HTTP_SET_COOKIE_BYTES = 256 };

/* A Set-Cookie line for a session; "" takes it back. The cookie bears the port's number, because
 * browsers share cookies between the ports of a host. */
void http_access_set_cookie(const struct http_request *request, const char *session,
                            char out[HTTP_SET_COOKIE_BYTES]);
/* The session in the request's cookie; false when there is none. */
bool http_access_session(const struct http_request *request, char *out, size_t room);

#endif
