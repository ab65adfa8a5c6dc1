/* A chunked body of any content: read at once and byte by byte, it must come out the same. */
#include "fuzz.h"

#include "core/error.h"
#include "net/http_chunks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 64 * 1024 };

struct reading {
    int rc;
    enum http_chunks_state state;
    size_t used, body_size;
    char body[BODY_BYTES];
};

/* Feeds at most `step` bytes at a time. */
static void read_all(struct reading *out, const char *data, size_t size, size_t step)
{
    struct http_chunks chunks = {0};
    *out = (struct reading){.rc = OW_OK};
    while (out->used < size && chunks.state != HTTP_CHUNKS_DONE) {
        size_t given = size - out->used < step ? size - out->used : step;
        size_t used = 0, body_size = 0;
        const char *body = NULL;
        out->rc = http_chunks_read(&chunks, data + out->used, given, &used, &body, &body_size);
        if (out->rc != OW_OK)
            break;
        if (used > given || body_size > used || (used == 0 && given == step))
            abort();
        if (body_size > 0)
            memcpy(out->body + out->body_size, body, body_size);
        out->body_size += body_size;
        out->used += used;
        if (used == 0)
            break;
    }
    out->state = chunks.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, pieces;
    if (size > BODY_BYTES)
        return 0;
    read_all(&whole, (const char *)data, size, BODY_BYTES + 1);
    read_all(&pieces, (const char *)data, size, 1);
    if (whole.rc != pieces.rc)
        abort();
    if (whole.rc == OW_OK && (whole.state != pieces.state || whole.used != pieces.used ||
                              whole.body_size != pieces.body_size ||
                              memcmp(whole.body, pieces.body, whole.body_size) != 0))
        abort();
    return 0;
}
