/* The head of an HTTP request of any content. */
#include "fuzz.h"

#include "net/http_head.h"

#include <stdlib.h>
#include <string.h>

static bool is_ended(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_request request;
    struct http_head head;
    const char *text = (const char *)data;
    size_t whole = http_head_size(text, size);
    if (whole > size)
        abort();
    if (whole == 0)
        return 0;
    memset(&request, 0, sizeof request);
    http_head_parse(text, whole, &request, &head);
    if (head.refusal != 0) {
        if (head.refusal < 400 || head.refusal > 599 || !head.detail)
            abort();
        return 0;
    }
    if (!is_ended(request.path, sizeof request.path) ||
        !is_ended(request.host, sizeof request.host) ||
        !is_ended(request.origin, sizeof request.origin))
        abort(); /* a missing Host is the guard's to refuse */
    if (head.chunked && head.content_length != 0)
        abort(); /* two readers would see two bodies */
    if (head.websocket && strlen(head.websocket_key) != HTTP_WS_KEY_BYTES - 1)
        abort();
    return 0;
}
