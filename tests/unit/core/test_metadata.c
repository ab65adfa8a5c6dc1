/* The record of a picture: its bytes (tests of the page and of aiortc read the same), and what odd
 * detections make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/metadata.h"
#include "core/object_shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const NAMES[] = {"person", "bicycle", "car"};

static struct detections *two_objects(void)
{
    struct label_set *labels = NULL;
    struct detections *made = NULL;
    assert_int_equal(label_set_create(&labels, NAMES, 3), OW_OK);
    assert_int_equal(detections_create(&made, 2, labels), OW_OK);
    label_set_unref(&labels);
    made->source_width = 960;
    made->source_height = 540;
    made->items[0] = (struct detection){.class_id = 0,
                                        .confidence = 0.8F,
                                        .x1 = 480.117F,
                                        .y1 = 0,
                                        .x2 = 960,
                                        .y2 = 270.066F,
                                        .track_id = 7};
    made->items[1] = (struct detection){.class_id = 2,
                                        .confidence = 0.502F,
                                        .x1 = -50,
                                        .y1 = 9999,
                                        .x2 = 9999,
                                        .y2 = NAN,
                                        .track_id = 300};
    return made;
}

static struct metadata *describe(const struct detections *detections)
{
    const struct metadata_picture picture = {
        .detections = detections,
        .width = 320,
        .height = 180,
        .predicted = true,
        .stages = {{123456789, 123460289, 123460189, 123461189, 123461289, 123484089}},
    };
    struct metadata *made = NULL;
    assert_int_equal(metadata_create(&made, &picture), OW_OK);
    return made;
}

static size_t write(const struct metadata *metadata, bool names, uint32_t rtp_timestamp,
                    int64_t sent_us, uint8_t *out, size_t room)
{
    const struct metadata_copy copy = {.names = names,
                                       .zones = names,
                                       .shapes = true,
                                       .rtp_timestamp = rtp_timestamp,
                                       .sent_us = sent_us};
    return metadata_write(metadata, &copy, out, room);
}

static void assert_hex(const uint8_t *data, size_t size, const char *expected)
{
    char hex[512];
    assert_true(2 * size < sizeof hex);
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", data[i]);
    assert_string_equal(hex, expected);
}

/* The bytes of workflow-builder/tests/metadata.test.ts. */
static void test_bytes(void **state)
{
    (void)state;
    static const char bare[] = "010189abcdef0000075bcd1501231f46011402c803c0079c0402"
                               "0007cc800000fff80002ac0280000ffffff000";
    static const char names[] = "010d0006706572736f6e0203636172";
    struct detections *detections = two_objects();
    struct metadata *metadata = describe(detections);
    uint8_t out[256];
    char whole[256];
    size_t size = write(metadata, false, 0x89abcdef, 123456789 + 29100, out, sizeof out);
    assert_hex(out, size, bare);
    size = write(metadata, true, 0x89abcdef, 123456789 + 29100, out, sizeof out);
    snprintf(whole, sizeof whole, "%s%s", bare, names);
    assert_hex(out, size, whole);
    assert_int_equal(write(metadata, true, 1, 0, out, size - 1), 0);
    metadata_unref(&metadata);
    detections_unref(&detections);
}

static void test_nothing_seen(void **state)
{
    (void)state;
    struct metadata *metadata = describe(NULL);
    uint8_t out[64];
    size_t size = write(metadata, true, 1, INT64_MAX, out, sizeof out);
    assert_hex(out, size, "0101000000010000075bcd15ffff1f46011402c803c002b40100");
    metadata_unref(&metadata);
}

