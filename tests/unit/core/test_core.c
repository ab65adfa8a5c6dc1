#include "core/address.h"
#include "core/clock.h"
#include "core/detections.h"
#include "core/disk_room.h"
#include "core/error.h"
#include "core/frame.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/percent.h"
#include "core/perf.h"
#include "core/random.h"
#include "core/text_cut.h"
#include "core/thread.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <cmocka.h>

static void frames_of_odd_sizes_have_aligned_planes(void **state)
{
    (void)state;
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, 33, 17), OW_OK);
    assert_int_equal(frame->stride[0], 64);
    assert_int_equal(frame->stride[1], 32);
    assert_int_equal((uintptr_t)frame->plane[2] % 32, 0);
    memset(frame->plane[0], 7, (size_t)frame->stride[0] * 17);
    memset(frame->plane[2], 9, (size_t)frame->stride[2] * 9);
    frame->capture_us = 42;
    struct frame *copy = NULL;
    assert_int_equal(frame_copy(&copy, frame), OW_OK);
    assert_int_equal(copy->plane[0][16 * copy->stride[0] + 32], 7);
    assert_int_equal(copy->plane[2][8 * copy->stride[2] + 16], 9);
    assert_int_equal(copy->capture_us, 42);
    frame_unref(&frame);
    assert_null(frame);
    frame_unref(&copy);
    assert_int_equal(frame_create(&frame, 0, 5), OW_EINVAL);
    assert_int_equal(frame_create(&frame, 9000, 5), OW_EINVAL);
}

static void some_of_a_disk_is_left_to_others(void **state)
{
    (void)state;
    struct statvfs disk;
    uint64_t room = 0;
    assert_int_equal(disk_room("/tmp", &room), OW_OK);
    assert_int_equal(statvfs("/tmp", &disk), 0);
    double reserve = (double)disk.f_bavail * (double)disk.f_frsize - (double)room;
    /* Others write meanwhile; of a disk that is full there is no room. */
    assert_true(room == 0 || (reserve > 200e6 && reserve < 340e6));
    assert_int_equal(disk_room("/proc", &room), OW_OK);
    assert_int_equal(room, 0);
    assert_int_equal(disk_room("/nowhere/at/all", &room), OW_EIO);
}

static int drops;
static void count_drop(void *item)
{
    drops++;
    free(item);
}

static void a_window_is_a_part_of_its_frame(void **state)
{
    (void)state;
    struct frame *frame = NULL, *small = NULL, window;
    assert_int_equal(frame_create(&frame, 33, 17), OW_OK);
    assert_int_equal(frame_create(&small, 9, 5), OW_OK);
    for (int i = 0; i < FRAME_PLANES; i++) {
        memset(frame->plane[i], 1, (size_t)frame->stride[i] * (size_t)(i ? 9 : 17));
        memset(small->plane[i], 2, (size_t)small->stride[i] * (size_t)(i ? 3 : 5));
    }
    frame->capture_us = 42;
    frame_window(&window, frame, 24, 12, 9, 5);
    assert_int_equal(window.capture_us, 42);
    frame_paste(&window, small);
    int pasted[FRAME_PLANES] = {0};
    for (int i = 0; i < FRAME_PLANES; i++)
        for (int y = 0; y < (i ? 9 : 17); y++)
            for (int x = 0; x < (i ? 17 : 33); x++)
                pasted[i] += frame->plane[i][y * frame->stride[i] + x] == 2;
    assert_int_equal(pasted[0], 9 * 5);
    assert_int_equal(pasted[1], 5 * 3);
    assert_int_equal(frame->plane[0][12 * frame->stride[0] + 24], 2);
    assert_int_equal(frame->plane[2][8 * frame->stride[2] + 16], 2);
    frame_unref(&small);
    frame_unref(&frame);
}

