/* A form of any content, the first line as its content type: read at once and byte by byte, its
 * file must come out the same. */
#include "fuzz.h"

#include "net/multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 64 * 1024 };

struct reading {
    int rc;
    enum multipart_state state;
    size_t used, body_size;
    char body[BODY_BYTES];
    char filename[MULTIPART_NAME_BYTES];
};

static bool has_ended(const struct multipart *form)
{
    return form->state == MULTIPART_DONE || form->state == MULTIPART_NONE;
}

/* Feeds at most `step` bytes at a time. */
static void read_all(struct reading *out, const char *type, const char *data, size_t size,
                     size_t step)
{
    struct multipart form;
    *out = (struct reading){.rc = multipart_init(&form, type)};
    while (out->rc == OW_OK && out->used < size && !has_ended(&form)) {
        size_t given = size - out->used < step ? size - out->used : step;
        size_t used = 0, body_size = 0;
        const char *body = NULL;
        out->rc = multipart_read(&form, data + out->used, given, &used, &body, &body_size);
        if (out->rc != OW_OK)
            break;
        /* What was held back may be given before anything more is taken. */
        if (used > given || (used == 0 && body_size == 0) ||
            body_size > BODY_BYTES - out->body_size)
            abort();
        memcpy(out->body + out->body_size, body, body_size);
        out->body_size += body_size;
        out->used += used;
    }
    out->state = form.state;
    snprintf(out->filename, sizeof out->filename, "%s", form.filename);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, pieces;
    char type[256];
    const char *text = (const char *)data;
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (!end || size > BODY_BYTES)
        return 0;
    size_t skip = (size_t)(end - data) + 1;
    snprintf(type, sizeof type, "%.*s", (int)(skip - 1), text);
    read_all(&whole, type, text + skip, size - skip, BODY_BYTES + 1);
    read_all(&pieces, type, text + skip, size - skip, 1);
    if (whole.rc != pieces.rc)
        abort();
    if (whole.rc == OW_OK &&
        (whole.state != pieces.state || whole.used != pieces.used ||
         whole.body_size != pieces.body_size || strcmp(whole.filename, pieces.filename) != 0 ||
         memcmp(whole.body, pieces.body, whole.body_size) != 0))
        abort();
    return 0;
}
