/* Error codes of every room, and the sentence that goes with a failure.
 *
 * Functions that can fail return OW_OK (0) or one of these negative codes, and write their outputs
 * only on success. OW_EAGAIN means "call the other side first", it is not a failure. */
#ifndef OW_CORE_ERROR_H
#define OW_CORE_ERROR_H

#include <stdarg.h>

/* name, value, text: the one list that the enum and error_text() are made from. */
#define OW_ERROR_LIST(X)                                                                           \
    X(OW_EAGAIN, -1, "nothing there yet")                                                          \
    X(OW_ENOMEM, -2, "out of memory")                                                              \
    X(OW_EINVAL, -3, "invalid argument")                                                           \
    X(OW_EPARSE, -4, "malformed input")                                                            \
    X(OW_ENOTFOUND, -5, "not found")                                                               \
    X(OW_EEXISTS, -6, "already there")                                                             \
    X(OW_EUNSUPPORTED, -7, "not supported")                                                        \
    X(OW_EIO, -8, "input/output error")                                                            \
    X(OW_ELIMIT, -9, "limit reached")                                                              \
    X(OW_ECLOSED, -10, "closed")                                                                   \
    X(OW_ETIMEOUT, -11, "timed out")                                                               \
    X(OW_EAUTH, -12, "not authentic")                                                              \
    X(OW_ESTATE, -13, "not possible in this state")                                                \
    X(OW_ETOOLARGE, -14, "too large")                                                              \
    X(OW_ECHANGED, -15, "changed meanwhile")

enum ow_error {
    OW_OK = 0,
#define OW_ERROR_ENUM(name, value, text) name = (value),
    OW_ERROR_LIST(OW_ERROR_ENUM)
#undef OW_ERROR_ENUM
};

/* The text of a code; never NULL. */
const char *error_text(int code);

/* A sentence for people: what failed and what to do. Owned by the caller, usually on its stack. */
struct reason {
    char text[320];
};

/* Writes a formatted sentence (cut at the buffer's end, UTF-8 whatever goes into it) and returns
 * `code`, so that a failing function ends in `return reason_set(why, OW_EPARSE, "…", …)`. `why` may
 * be NULL. */
int reason_set(struct reason *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
