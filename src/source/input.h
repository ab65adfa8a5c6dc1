/* What source.c and the kinds of input agree on. A new kind of input is one file that ends in one
 * `struct source_input`, and one row in the list of source.c. Internal to src/source. */
#ifndef OW_SOURCE_INPUT_H
#define OW_SOURCE_INPUT_H

#include "source/source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A live input that gives no frame for this long has no signal. */
enum { SOURCE_STALL_US = 5000000 };

/* One running source as its input sees it. The settings and the strings in them live as long. */
struct source_run {
    struct source_settings settings;
    atomic_bool stopping;
    int stop_fd; /* eventfd, readable from the moment `stopping` is true */
    /* Written by the input on the source's thread. */
    char codec[32];
    double duration_s;  /* 0 = without an end, or not known */
    double nominal_fps; /* 0 = not known */
};

static inline bool source_run_stopping(struct source_run *run)
{
    return atomic_load_explicit(&run->stopping, memory_order_acquire);
}

/* Sleeps until clock_now_us() >= deadline_us; false when the source stops first. */
bool source_run_wait_until(struct source_run *run, int64_t deadline_us);

/* Waits until `fd` can be read or has been hung up: OW_OK; OW_EAGAIN at the deadline or when the
 * source stops. *now_us is the time at the return. */
int source_run_poll(struct source_run *run, int fd, int64_t deadline_us, int64_t *now_us);

struct source_input {
    const char *name;
    bool (*matches)(const char *url);
    /* Are these settings ones that this input could ever open? OW_EINVAL. NULL: always. */
    int (*check)(const struct source_settings *settings, struct reason *why);
    /* Opens; on success *state goes to read and close. Sets run->codec and, where
     * there is one, run->duration_s and nominal_fps. */
    int (*open)(struct source_run *run, void **state, struct reason *why);
    /* Gives the next frame, owned by the caller, with capture_us, STAGE_CAPTURE and STAGE_DECODED.
     * Returns at the latest after SOURCE_STALL_US, and soon after the source stops:
     * OW_EAGAIN: no frame yet, call again; a sentence in `why` means there is no signal for now;
     * OW_ECLOSED: the input has ended for good;
     * any other: the input has failed with `why` and is to be closed and opened again. */
    int (*read)(void *state, struct frame **out, struct reason *why);
    void (*close)(void **state);
};

extern const struct source_input source_input_pattern; /* source_pattern.c: test: */
extern const struct source_input source_input_pipe;    /* source_pipe.c: pipe: and named pipes */
extern const struct source_input source_input_av;      /* source_av.c: all that libavformat opens */

#endif
