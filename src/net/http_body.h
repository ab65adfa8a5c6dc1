/* The body of a request on its way from the service thread to the thread that takes it in: a ring
 * of bounded size. When it is full the client has to wait, and nothing else does. */
#ifndef OW_NET_HTTP_BODY_H
#define OW_NET_HTTP_BODY_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

struct http_body;

enum { HTTP_BODY_RING_BYTES = 256 * 1024 };

int http_body_create(struct http_body **out);
void http_body_destroy(struct http_body **body);

/* The writer's side; none of these blocks. */
size_t http_body_room(struct http_body *body); /* 0 makes the reader ask for more when there is */
void http_body_put(struct http_body *body, const void *data, size_t size); /* at most the room */
void http_body_finish(struct http_body *body);                             /* that was all */
void http_body_break(struct http_body *body); /* no more will come, and it is not all */
/* Was the writer without room, and has some by now? */
bool http_body_wants_more(struct http_body *body);

/* The reader's: blocks until there is something. *size 0 = the end. *made_room: the writer was
 * waiting for this and has to be told. OW_ECLOSED: broken off. */
int http_body_take(struct http_body *body, void *out, size_t room, size_t *size, bool *made_room);

#endif
