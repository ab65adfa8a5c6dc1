#include "source/av_log.h"

#include "core/clock.h"
#include "core/log.h"

#include <libavutil/log.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 512, LINES_PER_WINDOW = 5, WINDOW_US = 10000000 };

/* How much a broken stream may say: the limit is the process's, as FFmpeg's callback is. */
static struct {
    pthread_mutex_t lock;
    int64_t window_us;
    int lines, held_back;
} quota = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool quota_take(int *held_back)
{
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&quota.lock);
    *held_back = 0;
    if (quota.window_us == 0 || now_us - quota.window_us > WINDOW_US) {
        *held_back = quota.held_back;
        quota.window_us = now_us;
        quota.lines = quota.held_back = 0;
    }
    bool granted = quota.lines < LINES_PER_WINDOW;
    if (granted)
        quota.lines++;
    else
        quota.held_back++;
    pthread_mutex_unlock(&quota.lock);
    return granted;
}

/* The length of the URL at `text`, which begins with a scheme and "://"; 0 when none is there. */
static size_t url_length(const char *text)
{
    size_t scheme =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return 0;
    return scheme + strcspn(text + scheme, " \t\r\n\"'<>");
}

void av_log_redact(const char *text, char *out, size_t size)
{
    size_t used = 0;
    while (*text && used + 1 < size) {
        size_t length = url_length(text);
        if (length == 0) {
            out[used++] = *text++;
            continue;
        }
        char url[LINE_BYTES], redacted[URL_REDACTED_BYTES];
        snprintf(url, sizeof url, "%.*s", (int)(length < sizeof url ? length : sizeof url - 1),
                 text);
        url_redact(url, redacted);
        size_t room = size - used - 1, wanted = strlen(redacted);
        size_t copied = wanted < room ? wanted : room;
        memcpy(out + used, redacted, copied);
        used += copied;
        text += length;
    }
    out[used] = '\0';
}

static void on_av_log(void *context, int level, const char *format, va_list args)
{
    if (level > AV_LOG_WARNING)
        return;
    static _Thread_local int print_prefix = 1; /* FFmpeg writes some lines in pieces */
    char line[LINE_BYTES], clean[LINE_BYTES];
    av_log_format_line2(context, level, format, args, line, sizeof line, &print_prefix);
    line[strcspn(line, "\n")] = '\0';
    int held_back;
    if (!line[0] || !quota_take(&held_back))
        return;
    if (held_back)
        log_warn("ffmpeg: %d messages more were left out", held_back);
    av_log_redact(line, clean, sizeof clean);
    log_warn("ffmpeg: %s", clean);
}

static void redirect(void)
{
    av_log_set_level(AV_LOG_WARNING);
    av_log_set_callback(on_av_log);
}

void av_log_redirect(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, redirect);
}
