#include "core/clock.h"
#include "workflow/source_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 3 };

static void on_frame(void *context, struct frame *frame)
{
    (void)frame;
    atomic_fetch_add((atomic_int *)context, 1);
}

static bool has_ended(struct source_tap *tap)
{
    struct source_status status;
    source_tap_status(tap, &status);
    return status.state == SOURCE_ENDED;
}

static void assert_ends(struct source_tap *tap)
{
    int64_t limit_us = clock_now_us() + 10000000;
    while (!has_ended(tap) && clock_now_us() < limit_us)
        clock_sleep_until_us(clock_now_us() + 1000);
    assert_true(has_ended(tap));
}

/* A short film that is not repeated: who comes after its end sees it from the beginning. */
static void a_source_that_has_ended_is_opened_anew(void **state)
{
    (void)state;
    char path[] = "/tmp/overwatch-hub-XXXXXX.y4m";
    int file = mkstemps(path, 4);
    assert_true(file >= 0);
    FILE *film = fdopen(file, "w");
    static uint8_t picture[64 * 48 * 3 / 2];
    fputs("YUV4MPEG2 W64 H48 F25:1 C420jpeg\n", film);
    for (int i = 0; i < FRAMES; i++) {
        memset(picture, 40 * i, sizeof picture);
        fputs("FRAME\n", film);
        fwrite(picture, 1, sizeof picture, film);
    }
    fclose(film);

    const struct source_settings settings = {.url = path, .playback_speed = 1};
    struct source_hub *hub = NULL;
    struct source_tap *first = NULL, *second = NULL, *third = NULL;
    atomic_int frames[3] = {0};
    struct reason why = {""};
    assert_int_equal(source_hub_create(&hub), OW_OK);
    assert_int_equal(source_hub_join(hub, &settings, on_frame, &frames[0], &first, &why), OW_OK);
    assert_ends(first);
    assert_int_equal(atomic_load(&frames[0]), FRAMES);
    assert_int_equal(source_hub_join(hub, &settings, on_frame, &frames[1], &second, &why), OW_OK);
    assert_ends(second);
    assert_int_equal(atomic_load(&frames[1]), FRAMES);
    assert_int_equal(atomic_load(&frames[0]), FRAMES); /* it is not the first one's */
    source_hub_leave(hub, &first);
    assert_int_equal(source_hub_join(hub, &settings, on_frame, &frames[2], &third, &why), OW_OK);
    assert_ends(third);
    assert_int_equal(atomic_load(&frames[2]), FRAMES);
    source_hub_leave(hub, &third);
    source_hub_leave(hub, &second);
    source_hub_destroy(&hub);
    unlink(path);
}

static void one_that_plays_is_shared(void **state)
{
    (void)state;
    const struct source_settings settings = {.url = "test:", .width = 64, .height = 48, .fps = 50};
    struct source_hub *hub = NULL;
    struct source_tap *first = NULL, *second = NULL;
    atomic_int frames[2] = {0};
    struct source_status status;
    assert_int_equal(source_hub_create(&hub), OW_OK);
    assert_int_equal(source_hub_join(hub, &settings, on_frame, &frames[0], &first, NULL), OW_OK);
    int64_t limit_us = clock_now_us() + 10000000;
    while (atomic_load(&frames[0]) < 10 && clock_now_us() < limit_us)
        clock_sleep_until_us(clock_now_us() + 1000);
    assert_int_equal(source_hub_join(hub, &settings, on_frame, &frames[1], &second, NULL), OW_OK);
    source_tap_status(second, &status);
    assert_true(status.frames >= 10); /* of the one that was there before */
    source_hub_leave(hub, &first);
    source_hub_leave(hub, &second);
    source_hub_destroy(&hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_has_ended_is_opened_anew),
        cmocka_unit_test(one_that_plays_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
