/* Static files of one folder: types, caching, precompressed variants, nothing outside of it. */
#ifndef OW_NET_HTTP_FILES_H
#define OW_NET_HTTP_FILES_H

#include "net/http_server.h"

/* Answers with the file `path` (relative, as it came in the URL) under `folder`, or returns
 * OW_ENOTFOUND without having answered. Files with a hash in their name (assets/) are cached for
 * good, all others are asked for again (ETag, 304). */
int http_files_reply(struct http_exchange *exchange, const char *folder, const char *path);

/* Answers with the file at this path, of any size, or the part of it that is asked for (RFC 9110,
 * 14). One that changes is not to be kept by anybody. OW_ENOTFOUND without having answered. */
int http_files_reply_path(struct http_exchange *exchange, const char *path, bool changes);

/* The Content-Type of a file name. */
const char *http_files_type(const char *path);

#endif
