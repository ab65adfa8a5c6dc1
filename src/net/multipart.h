/* The first part of a multipart/form-data body that holds a file (RFC 7578, RFC 2046 5.1), read
 * piece by piece. Pure; what stands before and behind that part is passed over. */
#ifndef OW_NET_MULTIPART_H
#define OW_NET_MULTIPART_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { MULTIPART_MAX_BOUNDARY = 70, MULTIPART_MAX_HEADER = 2048, MULTIPART_NAME_BYTES = 280 };

enum multipart_state {
    MULTIPART_BEFORE,   /* looks for a boundary */
    MULTIPART_BOUNDARY, /* behind one: CR LF, or -- at the end of all */
    MULTIPART_HEADER,   /* of a part */
    MULTIPART_FILE,     /* its content is given out */
    MULTIPART_DONE,     /* the file is complete */
    MULTIPART_NONE,     /* the end, and there was no file */
};

struct multipart {
    enum multipart_state state;
    char delimiter[MULTIPART_MAX_BOUNDARY + 5]; /* CR LF -- and the boundary */
    size_t delimiter_size, matched;
    char header[MULTIPART_MAX_HEADER];
    size_t header_size;
    char ending[2]; /* the two bytes behind a boundary */
    size_t ending_size;
    char filename[MULTIPART_NAME_BYTES]; /* from MULTIPART_FILE on; as sent, "" = not named */
};

/* OW_EINVAL: the content type is not multipart/form-data or has no boundary that may be one. */
int multipart_init(struct multipart *self, const char *content_type);

/* Reads from `data`: *used bytes were taken, and *body_size bytes at *body belong to the file; they
 * lie in `data` or in `self`, until the next call. Call it again with the rest until all is used or
 * the state is MULTIPART_DONE or MULTIPART_NONE. OW_EPARSE. */
int multipart_read(struct multipart *self, const char *data, size_t size, size_t *used,
                   const char **body, size_t *body_size);

#endif