static void mailbox_keeps_the_latest(void **state)
{
    (void)state;
    struct mailbox *box = NULL;
    void *item = NULL;
    drops = 0;
    assert_int_equal(mailbox_create(&box, count_drop), OW_OK);
    assert_int_equal(mailbox_take(box, 0, &item), OW_EAGAIN);
    mailbox_put(box, strdup("old"));
    mailbox_put(box, strdup("new"));
    assert_int_equal(drops, 1);
    assert_int_equal(mailbox_dropped(box), 1);
    assert_int_equal(mailbox_take(box, INT64_MAX, &item), OW_OK);
    assert_string_equal(item, "new");
    free(item);
    mailbox_wake(box);
    assert_int_equal(mailbox_take(box, INT64_MAX, &item), OW_EAGAIN);
    int64_t before = clock_now_us();
    assert_int_equal(mailbox_take(box, before + 2000, &item), OW_EAGAIN);
    assert_true(clock_now_us() >= before + 2000);
    mailbox_put(box, strdup("left behind"));
    mailbox_close(box);
    assert_int_equal(mailbox_take(box, INT64_MAX, &item), OW_ECLOSED);
    mailbox_put(box, strdup("late"));
    assert_int_equal(drops, 2);
    mailbox_destroy(&box);
    assert_int_equal(drops, 3);
}

static void urls_lose_their_secrets(void **state)
{
    (void)state;
    char out[URL_REDACTED_BYTES];
    assert_string_equal(url_redact("rtsp://u:p@cam/live?token=1", out), "rtsp://***@cam/live?***");
    assert_string_equal(url_redact("rtsp://a@b:p@h/", out), "rtsp://***@h/");
    assert_string_equal(url_redact("/data/a@b.mp4", out), "/data/a@b.mp4");
}

static void addresses_round_trip(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT_BYTES];
    struct address a, b;
    assert_int_equal(address_parse(&a, "192.0.2.7", 81), OW_OK);
    assert_string_equal(address_text(&a, text), "192.0.2.7:81");
    assert_int_equal(address_parse(&b, "2001:db8::1", 9), OW_OK);
    assert_string_equal(address_text(&b, text), "[2001:db8::1]:9");
    assert_false(address_equal(&a, &b));
    assert_int_equal(address_parse(&b, "cam.local", 9), OW_EPARSE);
    assert_int_equal(address_parse(&b, "::1", 9), OW_OK);
    assert_true(address_is_loopback(&b));
}

static void seeded_random_repeats(void **state)
{
    (void)state;
    struct random_source a, b;
    random_seeded(&a, 7);
    random_seeded(&b, 7);
    for (int i = 0; i < 10; i++)
        assert_true(random_u64(&a) == random_u64(&b));
    random_seeded(&b, 8);
    assert_true(random_u64(&a) != random_u64(&b));
    double unit = random_unit(&a);
    assert_true(unit >= 0 && unit < 1);
}

static void perf_summarises(void **state)
{
    (void)state;
    struct perf_summary s;
    perf_reset();
    perf_read(PERF_H264, &s);
    assert_int_equal(s.count, 0);
    for (int i = 1; i <= 100; i++)
        perf_add(PERF_H264, i * 1000);
    perf_read(PERF_H264, &s);
    assert_int_equal(s.count, 100);
    assert_true(s.min_ms == 1 && s.max_ms == 100 && s.avg_ms == 50.5);
    assert_true(s.p50_ms == 50 && s.p95_ms == 95 && s.p99_ms == 99);
    assert_true(s.std_ms > 28.8 && s.std_ms < 28.9);
    assert_string_equal(perf_operation_name(PERF_INFERENCE), "model_inference");
}

