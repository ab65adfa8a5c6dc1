/* FFmpeg's messages into our log: warnings and errors only, a few a second, without credentials. */
#ifndef OW_SOURCE_AV_LOG_H
#define OW_SOURCE_AV_LOG_H

#include <stddef.h>

/* Takes FFmpeg's messages over, once for the process. Any thread. */
void av_log_redirect(void);

/* Copies `text` with every URL in it redacted, cut at `size` bytes with the closing NUL. */
void av_log_redact(const char *text, char *out, size_t size);

#endif
