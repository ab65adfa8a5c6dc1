#include "net/http_head.h"

#include "core/percent.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What the fields said, before it is weighed. */
struct fields {
    struct http_request *request;
    struct http_head *head;
    bool http_1_0, has_host, has_length, has_coding;
    bool says_close, says_keep_alive, says_upgrade, upgrade_websocket, version_13;
};

struct text { /* not ended by a NUL */
    const char *data;
    size_t size;
};

static void refuse(struct http_head *head, int status, const char *detail)
{
    if (head->refusal == 0) {
        head->refusal = status;
        head->detail = detail;
    }
}

size_t http_head_size(const char *data, size_t size)
{
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    return end ? (size_t)(end - data) + 4 : 0;
}

/* RFC 9110, 5.6.2 */
static bool is_token_character(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_token_character((unsigned char)text.data[i]))
            return false;
    return text.size > 0;
}

static bool equals(struct text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static struct text trimmed(struct text text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* Is the word an element of the comma separated list? */
static bool list_has(struct text list, const char *word)
{
    while (list.size > 0) {
        const char *comma = memchr(list.data, ',', list.size);
        size_t size = comma ? (size_t)(comma - list.data) : list.size;
        if (equals(trimmed((struct text){list.data, size}), word))
            return true;
        size_t step = comma ? size + 1 : size;
        list.data += step;
        list.size -= step;
    }
    return false;
}

/* What does not fit counts as absent: never as something shorter. */
static bool copy(char *out, size_t room, struct text text)
{
    bool fits = text.size < room;
    if (fits)
        memcpy(out, text.data, text.size);
    out[fits ? text.size : 0] = '\0';
    return fits;
}

/* -- request line -- */

/* Percent decoding into a text ended by a NUL; 0, or the status to refuse with. */
static int decode(char *out, size_t room, struct text text, bool plus_is_space)
{
    size_t at = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            int byte = percent_byte(text.data + i, text.size - i);
            if (byte < 0)
                return 400;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (at + 1 >= room)
            return 414;
        out[at++] = c;
    }
    out[at] = '\0';
    return 0;
}

/* Pairs that are broken or too long are left out. */
static void read_query(struct text query, struct http_request *request)
{
    while (query.size > 0 && request->query_count < HTTP_MAX_QUERY) {
        const char *end = memchr(query.data, '&', query.size);
        size_t size = end ? (size_t)(end - query.data) : query.size;
        const char *equal = memchr(query.data, '=', size);
        size_t name_size = equal ? (size_t)(equal - query.data) : size;
        struct text name = {query.data, name_size};
        struct text value = {equal ? equal + 1 : query.data, equal ? size - name_size - 1 : 0};
        struct http_pair *pair = &request->query[request->query_count];
        if (name_size > 0 && decode(pair->name, sizeof pair->name, name, true) == 0 &&
            decode(pair->value, sizeof pair->value, value, true) == 0)
            request->query_count++;
        size_t step = end ? size + 1 : size;
        query.data += step;
        query.size -= step;
    }
}

static void read_target(struct text target, struct http_request *request, struct http_head *head)
{
    if (target.size > 7 && strncasecmp(target.data, "http://", 7) == 0) { /* absolute form */
        const char *slash = memchr(target.data + 7, '/', target.size - 7);
        target.size = slash ? target.size - (size_t)(slash - target.data) : 0;
        target.data = slash;
    }
    bool whole_server = request->method == HTTP_OPTIONS && equals(target, "*");
    if (target.size == 0 || (target.data[0] != '/' && !whole_server)) {
        refuse(head, 400, "The request's target is not a path.");
        return;
    }
    const char *mark = memchr(target.data, '?', target.size);
    size_t size = mark ? (size_t)(mark - target.data) : target.size;
    int status =
        decode(request->path, sizeof request->path, (struct text){target.data, size}, false);
    if (status == 414)
        refuse(head, 414, "The path is too long.");
    else if (status != 0)
        refuse(head, 400, "The path is not well formed.");
    else if (mark)
        read_query((struct text){mark + 1, target.size - size - 1}, request);
}

static void read_method(struct text method, struct http_request *request, struct http_head *head)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {{"GET", HTTP_GET},        {"HEAD", HTTP_GET},    {"POST", HTTP_POST},
                   {"PUT", HTTP_PUT},        {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE},
                   {"OPTIONS", HTTP_OPTIONS}};
    request->head = method.size == 4 && memcmp(method.data, "HEAD", 4) == 0;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (method.size == strlen(methods[i].name) &&
            memcmp(method.data, methods[i].name, method.size) == 0) {
            request->method = methods[i].method;
            return;
        }
    refuse(head, 501, "This method is not known here.");
}