static void perf_counts_in_buckets(void **state)
{
    (void)state;
    struct perf_histogram h;
    static const int64_t us[] = {0, 250, 251, 1000, 1000001, 999999999};
    for (size_t i = 0; i < sizeof us / sizeof us[0]; i++)
        perf_add(PERF_JPEG, us[i]);
    perf_reset(); /* of no concern to who counts */
    perf_read_histogram(PERF_JPEG, &h);
    assert_int_equal(h.counts[0], 2); /* up to 0.25 ms, itself included */
    assert_int_equal(h.counts[1], 3);
    assert_int_equal(h.counts[2], 4);
    assert_int_equal(h.counts[PERF_BUCKETS - 2], 4);
    assert_int_equal(h.counts[PERF_BUCKETS - 1], 6);
    assert_true(h.sum_ms > 1001002 - 1 && h.sum_ms < 1001002 + 1);
    for (int i = 1; i < PERF_BUCKETS; i++)
        assert_true(perf_bucket_ms[i] > perf_bucket_ms[i - 1]);
}

static void addresses_are_percent_encoded(void **state)
{
    (void)state;
    char out[12];
    assert_true(percent_encode("a/\xc3\xa4@~", "", out, sizeof out) == false);
    assert_true(percent_encode("a/\xc3\xa4~", "/", out, sizeof out));
    assert_string_equal(out, "a/%C3%A4~");
    assert_true(percent_encode("", "", out, 1));
    assert_false(percent_encode("", "", out, 0));
    assert_int_equal(percent_byte("%e4x", 4), 0xe4);
    assert_int_equal(percent_byte("%E4", 2), -1);
    assert_int_equal(percent_byte("%00", 3), -1);
    assert_int_equal(percent_byte("%4g", 3), -1);
    assert_int_equal(percent_byte("abc", 3), -1);
}

static void a_mask_is_told_in_runs(void **state)
{
    (void)state;
    struct object_shape *shape = NULL;
    uint32_t runs[8];
    assert_int_equal(object_shape_create(&shape, 3, 2, 1), OW_OK);
    assert_int_equal(object_shape_runs(shape, runs, 8), 1);
    assert_int_equal(runs[0], 6);
    shape->mask[0] = 255; /* upper left */
    shape->mask[1] = 127; /* outside */
    shape->mask[4] = 128; /* lower middle */
    shape->mask[5] = 200; /* lower right */
    /* By columns: 1 0, 0 1, 0 1. */
    assert_int_equal(object_shape_runs(shape, runs, 8), 6);
    static const uint32_t expected[] = {0, 1, 2, 1, 1, 1};
    assert_memory_equal(runs, expected, sizeof expected);
    runs[2] = 99;
    assert_int_equal(object_shape_runs(shape, runs, 2), 6);
    assert_int_equal(runs[2], 99);
    object_shape_unref(&shape);
    assert_int_equal(object_shape_create(&shape, 3, 0, 0), OW_EINVAL);
    assert_int_equal(object_shape_create(&shape, MASK_SIDE_MAX + 1, 1, 0), OW_EINVAL);
    assert_int_equal(object_shape_create(&shape, 0, 0, KEYPOINTS_MAX + 1), OW_EINVAL);
    assert_int_equal(object_shape_create(&shape, -1, -1, 0), OW_EINVAL);
    assert_null(shape);
}

/* The leak check sees a reference too many, a use after the last one is seen by the others. */
static void detections_share_shapes(void **state)
{
    (void)state;
    struct detections *first = NULL, *copy = NULL;
    assert_int_equal(detections_create(&first, 1, NULL), OW_OK);
    assert_int_equal(object_shape_create(&first->items[0].shape, 2, 2, 17), OW_OK);
    first->items[0].shape->keypoints[16].score = 0.5f;
    first->capture_us = 7;
    assert_int_equal(detections_create_like(&copy, first, 2), OW_OK);
    assert_int_equal(copy->count, 0);
    assert_int_equal(copy->capture_us, 7);
    detections_append(copy, &first->items[0]);
    detections_append(copy, &first->items[0]);
    assert_int_equal(atomic_load(&first->items[0].shape->refs), 3);
    detections_unref(&first);
    assert_float_equal(copy->items[1].shape->keypoints[16].score, 0.5f, 0);
    assert_int_equal(atomic_load(&copy->items[0].shape->refs), 2);
    detections_clear(copy);
    assert_int_equal(copy->count, 0);
    detections_unref(&copy);
}

