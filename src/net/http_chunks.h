/* The chunked transfer coding (RFC 9112, 7.1), decoded piece by piece. */
#ifndef OW_NET_HTTP_CHUNKS_H
#define OW_NET_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

enum http_chunks_state {
    HTTP_CHUNKS_SIZE,
    HTTP_CHUNKS_EXTENSION,
    HTTP_CHUNKS_DATA,
    HTTP_CHUNKS_DATA_END,
    HTTP_CHUNKS_TRAILER,
    HTTP_CHUNKS_DONE,
};

struct http_chunks { /* zeroed before the first byte */
    enum http_chunks_state state;
    uint64_t left;         /* of this chunk */
    int digits;            /* of its size so far */
    unsigned line, passed; /* bytes of the line at hand; of all extensions and trailers */
};

/* Reads from `data`: *used bytes were taken, of which the last *body_size (at *body) belong to the
 * body. Call it again with the rest until *used is 0 or the state is HTTP_CHUNKS_DONE. OW_EPARSE.
 */
int http_chunks_read(struct http_chunks *chunks, const char *data, size_t size, size_t *used,
                     const char **body, size_t *body_size);

#endif
