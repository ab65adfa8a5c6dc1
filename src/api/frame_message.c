#include "api/frame_message.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

void base64_write(char *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i = 0;
    for (; i + 2 < size; i += 3) {
        unsigned bits = (unsigned)data[i] << 16 | (unsigned)data[i + 1] << 8 | data[i + 2];
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = digits[bits >> 6 & 63];
        *out++ = digits[bits & 63];
    }
    if (i == size)
        return;
    unsigned bits = (unsigned)data[i] << 16 | (i + 1 < size ? (unsigned)data[i + 1] << 8 : 0);
    *out++ = digits[bits >> 18];
    *out++ = digits[bits >> 12 & 63];
    *out++ = i + 1 < size ? digits[bits >> 6 & 63] : '=';
    *out++ = '=';
}

static char *describe(struct view *view, const struct encoded *picture)
{
    struct view_info info = {0};
    view_read_info(view, &info);
    int64_t encoded_us = picture->stages.at_us[STAGE_ENCODED];
    double processing_ms =
        encoded_us > 0 ? (double)(encoded_us - picture->capture_us) / 1000.0 : info.processing_ms;
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:i, s:f, s:s, s:s, s:{s:i, s:i}, s:I, s:I, s:I, s:I}",
                  "type", "xray_frame", "workflow_id", view_workflow_id(view), "node_id",
                  view_node_id(view), "timestamp", (double)clock_wall_us() / 1e6, "fps", info.fps,
                  "detections_count", picture->detections, "processing_time_ms", processing_ms,
                  "xray_mode", info.xray_mode ? info.xray_mode : "", "color_scheme",
                  info.color_scheme ? info.color_scheme : "", "resolution", "width", picture->width,
                  "height", picture->height, "sequence", (json_int_t)picture->sequence,
                  "capture_us", (json_int_t)picture->capture_us, "encoded_us",
                  (json_int_t)encoded_us, "sent_us", (json_int_t)clock_now_us());
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

static struct http_message *create_binary(const char *header, const struct encoded *picture)
{
    size_t size = strlen(header);
    char *head = malloc(4 + size);
    if (!head)
        return NULL;
    for (int i = 0; i < 4; i++)
        head[i] = (char)(size >> (24 - 8 * i) & 0xff);
    memcpy(head + 4, header, size);
    struct http_message *message =
        http_message_create(true, head, 4 + size, picture->data, picture->size);
    free(head);
    return message;
}

/* The header's closing brace makes room for one more member. */
static struct http_message *create_text(const char *header, const struct encoded *picture)
{
    static const char member[] = ",\"frame_data\":\"";
    size_t size = strlen(header) - 1, data_size = base64_size(picture->size);
    char *tail = malloc(sizeof member - 1 + data_size + 2);
    if (!tail)
        return NULL;
    memcpy(tail, member, sizeof member - 1);
    base64_write(tail + sizeof member - 1, picture->data, picture->size);
    memcpy(tail + sizeof member - 1 + data_size, "\"}", 2);
    struct http_message *message =
        http_message_create(false, header, size, tail, sizeof member - 1 + data_size + 2);
    free(tail);
    return message;
}

struct http_message *frame_message_create(struct view *view, const struct encoded *picture,
                                          bool binary)
{
    char *header = describe(view, picture);
    if (!header)
        return NULL;
    struct http_message *message =
        binary ? create_binary(header, picture) : create_text(header, picture);
    free(header);
    return message;
}
