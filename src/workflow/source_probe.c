#include "workflow/source_probe.h"

#include "core/clock.h"

enum { LOOK_US = 20000, RATE_US = 1500000 };

static void on_frame(void *context, struct frame *frame)
{
    (void)frame;
    atomic_store((atomic_bool *)context, true);
}

static bool is_stopped(const atomic_bool *stop)
{
    return stop && atomic_load(stop);
}

/* A rate is known a second after the first picture. */
static void wait_for_rate(struct source *source, int64_t limit_us, const atomic_bool *stop,
                          struct source_status *out)
{
    int64_t until_us = clock_now_us() + RATE_US;
    until_us = until_us < limit_us ? until_us : limit_us;
    source_status(source, out);
    while (!(out->fps > 0) && clock_now_us() < until_us && !is_stopped(stop)) {
        clock_sleep_until_us(clock_now_us() + LOOK_US);
        source_status(source, out);
    }
}

int source_probe(const char *url, int64_t wait_us, const atomic_bool *stop,
                 struct source_status *out, struct reason *why)
{
    const struct source_settings settings = {
        .url = url, .playback_speed = 1, .resolution_scale = 100};
    bool is_path = url[0] == '/'; /* a file that is no video will not become one */
    struct source *source = NULL;
    atomic_bool came = false;
    int rc = source_start(&source, &settings, on_frame, &came, why);
    if (rc < 0)
        return rc;
    int64_t limit_us = clock_now_us() + wait_us;
    do {
        clock_sleep_until_us(clock_now_us() + LOOK_US);
        source_status(source, out);
    } while (!atomic_load(&came) && clock_now_us() < limit_us && !is_stopped(stop) &&
             !(is_path && out->state == SOURCE_NO_SIGNAL));
    source_status(source, out);
    if (atomic_load(&came) && !is_path)
        wait_for_rate(source, limit_us, stop, out);
    source_stop(&source);
    if (is_stopped(stop))
        return reason_set(why, OW_ECLOSED, "the program ends");
    return atomic_load(&came) ? OW_OK : OW_ETIMEOUT;
}