static void read_request_line(struct text line, struct fields *fields)
{
    struct http_head *head = fields->head;
    const char *first = memchr(line.data, ' ', line.size);
    const char *last = memrchr(line.data, ' ', line.size);
    struct text method = {line.data, first ? (size_t)(first - line.data) : 0};
    if (!first || first == last || !is_token(method)) {
        refuse(head, 400, "This is not an HTTP request.");
        return;
    }
    struct text target = {first + 1, (size_t)(last - first) - 1};
    struct text version = {last + 1, line.size - (size_t)(last + 1 - line.data)};
    fields->http_1_0 = version.size == 8 && memcmp(version.data, "HTTP/1.0", 8) == 0;
    if (version.size != 8 || memcmp(version.data, "HTTP/", 5) != 0)
        refuse(head, 400, "This is not an HTTP request.");
    else if (memcmp(version.data, "HTTP/1.", 7) != 0)
        refuse(head, 505, "HTTP/1.1 is spoken here.");
    for (size_t i = 0; i < target.size; i++)
        if ((unsigned char)target.data[i] <= ' ' || target.data[i] == 0x7f)
            refuse(head, 400, "The request's target holds spaces or control characters.");
    read_method(method, fields->request, head);
    read_target(target, fields->request, head);
}

/* -- fields -- */

static void on_host(struct fields *fields, struct text value)
{
    if (fields->has_host)
        refuse(fields->head, 400, "There is more than one Host.");
    fields->has_host = true;
    copy(fields->request->host, sizeof fields->request->host, value);
}

/* One that does not fit must not pass as an absent one; of several none is believed. */
static void on_origin(struct fields *fields, struct text value)
{
    struct http_request *request = fields->request;
    bool again = request->origin[0] != '\0';
    if (!copy(request->origin, sizeof request->origin, value) || value.size == 0 || again)
        snprintf(request->origin, sizeof request->origin, "null");
}

static void on_content_type(struct fields *fields, struct text value)
{
    copy(fields->request->content_type, sizeof fields->request->content_type, value);
}

static void on_authorization(struct fields *fields, struct text value)
{
    copy(fields->request->authorization, sizeof fields->request->authorization, value);
}

/* Several lines are one list (RFC 9110, 5.3), as HTTP/2 proxies may send them. */
static void on_cookie(struct fields *fields, struct text value)
{
    char *cookie = fields->request->cookie;
    size_t room = sizeof fields->request->cookie, at = strlen(cookie);
    if (at > 0 && at + 2 < room) {
        cookie[at++] = ';';
        cookie[at++] = ' ';
    }
    copy(cookie + at, room - at, value);
}

/* One that is too long is present all the same, but equals nothing. */
static void on_if_match(struct fields *fields, struct text value)
{
    if (!copy(fields->request->if_match, sizeof fields->request->if_match, value))
        snprintf(fields->request->if_match, sizeof fields->request->if_match, "?");
}

static void on_if_none_match(struct fields *fields, struct text value)
{
    copy(fields->request->if_none_match, sizeof fields->request->if_none_match, value);
}

static void on_range(struct fields *fields, struct text value)
{
    copy(fields->request->range, sizeof fields->request->range, value);
}

/* One that is too long must not make the range count. */
static void on_if_range(struct fields *fields, struct text value)
{
    if (!copy(fields->request->if_range, sizeof fields->request->if_range, value))
        snprintf(fields->request->if_range, sizeof fields->request->if_range, "?");
}

static void on_accept_encoding(struct fields *fields, struct text value)
{
    fields->request->accepts_gzip = memmem(value.data, value.size, "gzip", 4) != NULL;
}

