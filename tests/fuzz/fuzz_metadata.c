/* The record of a picture of any objects and zones: whoever reads it by its description comes to
 * its end, in every choice of what is told, and finds what was put in.
 *
 *   number of objects, and for each its class, track, confidence and box (2 bytes each); number of
 * colours, and for each its class; number of zones, and for each whether it is a line, its number
 * of points, x and y of each, what it counts (2 bytes each), when something happened, its name */
#include "fuzz.h"
#include "fuzz_input.h"

#include "core/error.h"
#include "core/metadata.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OBJECTS = 32, MAX_COLORS = 16, HEAD_BYTES = 15, CAPTURE_US = 1000000000 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* ---- what is put in ---- */

static void read_objects(struct input *input, struct detections **out)
{
    check(detections_create(out, (int)(take(input) % MAX_OBJECTS), NULL) == OW_OK);
    (*out)->source_width = (*out)->source_height = 1000;
    for (int i = 0; i < (*out)->count; i++)
        (*out)->items[i] = (struct detection){.class_id = (int)take(input) - 3,
                                              .track_id = take16(input),
                                              .confidence = (float)take(input) / 100,
                                              .x1 = (float)take16(input) - 100,
                                              .y1 = (float)take16(input) - 100,
                                              .x2 = (float)take16(input),
                                              .y2 = (float)take16(input)};
}

static void read_zones(struct input *input, struct zone_states *out)
{
    out->count = (int)(take(input) % (ZONE_STATES_MAX + 1));
    for (int i = 0; i < out->count; i++) {
        struct zone_state *zone = &out->items[i];
        zone->line = take(input) % 2 == 1;
        zone->count = (int)(take(input) % (ZONE_STATE_POINTS_MAX + 1));
        for (int k = 0; k < zone->count; k++)
            zone->points[k] = (struct zone_state_point){(float)take16(input) / 40000 - 0.2F,
                                                        (float)take16(input) / 40000 - 0.2F};
        zone->inside = (int)take16(input);
        zone->in = (uint64_t)take16(input) << 20;
        zone->out = take16(input);
        zone->happened_us = (int64_t)take16(input) * 100000;
        size_t size = take(input) % ZONE_STATE_NAME_BYTES;
        for (size_t k = 0; k < size; k++)
            zone->name[k] = (char)take(input);
    }
}

/* ---- what is read ---- */

struct reader {
    const uint8_t *at, *end;
};

static unsigned byte_of(struct reader *r)
{
    check(r->at < r->end);
    return *r->at++;
}

static uint64_t varint_of(struct reader *r)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        unsigned byte = byte_of(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    abort();
}

static void skip(struct reader *r, uint64_t size)
{
    check(size <= (uint64_t)(r->end - r->at));
    r->at += size;
}

static void read_places(struct reader section, const struct zone_states *zones)
{
    for (int i = 0; i < zones->count; i++) {
        const struct zone_state *zone = &zones->items[i];
        check(varint_of(&section) == ((uint64_t)zone->count << 1 | zone->line));
        skip(&section, 3 * (uint64_t)zone->count);
        unsigned size = byte_of(&section);
        check(size <= strlen(zone->name));
        check(memcmp(section.at, zone->name, size) == 0);
        skip(&section, size);
    }
    check(section.at == section.end);
}

static void read_counts(struct reader section, const struct zone_states *zones)
{
    for (int i = 0; i < zones->count; i++) {
        const struct zone_state *zone = &zones->items[i];
        uint64_t first = varint_of(&section);
        int64_t since_us = CAPTURE_US - zone->happened_us;
        bool news = zone->happened_us != 0 && since_us < 2560000;
        check(first == ((zone->line ? zone->in : (uint64_t)zone->inside) << 2 |
                        (zone->line ? 2u : 0u) | news));
        if (zone->line)
            check(varint_of(&section) == zone->out);
        if (news)
            check(byte_of(&section) == (since_us > 0 ? since_us / 10000 : 0));
    }
    check(section.at == section.end);
}

static void read_record(const uint8_t *data, size_t size, const struct metadata_copy *copy,
                        const struct metadata_picture *picture)
{
    struct reader r = {data + HEAD_BYTES, data + size};
    unsigned found = 0;
    check(size >= HEAD_BYTES && data[14] == 0);
    varint_of(&r);
    varint_of(&r);
    check(varint_of(&r) == (uint64_t)picture->detections->count);
    for (int i = 0; i < picture->detections->count; i++) {
        varint_of(&r);
        check(varint_of(&r) == picture->detections->items[i].track_id);
        skip(&r, 7);
    }
    while (r.at < r.end) {
        unsigned kind = byte_of(&r);
        uint64_t length = varint_of(&r);
        struct reader section = r;
        skip(&r, length);
        section.end = r.at;
        check((found >> kind & 1) == 0);
        found |= 1u << kind;
        if (kind == METADATA_ZONES)
            read_places(section, picture->zones);
        if (kind == METADATA_COUNTS)
            read_counts(section, picture->zones);
        if (kind == METADATA_COLORS)
            check(length > 0 && length <= 5 * (uint64_t)picture->color_count);
    }
    check((found >> METADATA_COUNTS & 1) == (picture->zones->count > 0));
    check((found >> METADATA_ZONES & 1) == (copy->zones && picture->zones->count > 0));
    check((found >> METADATA_NAMES & 1) == (copy->names && picture->detections->count > 0));
    check(copy->names || (found >> METADATA_COLORS & 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct detections *seen = NULL;
    struct zone_states zones = {0};
    struct metadata_color colors[MAX_COLORS];
    struct metadata *record = NULL;
    read_objects(&input, &seen);
    int color_count = (int)(take(&input) % MAX_COLORS);
    for (int i = 0; i < color_count; i++)
        colors[i] = (struct metadata_color){(int)take(&input), {1, 2, 3}};
    read_zones(&input, &zones);
    const struct metadata_picture picture = {.detections = seen,
                                             .zones = &zones,
                                             .colors = colors,
                                             .color_count = color_count,
                                             .shapes = true,
                                             .stages = {{CAPTURE_US}}};
    check(metadata_create(&record, &picture) == OW_OK);
    uint8_t *out = malloc(record->size);
    check(out != NULL);
    for (unsigned told = 0; told < 8; told++) {
        const struct metadata_copy copy = {
            .names = told & 1, .zones = told & 2, .shapes = told & 4};
        size_t written = metadata_write(record, &copy, out, record->size);
        check(written > 0 && written <= record->size);
        check(metadata_write(record, &copy, out, written - 1) == 0);
        metadata_write(record, &copy, out, written);
        read_record(out, written, &copy, &picture);
    }
    free(out);
    metadata_unref(&record);
    detections_unref(&seen);
    return 0;
}
