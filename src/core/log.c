#include "core/log.h"

#include "core/clock.h"
#include "core/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
    pthread_mutex_t lock;
    FILE *file;
    enum log_level level;
    bool json;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

static const char *const level_names[] = {"ERROR", "WARN", "INFO", "DEBUG"};

int log_open(const char *path, enum log_level level, bool json)
{
    FILE *file = path ? fopen(path, "ae") : NULL;
    pthread_mutex_lock(&logger.lock);
    if (logger.file)
        fclose(logger.file);
    logger.file = file;
    logger.level = level;
    logger.json = json;
    pthread_mutex_unlock(&logger.lock);
    return path && !file ? OW_EIO : OW_OK;
}

static void write_json_text(FILE *to, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(to, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(to, "\\u%04x", *c);
        else
            fputc(*c, to);
    }
}

static void write_line(FILE *to, enum log_level level, const char *stamp, const char *text)
{
    if (logger.json) {
        fprintf(to, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", stamp, level_names[level]);
        write_json_text(to, text);
        fputs("\"}\n", to);
    } else {
        fprintf(to, "%s %-5s %s\n", stamp, level_names[level], text);
    }
    fflush(to);
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > logger.level)
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) /* one call is one line, whatever outside text it quotes */
        if (*c == '\n' || *c == '\r')
            *c = ' ';

    char stamp[CLOCK_TEXT_BYTES];
    clock_wall_text(clock_wall_us(), stamp);

    pthread_mutex_lock(&logger.lock);
    write_line(stderr, level, stamp, text);
    if (logger.file)
        write_line(logger.file, level, stamp, text);
    pthread_mutex_unlock(&logger.lock);
}

const char *url_redact(const char *url, char out[URL_REDACTED_BYTES])
{
    const char *scheme_end = strstr(url, "://");
    const char *rest = scheme_end ? scheme_end + 3 : url;
    size_t authority = strcspn(rest, "/?#");
    const char *host = rest;
    for (size_t i = 0; scheme_end && i < authority; i++)
        if (rest[i] == '@')
            host = rest + i + 1;
    int query = (int)strcspn(host, "?");
    snprintf(out, URL_REDACTED_BYTES, "%.*s%s%.*s%s", (int)(rest - url), url,
             host > rest ? "***@" : "", query, host, host[query] == '?' ? "?***" : "");
    return out;
}