static void *write_lock(void *lock)
{
    pthread_rwlock_wrlock(lock);
    pthread_rwlock_unlock(lock);
    return NULL;
}

/* While a writer waits for one reader, no other reader gets in. */
static void readers_do_not_keep_a_writer_out(void **state)
{
    (void)state;
    pthread_rwlock_t lock;
    pthread_t writer;
    thread_rwlock_init(&lock);
    pthread_rwlock_rdlock(&lock);
    assert_int_equal(pthread_create(&writer, NULL, write_lock, &lock), 0);
    int64_t limit_us = clock_now_us() + 5000000;
    bool kept_out = false;
    while (!kept_out && clock_now_us() < limit_us) {
        kept_out = pthread_rwlock_tryrdlock(&lock) != 0; /* once the writer has come */
        if (!kept_out)
            pthread_rwlock_unlock(&lock);
    }
    pthread_rwlock_unlock(&lock);
    pthread_join(writer, NULL);
    pthread_rwlock_destroy(&lock);
    assert_true(kept_out);
}

static void reasons_are_utf8_whatever_they_quote(void **state)
{
    (void)state;
    static const struct {
        const char *text, *mended;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\x7f\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xef\xbf\xbf \xf0\x90\x80\x80 "
         "\xf4\x8f\xbf\xbf",
         "\x7f\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xef\xbf\xbf \xf0\x90\x80\x80 "
         "\xf4\x8f\xbf\xbf"},
        {"a\xc3", "a?"}, /* cut */
        {"a\xe2\x82: b", "a?: b"},
        {"M\xfcller", "M?ller"},                                        /* Latin 1 */
        {"\xc0\x80 \xc1\xbf \xe0\x9f\xbf \xf0\x8f\xbf\xbf", "? ? ? ?"}, /* longer than needed */
        {"\xed\xa0\x80 \xf4\x90\x80\x80 \xff\xfe", "? ? ??"},           /* no characters */
        {"\x80\xbf!", "?!"},
    };
    struct reason why;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(reason_set(&why, OW_EIO, "%s", cases[i].text), OW_EIO);
        assert_string_equal(why.text, cases[i].mended);
    }
    char names[400]; /* of characters of two bytes, cut anywhere by its room and by a format */
    for (size_t i = 0; i < sizeof names - 1; i++)
        names[i] = i % 2 ? '\xa4' : '\xc3';
    names[sizeof names - 1] = '\0';
    for (int most = 1; most < 330; most++) {
        char shown[64];
        reason_set(&why, OW_EIO, "%.*s: why", most, names);
        char again[sizeof why.text];
        memcpy(again, why.text, sizeof again);
        text_mend(again);
        assert_string_equal(again, why.text);
        text_cut(shown, (size_t)most % sizeof shown + 1, why.text);
        memcpy(again, shown, sizeof shown);
        text_mend(again);
        assert_string_equal(again, shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_odd_sizes_have_aligned_planes),
        cmocka_unit_test(some_of_a_disk_is_left_to_others),
        cmocka_unit_test(a_window_is_a_part_of_its_frame),
        cmocka_unit_test(mailbox_keeps_the_latest),
        cmocka_unit_test(urls_lose_their_secrets),
        cmocka_unit_test(addresses_round_trip),
        cmocka_unit_test(seeded_random_repeats),
        cmocka_unit_test(addresses_are_percent_encoded),
        cmocka_unit_test(perf_summarises),
        cmocka_unit_test(perf_counts_in_buckets),
        cmocka_unit_test(a_mask_is_told_in_runs),
        cmocka_unit_test(detections_share_shapes),
        cmocka_unit_test(reasons_are_utf8_whatever_they_quote),
        cmocka_unit_test(readers_do_not_keep_a_writer_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