static void on_content_length(struct fields *fields, struct text value)
{
    uint64_t length = 0;
    bool fine = value.size > 0 && value.size <= 18 && !fields->has_length;
    for (size_t i = 0; i < value.size && fine; i++) {
        fine = value.data[i] >= '0' && value.data[i] <= '9';
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (!fine)
        refuse(fields->head, 400, "The Content-Length is not one number.");
    fields->has_length = true;
    fields->head->content_length = length;
}

static void on_transfer_encoding(struct fields *fields, struct text value)
{
    if (!equals(value, "chunked") || fields->has_coding)
        refuse(fields->head, 501, "The only transfer coding known here is chunked.");
    fields->has_coding = fields->head->chunked = true;
}

static void on_connection(struct fields *fields, struct text value)
{
    fields->says_close |= list_has(value, "close");
    fields->says_keep_alive |= list_has(value, "keep-alive");
    fields->says_upgrade |= list_has(value, "upgrade");
}

/* Other upgrades (h2c) are offers that a server may leave (RFC 9110, 7.8). */
static void on_upgrade(struct fields *fields, struct text value)
{
    fields->upgrade_websocket |= list_has(value, "websocket");
}

static void on_expect(struct fields *fields, struct text value)
{
    fields->head->expects_continue = equals(value, "100-continue");
}

static void on_websocket_key(struct fields *fields, struct text value)
{
    char *key = fields->head->websocket_key;
    copy(key, HTTP_WS_KEY_BYTES, value);
    for (const char *at = key; *at; at++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", *at))
            key[0] = '\0';
}

static void on_websocket_version(struct fields *fields, struct text value)
{
    fields->version_13 = equals(value, "13");
}

static void read_field(struct text line, struct fields *fields)
{
    static const struct {
        const char *name;
        void (*read)(struct fields *fields, struct text value);
    } known[] = {{"host", on_host},
                 {"origin", on_origin},
                 {"content-type", on_content_type},
                 {"authorization", on_authorization},
                 {"cookie", on_cookie},
                 {"if-match", on_if_match},
                 {"if-none-match", on_if_none_match},
                 {"range", on_range},
                 {"if-range", on_if_range},
                 {"accept-encoding", on_accept_encoding},
                 {"content-length", on_content_length},
                 {"transfer-encoding", on_transfer_encoding},
                 {"connection", on_connection},
                 {"upgrade", on_upgrade},
                 {"expect", on_expect},
                 {"sec-websocket-key", on_websocket_key},
                 {"sec-websocket-version", on_websocket_version}};
    const char *colon = memchr(line.data, ':', line.size);
    struct text name = {line.data, colon ? (size_t)(colon - line.data) : 0};
    if (!is_token(name)) { /* also folded lines and spaces before the colon (RFC 9112, 5) */
        refuse(fields->head, 400, "A header line is not well formed.");
        return;
    }
    struct text value = trimmed((struct text){colon + 1, line.size - name.size - 1});
    for (size_t i = 0; i < value.size; i++)
        if (((unsigned char)value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
            refuse(fields->head, 400, "A header holds control characters.");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (equals(name, known[i].name))
            known[i].read(fields, value);
}

/* -- the whole -- */

static void weigh(struct fields *fields)
{
    struct http_head *head = fields->head;
    head->keep_alive =
        !fields->says_close && (!fields->http_1_0 || fields->says_keep_alive) && head->refusal == 0;
    if (fields->has_length && fields->has_coding)
        refuse(head, 400, "Content-Length and Transfer-Encoding exclude each other.");
    if (!fields->says_upgrade || !fields->upgrade_websocket || fields->http_1_0)
        return;
    head->websocket = true;
    if (fields->request->method != HTTP_GET || fields->request->head || head->chunked ||
        head->content_length > 0 || strlen(head->websocket_key) != HTTP_WS_KEY_BYTES - 1)
        refuse(head, 400, "The WebSocket handshake is not complete.");
    else if (!fields->version_13)
        refuse(head, 400, "WebSocket version 13 is spoken here.");
}

void http_head_parse(const char *data, size_t size, struct http_request *request,
                     struct http_head *head)
{
    *head = (struct http_head){0};
    struct fields fields = {.request = request, .head = head};
    size_t at = 0;
    int lines = 0;
    while (at < size) {
        const char *end = memmem(data + at, size - at, "\r\n", 2);
        struct text line = {data + at, end ? (size_t)(end - data) - at : size - at};
        if (lines == 0)
            read_request_line(line, &fields);
        else if (line.size > 0)
            read_field(line, &fields);
        if (++lines > HTTP_MAX_FIELDS + 2) {
            refuse(head, 431, "There are too many header lines.");
            break;
        }
        at += line.size + 2;
    }
    weigh(&fields);
}
