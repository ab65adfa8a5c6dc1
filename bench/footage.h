/* Raw footage for the bench programs: a 4:2:0 Y4M file mapped into memory. */
#ifndef OW_BENCH_FOOTAGE_H
#define OW_BENCH_FOOTAGE_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

struct footage {
    uint8_t *bytes; /* the file, mapped privately: what is drawn into it stays our own */
    size_t size;
    size_t first;      /* offset of the first frame's "FRAME\n" */
    size_t mark_bytes; /* length of that line */
    size_t stride;     /* bytes from one frame's line to the next */
    size_t frames;
    int width, height;
};

/* OW_EIO, OW_EPARSE, OW_EUNSUPPORTED with a sentence. */
int footage_open(struct footage *out, const char *path, struct reason *why);
void footage_close(struct footage *footage);

/* The index-th frame, over and over: its line ("FRAME\n") with the planes behind it. */
uint8_t *footage_at(const struct footage *footage, uint64_t index);

/* The planes behind a frame's line and their strides. */
void footage_planes(const struct footage *footage, uint8_t *at, uint8_t *plane[3], int stride[3]);

#endif
