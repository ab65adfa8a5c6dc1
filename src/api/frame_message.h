/* One picture as a WebSocket message: JSON with base64, or binary (4 bytes of header length, big
 * endian; a JSON header; the record where it was asked for; the JPEG file). */
#ifndef OW_API_FRAME_MESSAGE_H
#define OW_API_FRAME_MESSAGE_H

#include "core/encoded.h"
#include "net/http_server.h"
#include "workflow/view.h"

/* With `records` what is known of the picture goes with it (core/metadata.h), names of classes
 * included. One reference, NULL = no memory. */
struct http_message *frame_message_create(struct view *view, const struct encoded *picture,
                                          bool binary, bool records);

/* RFC 4648, with padding. `out` holds base64_size(size) characters, no NUL. */
size_t base64_size(size_t size);
void base64_write(char *out, const uint8_t *data, size_t size);

#endif
