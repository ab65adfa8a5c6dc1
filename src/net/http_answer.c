/* The head of an answer. */
#include "net/http_internal.h"
#include "net/http_policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct writer {
    char *out;
    size_t at, room;
};

static void __attribute__((format(printf, 2, 3)))
add(struct writer *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(writer->out + writer->at, writer->room - writer->at, format, arguments);
    va_end(arguments);
    size_t left = writer->room - writer->at;
    writer->at = size < 0 || (size_t)size >= left ? writer->room - 1 : writer->at + (size_t)size;
}

static const char *phrase_of(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {206, "Partial Content"},
        {303, "See Other"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].status == status)
            return table[i].phrase;
    return "Answer";
}

/* A page of another origin that the operator has allowed may read our answers. */
static void add_cross_origin(struct writer *writer, const struct http_request *request)
{
    const char *authority = strstr(request->origin, "://");
    if (!authority || strcasecmp(authority + 3, request->host) == 0)
        return;
    add(writer, "Access-Control-Allow-Origin: %s\r\n", request->origin);
    add(writer, "Access-Control-Allow-Headers: authorization, content-type, if-match\r\n");
    add(writer, "Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE\r\n");
    add(writer, "Access-Control-Expose-Headers: etag, link, location\r\n");
    add(writer, "Vary: Origin\r\n");
}

/* A page that has a policy of its own keeps it. What was refused says nothing of us. */
static void add_policy(struct writer *writer, const struct http_exchange *exchange)
{
    char policy[HTTP_POLICY_BYTES];
    if (strncmp(exchange->type, "text/html", 9) != 0)
        return;
    add(writer, "Permissions-Policy: camera=(), microphone=(), geolocation=()\r\n");
    if (exchange->headers && strstr(exchange->headers, "Content-Security-Policy:"))
        return;
    http_policy_write(exchange->request.host, exchange->server->allowed_hosts, policy);
    add(writer, "Content-Security-Policy: %s\r\n", policy);
}

size_t http_answer_head(const struct http_exchange *exchange, bool close_after, char *out,
                        size_t room)
{
    struct writer writer = {.out = out, .room = room};
    add(&writer, "HTTP/1.1 %d %s\r\n", exchange->status, phrase_of(exchange->status));
    if (exchange->streams)
        add(&writer, "Content-Type: %s\r\n", exchange->type);
    else if (exchange->status != 204 && exchange->status != 304)
        add(&writer, "Content-Type: %s\r\nContent-Length: %llu\r\n", exchange->type,
            (unsigned long long)(exchange->file >= 0 ? exchange->file_size : exchange->body_size));
    add(&writer, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
    add_policy(&writer, exchange);
    if (close_after)
        add(&writer, "Connection: close\r\n");
    if (exchange->status != 403)
        add_cross_origin(&writer, &exchange->request);
    add(&writer, "%s\r\n", exchange->headers ? exchange->headers : "");
    return writer.at + 1 < room ? writer.at : 0;
}
