#include "net/http_chunks.h"

#include "core/error.h"

enum {
    MAX_DIGITS = 8,
    MAX_PASSED = 8 * 1024, /* extensions and trailers mean nothing here: a bound to reading them */
};

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int end_of_size(struct http_chunks *chunks)
{
    if (chunks->digits == 0)
        return OW_EPARSE;
    chunks->state = chunks->left > 0 ? HTTP_CHUNKS_DATA : HTTP_CHUNKS_TRAILER;
    chunks->digits = 0;
    chunks->line = 0;
    return OW_OK;
}

static int read_size(struct http_chunks *chunks, char c)
{
    int value = hex_value(c);
    if (value >= 0 && chunks->line == 0) {
        if (++chunks->digits > MAX_DIGITS)
            return OW_EPARSE;
        chunks->left = chunks->left << 4 | (unsigned)value;
        return OW_OK;
    }
    if (chunks->digits == 0)
        return OW_EPARSE;
    if (c == '\r' && chunks->line == 0) {
        chunks->line = 1;
        return OW_OK;
    }
    if (c == '\n' && chunks->line == 1)
        return end_of_size(chunks);
    if (chunks->line == 1 || (c != ';' && c != ' ' && c != '\t'))
        return OW_EPARSE;
    chunks->state = HTTP_CHUNKS_EXTENSION;
    return OW_OK;
}

static int read_control(struct http_chunks *chunks, char c)
{
    switch (chunks->state) {
    case HTTP_CHUNKS_SIZE:
        return read_size(chunks, c);
    case HTTP_CHUNKS_EXTENSION:
        if (++chunks->passed > MAX_PASSED)
            return OW_EPARSE;
        return c == '\n' ? end_of_size(chunks) : OW_OK;
    case HTTP_CHUNKS_DATA_END: /* CR LF */
        if (c != (chunks->line == 0 ? '\r' : '\n'))
            return OW_EPARSE;
        if (chunks->line++ == 1) {
            chunks->state = HTTP_CHUNKS_SIZE;
            chunks->line = 0;
        }
        return OW_OK;
    case HTTP_CHUNKS_TRAILER:
        if (++chunks->passed > MAX_PASSED)
            return OW_EPARSE;
        if (c == '\n' && chunks->line == 0)
            chunks->state = HTTP_CHUNKS_DONE;
        else if (c == '\n')
            chunks->line = 0;
        else if (c != '\r')
            chunks->line++;
        return OW_OK;
    case HTTP_CHUNKS_DATA:
    case HTTP_CHUNKS_DONE:
        break;
    }
    return OW_OK;
}

int http_chunks_read(struct http_chunks *chunks, const char *data, size_t size, size_t *used,
                     const char **body, size_t *body_size)
{
    size_t at = 0;
    *body_size = 0;
    while (at < size && chunks->state != HTTP_CHUNKS_DATA && chunks->state != HTTP_CHUNKS_DONE)
        if (read_control(chunks, data[at++]) != OW_OK)
            return OW_EPARSE;
    *body = data + at;
    if (chunks->state == HTTP_CHUNKS_DATA) {
        *body_size = size - at < chunks->left ? size - at : (size_t)chunks->left;
        chunks->left -= *body_size;
        at += *body_size;
        if (chunks->left == 0)
            chunks->state = HTTP_CHUNKS_DATA_END;
    }
    *used = at;
    return OW_OK;
}