/* Of predicted boxes only: by how much the frame is older that the model saw. */
static void test_seen(void **state)
{
    (void)state;
    struct detections *detections = two_objects();
    const int64_t capture_us = 123456789;
    struct metadata_picture picture = {
        .detections = detections, .predicted = true, .stages = {{capture_us}}};
    static const struct {
        int64_t older_us;
        const char *section;
    } cases[] = {{42000, "0402c806"}, {-300, "040105"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct metadata *made = NULL;
        detections->seen_us = capture_us - cases[i].older_us;
        assert_int_equal(metadata_create(&made, &picture), OW_OK);
        size_t size = strlen(cases[i].section) / 2;
        assert_hex(made->data + made->bare_size - size, size, cases[i].section);
        metadata_unref(&made);
    }
    struct metadata *predicted = NULL, *seen = NULL;
    assert_int_equal(metadata_create(&predicted, &picture), OW_OK);
    picture.predicted = false;
    assert_int_equal(metadata_create(&seen, &picture), OW_OK);
    assert_int_equal(seen->bare_size, predicted->bare_size - 3);
    metadata_unref(&predicted);
    metadata_unref(&seen);
    detections_unref(&detections);
}

static void test_same_names(void **state)
{
    (void)state;
    struct detections *detections = two_objects();
    struct metadata *a = describe(detections), *none = describe(NULL);
    detections->items[0].confidence = 0.1F;
    struct metadata *b = describe(detections);
    detections->items[1].class_id = 1;
    struct metadata *c = describe(detections);
    assert_true(metadata_same_names(a, b));
    assert_false(metadata_same_names(a, c));
    assert_false(metadata_same_names(a, none));
    metadata_unref(&a);
    metadata_unref(&b);
    metadata_unref(&c);
    metadata_unref(&none);
    detections_unref(&detections);
}

static const struct zone_states ZONES = {.count = 2,
                                         .items = {{.name = "Yard",
                                                    .count = 3,
                                                    .points = {{0, 0}, {1, 0.2502F}, {-0.5F, 2}},
                                                    .inside = 3,
                                                    .happened_us = 123456789 - 420000},
                                                   {.name = "",
                                                    .line = true,
                                                    .count = 2,
                                                    .points = {{0.5F, 0}, {0.5F, 1}},
                                                    .in = 40,
                                                    .out = 300,
                                                    .happened_us = 123456789 + 5000}}};

static struct metadata *describe_zones(const struct zone_states *zones)
{
    const struct metadata_picture picture = {
        .zones = zones, .width = 320, .height = 180, .stages = {{123456789}}};
    struct metadata *made = NULL;
    assert_int_equal(metadata_create(&made, &picture), OW_OK);
    return made;
}

/* The bytes of workflow-builder/tests/metadata.test.ts: counts each time, the rest when told. */
static void test_zones(void **state)
{
    (void)state;
    static const char counts[] = "0607"
                                 "0d2a"
                                 "a301ac02"
                                 "00";
    struct metadata *metadata = describe_zones(&ZONES);
    assert_int_equal(metadata->boxes_size, metadata->bare_size);
    assert_int_equal(metadata->bare_size, metadata->named_size);
    size_t size = strlen(counts) / 2;
    assert_hex(metadata->data + metadata->bare_size - size, size, counts);
    uint8_t out[128];
    const struct metadata_copy with = {.zones = true}, without = {.names = true};
    size_t all = metadata_write(metadata, &with, out, sizeof out);
    assert_int_equal(all, metadata->size);
    assert_hex(out + metadata->named_size, all - metadata->named_size,
               "0517"
               "06000000fff401000fff0459617264"
               "05800000800fff00");
    assert_int_equal(metadata_write(metadata, &without, out, sizeof out), metadata->named_size);
    assert_int_equal(metadata_write(metadata, &with, out, all - 1), 0);
    metadata_unref(&metadata);
}

/* What happened long ago is not told; counts are no reason to tell the rest again. */
static void test_same_zones(void **state)
{
    (void)state;
    struct zone_states zones = ZONES;
    struct metadata *a = describe_zones(&zones), *none = describe_zones(NULL);
    zones.items[0].inside = 4;
    zones.items[0].happened_us = 123456789 - 3000000;
    zones.items[1].happened_us = 0;
    zones.items[1].out = 301;
    struct metadata *b = describe_zones(&zones);
    assert_true(metadata_same_zones(a, b));
    assert_int_equal(b->size, a->size - 2);
    zones.items[0].points[1].x = 0.9F;
    struct metadata *moved = describe_zones(&zones);
    zones.count = 1;
    struct metadata *fewer = describe_zones(&zones);
    assert_false(metadata_same_zones(b, moved));
    assert_false(metadata_same_zones(moved, fewer));
    assert_false(metadata_same_zones(fewer, none));
    /* An area with nothing new in it, and a view without zones. */
    assert_int_equal(fewer->bare_size - none->bare_size, 3);
    assert_int_equal(none->size, none->bare_size);
    struct metadata **all[] = {&a, &b, &moved, &fewer, &none};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        metadata_unref(all[i]);
}

/* Behind the names, of classes in the picture. */
static void test_colors(void **state)
{
    (void)state;
    static const struct metadata_color colors[] = {{2, {0xff, 0x88, 0}}, {1, {1, 2, 3}}};
    struct detections *detections = two_objects();
    struct metadata_picture picture = {
        .detections = detections, .colors = colors, .color_count = 2};
    struct metadata *made = NULL, *plain = NULL;
    assert_int_equal(metadata_create(&made, &picture), OW_OK);
    picture.color_count = 0;
    assert_int_equal(metadata_create(&plain, &picture), OW_OK);
    assert_hex(made->data + plain->size, made->size - plain->size, "070402ff8800");
    assert_int_equal(made->bare_size, plain->bare_size);
    assert_false(metadata_same_names(made, plain));
    metadata_unref(&made);
    metadata_unref(&plain);
    detections_unref(&detections);
}

/* The bytes of workflow-builder/tests/metadata.test.ts; nothing where all is drawn. */
static void test_look(void **state)
{
    (void)state;
    struct detections *detections = two_objects();
    struct metadata_picture picture = {.detections = detections};
    struct metadata *whole = NULL;
    assert_int_equal(metadata_create(&whole, &picture), OW_OK);
    static const struct {
        unsigned hides;
        float from;
        const char *section;
    } cases[] = {{METADATA_HIDES_BOXES | METADATA_HIDES_NAMES, 0.5F, "08020380"},
                 {0, 0.8F, "080200cc"}, /* as the first object's confidence is written */
                 {METADATA_HIDES_MASKS, 0, "08021000"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct metadata *made = NULL;
        picture.hides = cases[i].hides;
        picture.min_confidence = cases[i].from;
        assert_int_equal(metadata_create(&made, &picture), OW_OK);
        assert_int_equal(made->boxes_size, whole->boxes_size + 4);
        assert_hex(made->data + whole->boxes_size, 4, cases[i].section);
        metadata_unref(&made);
    }
    metadata_unref(&whole);
    detections_unref(&detections);
}

/* Only for a page that draws them. A mask of more runs than are worth it is left out. */
static void test_shapes(void **state)
{
    (void)state;
    struct detections *detections = two_objects();
    struct object_shape *shape = NULL, *rough = NULL;
    assert_int_equal(object_shape_create(&shape, 3, 2, 1), OW_OK);
    shape->keypoints[0] = (struct keypoint){.x = 1, .y = 0.5F, .score = 1};
    shape->mask[1] = shape->mask[4] = shape->mask[2] = 255; /* columns: 00 11 10 */
    detections->items[0].shape = object_shape_ref(shape);
    assert_int_equal(object_shape_create(&rough, 128, 128, 0), OW_OK);
    for (int i = 0; i < 128 * 128; i++)
        rough->mask[i] = (uint8_t)((i ^ i >> 7) & 1 ? 255 : 0);
    detections->items[1].shape = object_shape_ref(rough);
    struct metadata *plain = describe(detections), *clean = NULL;
    const struct metadata_picture picture = {
        .detections = detections, .clean = true, .shapes = true};
    assert_int_equal(metadata_create(&clean, &picture), OW_OK);
    static const char shapes[] = "02858000"
                                 "00fff400ff"
                                 "03868000"
                                 "0003020203"
                                 "01";
    size_t size = sizeof(shapes) / 2;
    assert_hex(clean->data + clean->bare_size - size, size, shapes);
    /* Boxes alone, marked: what a page is sent where there is no video. */
    const struct metadata_copy vector = {.names = true, .flags = METADATA_VECTOR};
    uint8_t out[256];
    size_t sent = metadata_write(clean, &vector, out, sizeof out);
    assert_int_equal(sent, clean->boxes_size + clean->size - clean->bare_size);
    assert_int_equal(out[METADATA_FLAGS_AT], METADATA_VECTOR | METADATA_CLEAN);
    assert_memory_equal(out + clean->boxes_size, clean->data + clean->bare_size,
                        clean->size - clean->bare_size);
    object_shape_unref(&detections->items[0].shape);
    object_shape_unref(&detections->items[1].shape);
    struct metadata *bare = describe(detections);
    assert_int_equal(plain->bare_size, bare->bare_size);
    metadata_unref(&plain);
    metadata_unref(&clean);
    metadata_unref(&bare);
    object_shape_unref(&shape);
    object_shape_unref(&rough);
    detections_unref(&detections);
}

/* As many objects of as many classes as there may be, with names that are cut between characters.
 */
static void test_most(void **state)
{
    (void)state;
    enum { COUNT = METADATA_MAX_OBJECTS + 50 };
    static char texts[COUNT][90];
    static const char *names[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "%d%.*s", i % 10, 80,
                 "éééééééééééééééééééééééééééééééééééééééé");
        names[i] = texts[i];
    }
    struct label_set *labels = NULL;
    struct detections *detections = NULL;
    assert_int_equal(label_set_create(&labels, names, COUNT), OW_OK);
    assert_int_equal(detections_create(&detections, COUNT, labels), OW_OK);
    detections->source_width = detections->source_height = 8192;
    for (int i = 0; i < COUNT; i++)
        detections->items[i] =
            (struct detection){.class_id = i, .confidence = 9, .track_id = UINT32_MAX};
    struct metadata *metadata = describe(detections);
    /* "0", and 31 letters of two bytes each */
    assert_memory_equal(metadata->data + metadata->bare_size + 3,
                        "\0\x3f"
                        "0",
                        3);
    assert_true(metadata->bare_size < 16 * 1024);
    metadata_unref(&metadata);
    detections_unref(&detections);
    label_set_unref(&labels);
}

/* A model that has not answered yet: its boxes, of which there are none, are of the picture. */
static void a_picture_has_a_size_before_the_model_answers(void **state)
{
    (void)state;
    struct detections *none = NULL;
    uint8_t out[64];
    assert_int_equal(detections_create(&none, 1, NULL), OW_OK);
    none->count = 0;
    none->source_width = none->source_height = 0;
    struct metadata *made = describe(none);
    assert_true(write(made, false, 0, 123484089, out, sizeof out) > 0);
    size_t at = 15;
    for (unsigned passed = out[14]; passed != 0; passed >>= 1)
        for (bool more = (passed & 1) != 0; more; at++)
            more = (out[at] & 0x80) != 0;
    const uint8_t size[] = {0xc0, 0x02, 0xb4, 0x01, 0}; /* 320, 180; no objects */
    assert_memory_equal(out + at, size, sizeof size);
    metadata_unref(&made);
    detections_unref(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_has_a_size_before_the_model_answers),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_nothing_seen),
        cmocka_unit_test(test_seen),
        cmocka_unit_test(test_same_names),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_same_zones),
        cmocka_unit_test(test_colors),
        cmocka_unit_test(test_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
