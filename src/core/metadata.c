#include "core/metadata.h"

#include "core/error.h"
#include "core/object_shape.h"
#include "core/text_cut.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNIT_US = 100,
    HEAD_BYTES = 15,
    VARINT_BYTES = 10,
    OBJECT_BYTES = 5 + 5 + 1 + 6,
    NAME_BYTES = 64, /* of a longer one, the beginning */
    MAX_NAMES = 128, /* classes that are named in one record */
    FULL_SCALE = 4095,
    MAX_SENT = 0xffff,
    SECTION_HEAD_BYTES = 1 + VARINT_BYTES,
    SIZE_BYTES = 3, /* of a section with a shape */
    POINT_BYTES = 4,
    MAX_RUNS = 1024, /* a mask with more is left out */
    SHAPE_HEAD_BYTES = 1 + SIZE_BYTES + 3 * 5,
    SHAPES_BYTES = 8 * 1024, /* of all shapes of a record; those that do not fit are left out */
    ZONE_BYTES = 2 + 3 * ZONE_STATE_POINTS_MAX + 1 + ZONE_STATE_NAME_BYTES,
    COUNT_BYTES = 2 * VARINT_BYTES + 1,
    COLOR_BYTES = 5 + 3,
    LOOK_BYTES = 2,
    ZONE_IS_LINE = 1, /* in section 5 */
    COUNT_IS_NEWS = 1,
    COUNT_IS_LINE = 2, /* in section 6 */
    NEWS_UNIT_US = 10000,
};

struct writer {
    uint8_t *at;
};

static void put_u8(struct writer *w, unsigned value)
{
    *w->at++ = (uint8_t)value;
}

static void put_big(struct writer *w, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        put_u8(w, (unsigned)(value >> shift & 0xff));
}

static void put_varint(struct writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_u8(w, (unsigned)(value & 0x7f) | 0x80);
    put_u8(w, (unsigned)value);
}

