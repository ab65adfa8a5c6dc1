#include "api/frame_message.h"

#include "core/clock.h"

#include <stdio.h>
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

/* What a client is sent of a picture beside the JPEG file. */
struct parts {
    char *header;
    uint8_t *record; /* NULL = none */
    size_t record_size;
};

static void copy_record(struct parts *parts, const struct encoded *picture, int64_t sent_us)
{
    const struct metadata *metadata = picture->metadata;
    parts->record = metadata ? malloc(metadata->size) : NULL;
    const struct metadata_copy copy = {
        .names = true, .zones = true, .shapes = true, .sent_us = sent_us};
    if (parts->record)
        parts->record_size = metadata_write(metadata, &copy, parts->record, metadata->size);
}

static char *describe(struct view *view, const struct encoded *picture, int64_t sent_us,
                      size_t record_size)
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
                  (json_int_t)encoded_us, "sent_us", (json_int_t)sent_us);
    if (record_size > 0)
        json_object_set_new(json, "record_bytes", json_integer((json_int_t)record_size));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

static struct http_message *create_binary(const struct parts *parts, const struct encoded *picture)
{
    size_t size = strlen(parts->header);
    uint8_t *head = malloc(4 + size + parts->record_size);
    if (!head)
        return NULL;
    for (int i = 0; i < 4; i++)
        head[i] = (uint8_t)(size >> (24 - 8 * i) & 0xff);
    memcpy(head + 4, parts->header, size);
    if (parts->record_size > 0)
        memcpy(head + 4 + size, parts->record, parts->record_size);
    struct http_message *message = http_message_create(true, head, 4 + size + parts->record_size,
                                                       picture->data, picture->size);
    free(head);
    return message;
}

/* Appends `,"name":"data in base64"`. */
static char *put_member(char *at, const char *name, const uint8_t *data, size_t size)
{
    at += sprintf(at, ",\"%s\":\"", name);
    base64_write(at, data, size);
    at += base64_size(size);
    *at++ = '"';
    return at;
}

/* The header's closing brace makes room for more members. */
static struct http_message *create_text(const struct parts *parts, const struct encoded *picture)
{
    static const size_t frame = 32; /* around a member's data */
    size_t size = strlen(parts->header) - 1;
    char *tail = malloc(2 * frame + base64_size(parts->record_size) + base64_size(picture->size));
    if (!tail)
        return NULL;
    char *end = tail;
    if (parts->record_size > 0)
        end = put_member(end, "record", parts->record, parts->record_size);
    end = put_member(end, "frame_data", picture->data, picture->size);
    *end++ = '}';
    struct http_message *message =
        http_message_create(false, parts->header, size, tail, (size_t)(end - tail));
    free(tail);
    return message;
}

struct http_message *frame_message_create(struct view *view, const struct encoded *picture,
                                          bool binary, bool records)
{
    struct parts parts = {NULL, NULL, 0};
    struct http_message *message = NULL;
    int64_t sent_us = clock_now_us();
    if (records)
        copy_record(&parts, picture, sent_us);
    parts.header = describe(view, picture, sent_us, binary ? parts.record_size : 0);
    if (parts.header)
        message = binary ? create_binary(&parts, picture) : create_text(&parts, picture);
    free(parts.header);
    free(parts.record);
    return message;
}
