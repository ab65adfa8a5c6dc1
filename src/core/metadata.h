/* What is known of one picture, as viewers are sent it beside the picture: a binary record
 * (docs/api.md, "The record"). Made once per encoded picture and shared by all its viewers, who
 * write their RTP timestamp and the time of sending into their copy. Reference counted, immutable.
 *
 *   byte  0     version, METADATA_VERSION
 *         1     METADATA_PREDICTED, METADATA_AWAITED, METADATA_CLEAN, METADATA_VECTOR,
 *               METADATA_NARROW
 *         2..5  RTP timestamp
 *         6..11 capture time, microseconds of the server's monotonic clock
 *        12..13 from capture to sending, 0.1 ms, 65535 = longer
 *        14     which stations it passed: bit n = enum stage n + 1
 *        …      for each of these in order: time since the one before, 0.1 ms, zigzag varint
 *        …      varint width and height of the picture that the boxes are in, varint count
 *        …      for each object: varint class, varint track (0 = none), confidence in 1/255,
 *               x1 y1 x2 y2 of 12 bits each, in 1/4095 of width and height
 *        …      sections until the end: kind, varint size, bytes; unknown kinds are to be skipped
 *
 * Numbers are big endian; a varint has 7 bits in each byte, the lowest first, the highest bit says
 * that there is more. Section 1: for each class of an object varint class, size, UTF-8 name.
 * For a page that draws, over a clean picture or instead of one, also: section 2, varint number of
 * an object, for each of its key points x and y of 12 bits as above and the score in 1/255; section
 * 3, varint number of an object, width and height of its mask in cells, and its runs
 * (object_shape_runs()).
 * Of predicted boxes: section 4, zigzag varint, by how much the frame that the model saw is older
 * than this one, 0.1 ms.
 * Of zones, for a page that draws: section 5, for each varint twice the number of points and 1 for
 * a line, x and y of each as above, size and UTF-8 name; section 6, for each in the same order
 * varint four times how many are inside (of a line: went in), 2 for a line, 1 when something
 * happened of late; of a line varint how many went out; when something happened a byte, how long
 * before this picture, 10 ms. Section 5 need not be sent each time; 6 is, without it there are no
 * zones.
 * Behind the names section 7, for each class of these whose colour the user has chosen: varint
 * class, red, green, blue.
 * Where the user wants less drawn than there is: section 8, a byte of METADATA_HIDES_… and the
 * confidence below which objects are not drawn, in 1/255. A record without it hides nothing. */
#ifndef OW_CORE_METADATA_H
#define OW_CORE_METADATA_H

#include "core/detections.h"
#include "core/stages.h"
#include "core/zone_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METADATA_VERSION = 1,
    METADATA_PREDICTED = 1, /* the boxes were moved forward to this picture, not inferred in it */
    METADATA_AWAITED = 2,   /* a model belongs to it that has said nothing of late */
    METADATA_CLEAN = 4,     /* none of it is drawn on the picture: the page is to */
    METADATA_VECTOR = 8,    /* there is no picture: the path does not carry it */
    METADATA_NARROW = 16,   /* the path hardly carries the picture, and there is nothing else */
    METADATA_FLAGS_AT = 1,
    METADATA_RTP_AT = 2,
    METADATA_SENT_AT = 12,
    METADATA_MAX_OBJECTS = 1000, /* of more, the first are told */
    /* sections */
    METADATA_NAMES = 1,
    METADATA_KEYPOINTS = 2,
    METADATA_MASK = 3,
    METADATA_SEEN = 4,
    METADATA_ZONES = 5,
    METADATA_COUNTS = 6,
    METADATA_COLORS = 7,
    METADATA_LOOK = 8,
    /* what is not to be drawn, in section 8 */
    METADATA_HIDES_BOXES = 1,
    METADATA_HIDES_NAMES = 2, /* of classes, in labels */
    METADATA_HIDES_CONFIDENCE = 4,
    METADATA_HIDES_TRACKS = 8,
    METADATA_HIDES_MASKS = 16,
};

struct metadata {
    atomic_int refs;
    bool informs;      /* a model belongs to it, so that there may be something to show */
    size_t boxes_size; /* without shapes, names and zones, which follow in this order */
    size_t bare_size;  /* without names and zones, which need not be sent each time */
    size_t named_size; /* without the zones */
    size_t size;
    uint8_t data[];
};

/* A colour that the user has chosen. */
struct metadata_color {
    int class_id;
    uint8_t rgb[3];
};

struct metadata_picture {
    const struct detections *detections; /* NULL = none, or nothing seen */
    int width, height;                   /* of the picture, where detections do not say it */
    bool informs, predicted, awaited, clean;
    bool shapes;                         /* key points and masks are told, too */
    struct stage_times stages;           /* the first is the capture time */
    const struct zone_states *zones;     /* that the page is to draw; NULL = none */
    const struct metadata_color *colors; /* of classes, one each at most */
    int color_count;
    unsigned hides;       /* METADATA_HIDES_… */
    float min_confidence; /* 0..1; objects below are told, and not to be drawn */
};

/* One reference. OW_ENOMEM. */
int metadata_create(struct metadata **out, const struct metadata_picture *picture);
struct metadata *metadata_ref(struct metadata *metadata);
void metadata_unref(struct metadata **metadata);

/* Do both name the same classes alike, in the same colours? */
bool metadata_same_names(const struct metadata *a, const struct metadata *b);
/* Are the same zones at the same places? */
bool metadata_same_zones(const struct metadata *a, const struct metadata *b);

int64_t metadata_capture_us(const struct metadata *metadata);

/* What differs from viewer to viewer. */
struct metadata_copy {
    bool names, zones, shapes; /* are they told? */
    unsigned flags;            /* METADATA_VECTOR, METADATA_NARROW, or 0 */
    uint32_t rtp_timestamp;
    int64_t sent_us;
};
/* A viewer's copy into `out` of `room` bytes: returns its size, 0 when it does not fit. */
size_t metadata_write(const struct metadata *metadata, const struct metadata_copy *copy,
                      uint8_t *out, size_t room);

#endif
