/* What a page of this server may load and who may show it in a frame: its Content-Security-Policy
 * (W3C CSP3). Pure functions over text. */
#ifndef OW_NET_HTTP_POLICY_H
#define OW_NET_HTTP_POLICY_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_POLICY_BYTES = 1536 };

/* The value of the field. `host` is the request's, checked; its WebSockets may be connected to.
 * `allowed_hosts` as http_host_allowed() takes it: pages of theirs may frame this one. Hosts for
 * which there is no room are left out. */
void http_policy_write(const char *host, const char *allowed_hosts, char out[HTTP_POLICY_BYTES]);

/* For a page that stands in the program, with script and style in it that bear this nonce. It is
 * shown in no frame. */
void http_policy_write_inline(const char *nonce, char out[HTTP_POLICY_BYTES]);

#endif
