/* One encoded picture: an H.264 access unit, a VP8 frame or a JPEG image. Reference counted,
 * immutable once handed on, shared by all its viewers. */
#ifndef OW_CORE_ENCODED_H
#define OW_CORE_ENCODED_H

#include "core/metadata.h"
#include "core/rendition.h"
#include "core/stages.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct encoded {
    atomic_int refs;
    bool key; /* H.264: an IDR with its SPS and PPS in front; VP8: a key frame; JPEG: always */
    enum video_codec codec; /* not of a JPEG */
    int width, height;
    uint64_t sequence;  /* of the frame it shows */
    int64_t capture_us; /* of the frame it shows */
    int detections;     /* how many objects were drawn on it */
    bool model_awaited; /* a model belongs to it that has said nothing of late: it was not asked */
    struct stage_times stages;
    struct metadata *metadata; /* own reference, NULL = none; set before it is handed on */
    size_t size;
    uint8_t data[]; /* H.264: Annex B byte stream; VP8: the frame (RFC 6386); JPEG: the file */
};

/* Room for `size` bytes, uninitialised, one reference. OW_ENOMEM. */
int encoded_create(struct encoded **out, size_t size);
struct encoded *encoded_ref(struct encoded *encoded);
void encoded_unref(struct encoded **encoded);

#endif
