#include "net/http_files.h"

#include "net/http_range.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 32 * 1024 * 1024, PATH_BYTES = 1024, TAG_BYTES = 64 };

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
    {".mp4", "video/mp4"},
    {".jsonl", "application/x-ndjson"},
};

const char *http_files_type(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* No "..", no hidden file, no empty segment, no backslash, nothing absolute. */
static bool is_plain_path(const char *path)
{
    if (!path[0] || strlen(path) >= PATH_BYTES / 2 || strchr(path, '\\'))
        return false;
    for (const char *at = path;; at++) {
        if (at[0] == '.' || at[0] == '/' || at[0] == '\0')
            return false;
        at = strchr(at, '/');
        if (!at)
            return true;
    }
}

/* A regular file inside the folder even when links lead elsewhere. */
static int open_inside(const char *folder, const char *path, struct stat *info)
{
    char name[PATH_BYTES], real[PATH_MAX], base[PATH_MAX];
    if ((size_t)snprintf(name, sizeof name, "%s/%s", folder, path) >= sizeof name ||
        !realpath(name, real) || !realpath(folder, base))
        return -1;
    size_t base_size = strlen(base);
    if (strncmp(real, base, base_size) != 0 || real[base_size] != '/')
        return -1;
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, info) != 0 || !S_ISREG(info->st_mode) || info->st_size > MAX_FILE_BYTES) {
        close(fd);
        return -1;
    }
    return fd;
}

static void *read_all(int fd, size_t size)
{
    uint8_t *data = malloc(size + 1);
    size_t done = 0;
    while (data && done < size) {
        ssize_t got = read(fd, data + done, size - done);
        if (got <= 0) {
            free(data);
            return NULL;
        }
        done += (size_t)got;
    }
    return data;
}

static void write_tag(const struct stat *info, const char *suffix, char out[TAG_BYTES])
{
    snprintf(out, TAG_BYTES, "\"%llx-%llx%s\"",
             (unsigned long long)info->st_mtim.tv_sec * 1000000000u +
                 (unsigned long long)info->st_mtim.tv_nsec,
             (unsigned long long)info->st_size, suffix);
}

int http_files_reply(struct http_exchange *exchange, const char *folder, const char *path)
{
    const struct http_request *request = http_exchange_request(exchange);
    if (!folder || !is_plain_path(path))
        return OW_ENOTFOUND;
    char packed[PATH_BYTES];
    snprintf(packed, sizeof packed, "%s.gz", path);
    struct stat info;
    int fd = request->accepts_gzip ? open_inside(folder, packed, &info) : -1;
    bool gzip = fd >= 0;
    if (!gzip)
        fd = open_inside(folder, path, &info);
    if (fd < 0)
        return OW_ENOTFOUND;
    char tag[TAG_BYTES], headers[320];
    write_tag(&info, gzip ? "z" : "", tag);
    bool hashed = strncmp(path, "assets/", 7) == 0;
    snprintf(headers, sizeof headers,
             "ETag: %s\r\nCache-Control: %s\r\nVary: Accept-Encoding\r\n%s", tag,
             hashed ? "public, max-age=31536000, immutable" : "no-cache",
             gzip ? "Content-Encoding: gzip\r\n" : "");
    int rc = OW_OK;
    if (strstr(request->if_none_match, tag)) {
        http_reply(exchange, 304, http_files_type(path), NULL, 0, headers);
    } else {
        void *data = read_all(fd, (size_t)info.st_size);
        if (data)
            http_reply(exchange, 200, http_files_type(path), data, (size_t)info.st_size, headers);
        else
            rc = OW_ENOTFOUND;
        free(data);
    }
    close(fd);
    return rc;
}

static void add_content_range(enum http_range_kind kind, const struct http_range *part,
                              uint64_t size, char *out, size_t room)
{
    if (kind == HTTP_RANGE_PART)
        snprintf(out, room, "Content-Range: bytes %llu-%llu/%llu\r\n",
                 (unsigned long long)part->first,
                 (unsigned long long)(part->first + part->size - 1), (unsigned long long)size);
    else if (kind == HTTP_RANGE_OUTSIDE)
        snprintf(out, room, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
}

int http_files_reply_path(struct http_exchange *exchange, const char *path, bool changes)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return OW_ENOTFOUND;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return OW_ENOTFOUND;
    }
    char tag[TAG_BYTES], headers[320];
    uint64_t size = (uint64_t)info.st_size;
    write_tag(&info, "", tag);
    int used = snprintf(headers, sizeof headers,
                        "ETag: %s\r\nCache-Control: %s\r\nAccept-Ranges: bytes\r\n", tag,
                        changes ? "no-store" : "no-cache");
    /* A part of another version than the client has is of no use to it. */
    bool same = request->if_range[0] == '\0' || strcmp(request->if_range, tag) == 0;
    struct http_range part;
    enum http_range_kind kind = http_range_read(same ? request->range : "", size, &part);
    add_content_range(kind, &part, size, headers + used, sizeof headers - (size_t)used);
    bool known = strstr(request->if_none_match, tag) != NULL;
    if (known) {
        http_reply(exchange, 304, http_files_type(path), NULL, 0, headers);
        close(fd);
    } else if (kind == HTTP_RANGE_OUTSIDE) {
        static const char body[] = "{\"detail\": \"There is nothing in this range of the file.\"}";
        http_reply(exchange, 416, "application/json", body, sizeof body - 1, headers);
        close(fd);
    } else {
        http_reply_file(exchange, kind == HTTP_RANGE_PART ? 206 : 200, http_files_type(path), fd,
                        part.first, part.size, headers);
    }
    return OW_OK;
}