static void put_zigzag(struct writer *w, int64_t value)
{
    put_varint(w, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* Rounded from the capture on, so that errors do not add up. */
static void put_stages(struct writer *w, const struct stage_times *stages)
{
    int64_t capture_us = stages->at_us[STAGE_CAPTURE], before = 0;
    unsigned passed = 0;
    for (int i = STAGE_CAPTURE + 1; i < STAGE_COUNT; i++)
        passed |= stages->at_us[i] != 0 ? 1u << (i - 1) : 0;
    put_u8(w, passed);
    for (int i = STAGE_CAPTURE + 1; i < STAGE_COUNT; i++) {
        if (stages->at_us[i] == 0)
            continue;
        int64_t at = (stages->at_us[i] - capture_us) / UNIT_US;
        put_zigzag(w, at - before);
        before = at;
    }
}

static unsigned scaled(float value, int full)
{
    double part = full > 0 ? (double)value / full : 0;
    if (!(part > 0)) /* NaN, too */
        return 0;
    return part >= 1 ? FULL_SCALE : (unsigned)lround(part * FULL_SCALE);
}

static unsigned confidence_of(float confidence)
{
    return confidence > 0 ? confidence >= 1 ? 255u : (unsigned)lroundf(confidence * 255) : 0;
}

static void put_object(struct writer *w, const struct detection *item, int width, int height)
{
    put_varint(w, item->class_id > 0 ? (unsigned)item->class_id : 0);
    put_varint(w, item->track_id);
    put_u8(w, confidence_of(item->confidence));
    put_big(w, scaled(item->x1, width) << 12 | scaled(item->y1, height), 3);
    put_big(w, scaled(item->x2, width) << 12 | scaled(item->y2, height), 3);
}

static int object_count(const struct detections *detections)
{
    if (detections == NULL)
        return 0;
    return detections->count < METADATA_MAX_OBJECTS ? detections->count : METADATA_MAX_OBJECTS;
}

static void put_section(struct writer *w, unsigned kind, const uint8_t *bytes, size_t size)
{
    put_u8(w, kind);
    put_varint(w, size);
    memcpy(w->at, bytes, size);
    w->at += size;
}

/* A section whose size is not known yet: written by end_section(), in three bytes whatever it is.
 */
static uint8_t *begin_section(struct writer *w, unsigned kind)
{
    put_u8(w, kind);
    w->at += SIZE_BYTES;
    return w->at;
}

static void end_section(const struct writer *w, uint8_t *begun)
{
    size_t size = (size_t)(w->at - begun);
    begun[-3] = (uint8_t)(size | 0x80);
    begun[-2] = (uint8_t)(size >> 7 | 0x80);
    begun[-1] = (uint8_t)(size >> 14 & 0x7f);
}

static void put_keypoints(struct writer *w, const struct detections *detections, int index)
{
    const struct detection *item = &detections->items[index];
    uint8_t *begun = begin_section(w, METADATA_KEYPOINTS);
    put_varint(w, (unsigned)index);
    for (int i = 0; i < item->shape->keypoint_count; i++) {
        const struct keypoint *point = &item->shape->keypoints[i];
        unsigned x = scaled(item->x1 + point->x * (item->x2 - item->x1), detections->source_width);
        unsigned y = scaled(item->y1 + point->y * (item->y2 - item->y1), detections->source_height);
        put_big(w, x << 12 | y, 3);
        put_u8(w, confidence_of(point->score));
    }
    end_section(w, begun);
}

static void put_mask(struct writer *w, const struct object_shape *shape, int index,
                     const uint32_t *runs, size_t count)
{
    uint8_t *begun = begin_section(w, METADATA_MASK);
    put_varint(w, (unsigned)index);
    put_varint(w, (unsigned)shape->mask_width);
    put_varint(w, (unsigned)shape->mask_height);
    for (size_t i = 0; i < count; i++)
        put_varint(w, runs[i]);
    end_section(w, begun);
}

static void put_shapes(struct writer *w, const struct detections *detections)
{
    const uint8_t *end = w->at + SHAPES_BYTES;
    uint32_t runs[MAX_RUNS];
    for (int i = 0; i < object_count(detections); i++) {
        const struct object_shape *shape = detections->items[i].shape;
        if (shape == NULL)
            continue;
        size_t points = POINT_BYTES * (size_t)shape->keypoint_count;
        if (points > 0 && w->at + SHAPE_HEAD_BYTES + points <= end)
            put_keypoints(w, detections, i);
        size_t count = shape->mask_width > 0 ? object_shape_runs(shape, runs, MAX_RUNS) : 0;
        if (count > 0 && count <= MAX_RUNS &&
            w->at + SHAPE_HEAD_BYTES + count * (size_t)SIZE_BYTES <= end)
            put_mask(w, shape, i, runs, count);
    }
}

static void put_seen(struct writer *w, const struct metadata_picture *picture)
{
    uint8_t age[VARINT_BYTES];
    struct writer inner = {age};
    int64_t capture_us = picture->stages.at_us[STAGE_CAPTURE];
    put_zigzag(&inner, (capture_us - picture->detections->seen_us) / UNIT_US);
    put_section(w, METADATA_SEEN, age, (size_t)(inner.at - age));
}

/* What most users want takes no room. */
static void put_look(struct writer *w, const struct metadata_picture *picture)
{
    const uint8_t look[LOOK_BYTES] = {(uint8_t)picture->hides,
                                      (uint8_t)confidence_of(picture->min_confidence)};
    if (look[0] != 0 || look[1] != 0)
        put_section(w, METADATA_LOOK, look, sizeof look);
}

/* ---- zones ---- */

static int zone_count(const struct metadata_picture *picture)
{
    return picture->zones != NULL ? picture->zones->count : 0;
}

static void put_zones(struct writer *w, const struct metadata_picture *picture)
{
    uint8_t section[ZONE_STATES_MAX * ZONE_BYTES];
    struct writer inner = {section};
    for (int i = 0; i < zone_count(picture); i++) {
        const struct zone_state *zone = &picture->zones->items[i];
        size_t size = text_fitting(zone->name, ZONE_STATE_NAME_BYTES);
        put_varint(&inner, (unsigned)zone->count << 1 | (zone->line ? ZONE_IS_LINE : 0u));
        for (int k = 0; k < zone->count; k++)
            put_big(&inner, scaled(zone->points[k].x, 1) << 12 | scaled(zone->points[k].y, 1), 3);
        put_u8(&inner, (unsigned)size);
        memcpy(inner.at, zone->name, size);
        inner.at += size;
    }
    put_section(w, METADATA_ZONES, section, (size_t)(inner.at - section));
}

static void put_counts(struct writer *w, const struct metadata_picture *picture)
{
    uint8_t section[ZONE_STATES_MAX * COUNT_BYTES];
    struct writer inner = {section};
    for (int i = 0; i < zone_count(picture); i++) {
        const struct zone_state *zone = &picture->zones->items[i];
        int64_t capture_us = picture->stages.at_us[STAGE_CAPTURE];
        int64_t age_us = zone_news_age_us(zone->happened_us, capture_us);
        uint64_t inside = zone->inside > 0 ? (unsigned)zone->inside : 0;
        put_varint(&inner, (zone->line ? zone->in : inside) << 2 |
                               (zone->line ? COUNT_IS_LINE : 0u) |
                               (age_us >= 0 ? COUNT_IS_NEWS : 0u));
        if (zone->line)
            put_varint(&inner, zone->out);
        if (age_us >= 0)
            put_u8(&inner, (unsigned)(age_us / NEWS_UNIT_US));
    }
    put_section(w, METADATA_COUNTS, section, (size_t)(inner.at - section));
}

/* ---- names ---- */

static bool is_first_of_class(const struct detections *detections, int index)
{
    for (int i = 0; i < index; i++)
        if (detections->items[i].class_id == detections->items[index].class_id)
            return false;
    return true;
}

static void put_color(struct writer *w, const struct metadata_picture *picture, int class_id)
{
    for (int i = 0; i < picture->color_count; i++) {
        const struct metadata_color *color = &picture->colors[i];
        if (color->class_id != class_id)
            continue;
        put_varint(w, class_id > 0 ? (unsigned)class_id : 0);
        for (int k = 0; k < 3; k++)
            put_u8(w, color->rgb[k]);
        return;
    }
}

static void put_names(struct writer *w, const struct metadata_picture *picture)
{
    const struct detections *detections = picture->detections;
    uint8_t section[MAX_NAMES * (5 + 1 + NAME_BYTES)], colors[MAX_NAMES * COLOR_BYTES];
    struct writer inner = {section}, colored = {colors};
    char scratch[16];
    for (int i = 0, named = 0; i < object_count(detections) && named < MAX_NAMES; i++) {
        if (!is_first_of_class(detections, i))
            continue;
        named++;
        int class_id = detections->items[i].class_id;
        const char *name = label_set_name(detections->labels, class_id, scratch);
        size_t size = text_fitting(name, NAME_BYTES);
        put_varint(&inner, class_id > 0 ? (unsigned)class_id : 0);
        put_u8(&inner, (unsigned)size);
        memcpy(inner.at, name, size);
        inner.at += size;
        put_color(&colored, picture, class_id);
    }
    put_section(w, METADATA_NAMES, section, (size_t)(inner.at - section));
    if (colored.at > colors)
        put_section(w, METADATA_COLORS, colors, (size_t)(colored.at - colors));
}

static void put_record(struct writer *w, const struct metadata_picture *picture)
{
    const struct detections *detections = picture->detections;
    /* a model that has not answered yet says no size */
    bool sized = detections != NULL && detections->source_width > 0;
    int width = sized ? detections->source_width : picture->width;
    int height = sized ? detections->source_height : picture->height;
    put_u8(w, METADATA_VERSION);
    put_u8(w, (picture->predicted ? METADATA_PREDICTED : 0u) |
                  (picture->awaited ? METADATA_AWAITED : 0u) |
                  (picture->clean ? METADATA_CLEAN : 0u));
    put_big(w, 0, 4); /* the RTP timestamp */
    put_big(w, (uint64_t)picture->stages.at_us[STAGE_CAPTURE], 6);
    put_big(w, 0, 2); /* when it is sent */
    put_stages(w, &picture->stages);
    put_varint(w, (unsigned)width);
    put_varint(w, (unsigned)height);
    put_varint(w, (unsigned)object_count(detections));
    for (int i = 0; i < object_count(detections); i++)
        put_object(w, &detections->items[i], width, height);
    if (picture->predicted && detections != NULL && detections->seen_us != 0)
        put_seen(w, picture);
    put_look(w, picture);
    if (zone_count(picture) > 0)
        put_counts(w, picture);
}

/* Bytes that it may have. */
static size_t most_of(const struct metadata_picture *picture)
{
    size_t count = (size_t)object_count(picture->detections);
    size_t named = count < MAX_NAMES ? count : MAX_NAMES, zones = (size_t)zone_count(picture);
    return HEAD_BYTES + (STAGE_COUNT + 3) * (size_t)VARINT_BYTES + count * OBJECT_BYTES +
           (picture->shapes ? SHAPES_BYTES : 0u) + 2 * SECTION_HEAD_BYTES + VARINT_BYTES +
           LOOK_BYTES + 2 * SECTION_HEAD_BYTES + named * (5 + 1 + NAME_BYTES + COLOR_BYTES) +
           2 * SECTION_HEAD_BYTES + zones * (ZONE_BYTES + COUNT_BYTES);
}

int metadata_create(struct metadata **out, const struct metadata_picture *picture)
{
    struct metadata *metadata = malloc(sizeof(*metadata) + most_of(picture));
    if (metadata == NULL)
        return OW_ENOMEM;
    atomic_init(&metadata->refs, 1);
    struct writer writer = {metadata->data};
    put_record(&writer, picture);
    metadata->informs = picture->informs;
    metadata->boxes_size = (size_t)(writer.at - metadata->data);
    if (picture->shapes)
        put_shapes(&writer, picture->detections);
    metadata->bare_size = (size_t)(writer.at - metadata->data);
    if (object_count(picture->detections) > 0)
        put_names(&writer, picture);
    metadata->named_size = (size_t)(writer.at - metadata->data);
    if (zone_count(picture) > 0)
        put_zones(&writer, picture);
    metadata->size = (size_t)(writer.at - metadata->data);
    *out = metadata;
    return OW_OK;
}

struct metadata *metadata_ref(struct metadata *metadata)
{
    atomic_fetch_add_explicit(&metadata->refs, 1, memory_order_relaxed);
    return metadata;
}

void metadata_unref(struct metadata **out)
{
    struct metadata *metadata = *out;
    *out = NULL;
    if (metadata != NULL &&
        atomic_fetch_sub_explicit(&metadata->refs, 1, memory_order_acq_rel) == 1)
        free(metadata);
}

bool metadata_same_names(const struct metadata *a, const struct metadata *b)
{
    size_t size = a->named_size - a->bare_size;
    return size == b->named_size - b->bare_size &&
           memcmp(a->data + a->bare_size, b->data + b->bare_size, size) == 0;
}

bool metadata_same_zones(const struct metadata *a, const struct metadata *b)
{
    size_t size = a->size - a->named_size;
    return size == b->size - b->named_size &&
           memcmp(a->data + a->named_size, b->data + b->named_size, size) == 0;
}

int64_t metadata_capture_us(const struct metadata *metadata)
{
    int64_t capture_us = 0;
    for (int i = METADATA_RTP_AT + 4; i < METADATA_SENT_AT; i++)
        capture_us = capture_us << 8 | metadata->data[i];
    return capture_us;
}

size_t metadata_write(const struct metadata *metadata, const struct metadata_copy *copy,
                      uint8_t *out, size_t room)
{
    size_t front = copy->shapes ? metadata->bare_size : metadata->boxes_size;
    size_t names = copy->names ? metadata->named_size - metadata->bare_size : 0;
    size_t zones = copy->zones ? metadata->size - metadata->named_size : 0;
    if (front + names + zones > room)
        return 0;
    memcpy(out, metadata->data, front);
    memcpy(out + front, metadata->data + metadata->bare_size, names);
    memcpy(out + front + names, metadata->data + metadata->named_size, zones);
    out[METADATA_FLAGS_AT] |= (uint8_t)copy->flags;
    struct writer rtp = {out + METADATA_RTP_AT}, sent = {out + METADATA_SENT_AT};
    int64_t passed = (copy->sent_us - metadata_capture_us(metadata)) / UNIT_US;
    put_big(&rtp, copy->rtp_timestamp, 4);
    put_big(&sent, (uint64_t)(passed < 0 ? 0 : passed > MAX_SENT ? MAX_SENT : passed), 2);
    return front + names + zones;
}
