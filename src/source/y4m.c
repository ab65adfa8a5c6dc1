#include "source/y4m.h"

#include "core/frame.h"

#include <string.h>

static const char stream_magic[] = "YUV4MPEG2";
static const char frame_magic[] = "FRAME";

enum { STREAM_MAGIC_BYTES = sizeof stream_magic - 1, FRAME_MAGIC_BYTES = sizeof frame_magic - 1 };

static const struct {
    const char *tag;
    enum AVPixelFormat format;
} colour_tags[] = {
    {"420", AV_PIX_FMT_YUV420P},        {"420jpeg", AV_PIX_FMT_YUV420P},
    {"420mpeg2", AV_PIX_FMT_YUV420P},   {"420paldv", AV_PIX_FMT_YUV420P},
    {"mono", AV_PIX_FMT_GRAY8},         {"411", AV_PIX_FMT_YUV411P},
    {"422", AV_PIX_FMT_YUV422P},        {"444", AV_PIX_FMT_YUV444P},
    {"420p10", AV_PIX_FMT_YUV420P10LE}, {"422p10", AV_PIX_FMT_YUV422P10LE},
    {"444p10", AV_PIX_FMT_YUV444P10LE},
};

struct token {
    const char *text;
    size_t size;
};

static bool token_is(struct token token, const char *word)
{
    return token.size == strlen(word) && memcmp(token.text, word, token.size) == 0;
}

/* A positive decimal number that fits an int and fills the token. */
static bool token_number(struct token token, int *out)
{
    int value = 0;
    if (token.size == 0 || token.size > 9) /* nine digits cannot overflow */
        return false;
    for (size_t i = 0; i < token.size; i++) {
        if (token.text[i] < '0' || token.text[i] > '9')
            return false;
        value = value * 10 + (token.text[i] - '0');
    }
    *out = value;
    return value > 0;
}

static int parse_side(struct token value, int *out, const char *name, struct reason *why)
{
    int side;
    if (!token_number(value, &side))
        return reason_set(why, OW_EPARSE, "the Y4M header's %s is not a number", name);
    if (side > FRAME_MAX_SIDE)
        return reason_set(why, OW_EUNSUPPORTED, "the Y4M header's %s %d is over the limit of %d",
                          name, side, FRAME_MAX_SIDE);
    *out = side;
    return OW_OK;
}

/* A rate that makes no sense is "not said": it is only a hint. */
static void parse_rate(struct token value, struct y4m_header *header)
{
    const char *colon = memchr(value.text, ':', value.size);
    if (!colon)
        return;
    struct token num = {value.text, (size_t)(colon - value.text)};
    struct token den = {colon + 1, value.size - num.size - 1};
    int n, d;
    if (token_number(num, &n) && token_number(den, &d)) {
        header->rate_num = n;
        header->rate_den = d;
    }
}

static int parse_colour(struct token value, struct y4m_header *header, struct reason *why)
{
    for (size_t i = 0; i < sizeof colour_tags / sizeof colour_tags[0]; i++) {
        if (token_is(value, colour_tags[i].tag)) {
            header->format = colour_tags[i].format;
            return OW_OK;
        }
    }
    return reason_set(why, OW_EUNSUPPORTED, "the Y4M pixel format \"%.*s\" is not supported",
                      (int)(value.size < 32 ? value.size : 32), value.text);
}

static int parse_parameter(struct token token, struct y4m_header *header, struct reason *why)
{
    struct token value = {token.text + 1, token.size - 1};
    switch (token.text[0]) {
    case 'W':
        return parse_side(value, &header->width, "width", why);
    case 'H':
        return parse_side(value, &header->height, "height", why);
    case 'F':
        parse_rate(value, header);
        return OW_OK;
    case 'C':
        return parse_colour(value, header, why);
    case 'X':
        if (token_is(value, "COLORRANGE=FULL"))
            header->full_range = true;
        return OW_OK;
    default: /* interlacing, aspect ratio, comments */
        return OW_OK;
    }
}

/* The length of the line with its newline, when it begins with `magic` and a blank or line end. */
static int find_line(const uint8_t *bytes, size_t size, const char *magic, size_t limit,
                     size_t *line)
{
    size_t magic_bytes = strlen(magic);
    if (memcmp(bytes, magic, size < magic_bytes ? size : magic_bytes) != 0)
        return OW_EPARSE;
    for (size_t i = magic_bytes; i < size && i < limit; i++) {
        if (bytes[i] == '\n') {
            *line = i + 1;
            return OW_OK;
        }
        bool blank = bytes[i] == ' ' || bytes[i] == '\r';
        if ((bytes[i] < ' ' && !blank) || (i == magic_bytes && !blank))
            return OW_EPARSE;
    }
    return size < limit ? OW_EAGAIN : OW_EPARSE;
}

int y4m_parse_header(struct y4m_header *out, const uint8_t *bytes, size_t size, size_t *used,
                     struct reason *why)
{
    size_t line;
    int rc = find_line(bytes, size, stream_magic, Y4M_HEADER_BYTES_MAX, &line);
    if (rc == OW_EPARSE)
        return reason_set(why, rc, "this is not Y4M video: it has no YUV4MPEG2 header");
    if (rc < 0)
        return rc;

    struct y4m_header header = {.format = AV_PIX_FMT_YUV420P};
    const char *at = (const char *)bytes + STREAM_MAGIC_BYTES;
    const char *end = (const char *)bytes + line - 1;
    while (at < end) {
        const char *start = at;
        while (at < end && *at != ' ' && *at != '\r')
            at++;
        if (at > start) {
            struct token token = {start, (size_t)(at - start)};
            rc = parse_parameter(token, &header, why);
            if (rc < 0)
                return rc;
        } else {
            at++;
        }
    }
    if (!header.width || !header.height)
        return reason_set(why, OW_EPARSE, "the Y4M header does not say the picture's size");
    *out = header;
    *used = line;
    return OW_OK;
}

int y4m_parse_frame_header(const uint8_t *bytes, size_t size, size_t *used)
{
    return find_line(bytes, size, frame_magic, Y4M_FRAME_HEADER_BYTES_MAX, used);
}

bool y4m_may_be_header(const uint8_t *bytes, size_t size)
{
    return memcmp(bytes, stream_magic, size < STREAM_MAGIC_BYTES ? size : STREAM_MAGIC_BYTES) == 0;
}
