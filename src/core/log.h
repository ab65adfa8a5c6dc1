/* The log: to stderr and, when opened, to a file. Thread-safe, one line per call. Callers never
 * pass secrets or URLs with credentials: url_redact() first. */
#ifndef OW_CORE_LOG_H
#define OW_CORE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `path` NULL = stderr only. OW_EIO when the file cannot be opened; stderr works all the same. */
int log_open(const char *path, enum log_level level, bool json);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

enum { URL_REDACTED_BYTES = 512 };
/* Copies a URL with user, password and query values replaced by "***"; returns `out`. */
const char *url_redact(const char *url, char out[URL_REDACTED_BYTES]);

#endif
