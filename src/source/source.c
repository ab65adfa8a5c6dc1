/* The thread of a source, what it tells of itself, and when it opens its input again. */
#include "source/source.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/text_cut.h"
#include "core/thread.h"
#include "source/av_log.h"
#include "source/gate.h"
#include "source/input.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    PAUSE_FIRST_US = 500000,
    PAUSE_MAX_US = 10000000,
    GOOD_PLAY_US = 10000000, /* play this long and the next pause is the first again */
    FPS_WINDOW_US = 1000000,
    STOP_WAIT_US = 1800000, /* source_stop() promises 2 s */
};

/* The first that matches opens the URL; the last takes what is left. */
static const struct source_input *const inputs[] = {
    &source_input_pattern,
    &source_input_pipe,
    &source_input_av,
};

struct source {
    atomic_int refs; /* the owner's and the thread's: a thread that hangs is left behind */
    struct source_run run;
    const struct source_input *input;
    void (*on_frame)(void *context, struct frame *frame);
    void *context;
    pthread_t thread;
    pthread_mutex_t delivery; /* held during on_frame */
    pthread_mutex_t lock;     /* guards status */
    struct source_status status;
    pthread_cond_t ended; /* with lock: the thread is about to return */
    bool has_ended;

    /* the thread's own */
    struct similar_gate similar;
    int64_t heard_us;   /* last frame read, or the opening */
    int64_t playing_us; /* first frame since the opening; 0 = none */
    int64_t window_us;
    uint64_t window_frames;
    uint64_t sequence;
};

static void source_unref(struct source *source)
{
    if (atomic_fetch_sub(&source->refs, 1) != 1)
        return;
    free((char *)source->run.settings.url);
    free((char *)source->run.settings.pixel_format);
    if (source->run.stop_fd >= 0)
        close(source->run.stop_fd);
    pthread_cond_destroy(&source->ended);
    pthread_mutex_destroy(&source->lock);
    pthread_mutex_destroy(&source->delivery);
    free(source);
}

static void set_state(struct source *source, enum source_state state, const char *text)
{
    struct source_status *status = &source->status;
    char shown[sizeof status->text];
    text_cut(shown, sizeof shown, text);
    pthread_mutex_lock(&source->lock);
    bool news = status->state != state || strcmp(status->text, shown) != 0;
    if (status->state != state)
        status->since_us = clock_now_us();
    status->state = state;
    if (state != SOURCE_PLAYING)
        status->fps = 0;
    text_cut(status->text, sizeof status->text, text);
    pthread_mutex_unlock(&source->lock);
    if (news && state == SOURCE_NO_SIGNAL)
        log_warn("source: no signal: %s", text);
}

static void note_frame(struct source *source, const struct frame *frame)
{
    int64_t now_us = clock_now_us();
    source->heard_us = now_us;
    pthread_mutex_lock(&source->lock);
    struct source_status *status = &source->status;
    bool back = status->state != SOURCE_PLAYING;
    if (source->playing_us == 0 || back) {
        source->window_us = 0; /* begins with this frame */
        source->window_frames = 0;
    }
    if (source->playing_us == 0)
        source->playing_us = now_us;
    if (back) {
        status->state = SOURCE_PLAYING;
        status->since_us = now_us;
        status->text[0] = '\0';
    }
    if (status->width != frame->width || status->height != frame->height || back) {
        status->width = frame->width;
        status->height = frame->height;
        memcpy(status->codec, source->run.codec, sizeof status->codec);
        status->duration_s = source->run.duration_s;
        status->nominal_fps = source->run.nominal_fps;
    }
    pthread_mutex_unlock(&source->lock);
    if (back)
        log_info("source: playing %dx%d (%s)", frame->width, frame->height, source->run.codec);
}

static void count_delivery(struct source *source)
{
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&source->lock);
    source->status.frames++;
    if (source->window_us == 0)
        source->window_us = now_us;
    else
        source->window_frames++;
    if (now_us - source->window_us >= FPS_WINDOW_US) {
        source->status.fps =
            (double)source->window_frames * 1e6 / (double)(now_us - source->window_us);
        source->window_us = now_us;
        source->window_frames = 0;
    }
    pthread_mutex_unlock(&source->lock);
}

static void deliver(struct source *source, struct frame *frame)
{
    note_frame(source, frame);
    if (source->run.settings.skip_similar && !similar_gate_pass(&source->similar, frame))
        return;
    frame->sequence = source->sequence++;
    /* Counted first, so that whoever has seen the frame sees it in the status too. */
    count_delivery(source);
    pthread_mutex_lock(&source->delivery);
    if (!source_run_stopping(&source->run))
        source->on_frame(source->context, frame);
    pthread_mutex_unlock(&source->delivery);
}

static void count_reopening(struct source *source)
{
    pthread_mutex_lock(&source->lock);
    source->status.reopened++;
    pthread_mutex_unlock(&source->lock);
}

static void watch_silence(struct source *source, const struct reason *why)
{
    if (why->text[0]) { /* the input waits by itself for what comes back */
        set_state(source, SOURCE_NO_SIGNAL, why->text);
        count_reopening(source);
    } else if (clock_now_us() - source->heard_us > SOURCE_STALL_US &&
               source->status.state != SOURCE_NO_SIGNAL) { /* only this thread writes it */
        set_state(source, SOURCE_NO_SIGNAL, "no picture has come for 5 s");
    }
}

/* Opens the input and plays it until it ends (OW_ECLOSED), fails, or the source stops (OW_OK). */
static int play(struct source *source, struct reason *why)
{
    void *state = NULL;
    source->heard_us = clock_now_us();
    source->playing_us = 0;
    int rc = source->input->open(&source->run, &state, why);
    if (rc < 0)
        return rc;
    while (!source_run_stopping(&source->run)) {
        struct frame *frame = NULL;
        why->text[0] = '\0';
        rc = source->input->read(state, &frame, why);
        if (rc == OW_OK) {
            deliver(source, frame);
            frame_unref(&frame);
        } else if (rc == OW_EAGAIN) {
            watch_silence(source, why);
            rc = OW_OK;
        } else {
            break;
        }
    }
    source->input->close(&state);
    return rc;
}

static void *source_thread(void *argument)
{
    struct source *source = argument;
    thread_introduce("source", THREAD_PICTURE);
    int64_t pause_us = PAUSE_FIRST_US;
    while (!source_run_stopping(&source->run)) {
        struct reason why = {{0}};
        int rc = play(source, &why);
        if (source_run_stopping(&source->run))
            break;
        if (rc == OW_ECLOSED) {
            set_state(source, SOURCE_ENDED, why.text[0] ? why.text : "the input has ended");
            break;
        }
        set_state(source, SOURCE_NO_SIGNAL, why.text[0] ? why.text : error_text(rc));
        if (source->playing_us && clock_now_us() - source->playing_us >= GOOD_PLAY_US)
            pause_us = PAUSE_FIRST_US;
        if (!source_run_wait_until(&source->run, clock_now_us() + pause_us))
            break;
        pause_us = pause_us * 2 < PAUSE_MAX_US ? pause_us * 2 : PAUSE_MAX_US;
        count_reopening(source);
    }
    pthread_mutex_lock(&source->lock);
    source->has_ended = true;
    pthread_cond_signal(&source->ended);
    pthread_mutex_unlock(&source->lock);
    source_unref(source);
    return NULL;
}

static const struct source_input *find_input(const char *url)
{
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        if (inputs[i]->matches(url))
            return inputs[i];
    return NULL;
}

static int check_settings(const struct source_settings *settings, struct reason *why)
{
    if (!settings->url || !settings->url[0])
        return reason_set(why, OW_EINVAL, "the source has no path or URL");
    if (!(settings->fps >= 0 && settings->fps <= 1000))
        return reason_set(why, OW_EINVAL, "fps must be 0 to 1000");
    if (!(settings->playback_speed >= 0 && settings->playback_speed <= 100))
        return reason_set(why, OW_EINVAL, "the playback speed must be over 0 and up to 100");
    if (settings->resolution_scale < 0 || settings->resolution_scale > 100)
        return reason_set(why, OW_EINVAL, "the resolution scale must be 1 to 100 percent");
    if (settings->width < 0 || settings->height < 0 || settings->width > FRAME_MAX_SIDE ||
        settings->height > FRAME_MAX_SIDE)
        return reason_set(why, OW_EINVAL, "width and height must be 1 to %d", FRAME_MAX_SIDE);
    return OW_OK;
}

static int copy_settings(struct source_settings *to, const struct source_settings *from)
{
    *to = *from;
    if (to->playback_speed <= 0)
        to->playback_speed = 1;
    if (to->resolution_scale == 0)
        to->resolution_scale = 100;
    to->url = strdup(from->url);
    to->pixel_format = from->pixel_format ? strdup(from->pixel_format) : NULL;
    return to->url && (to->pixel_format || !from->pixel_format) ? OW_OK : OW_ENOMEM;
}

static int start_thread(struct source *source)
{
    source->run.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (source->run.stop_fd < 0)
        return OW_EIO;
    atomic_store(&source->refs, 2);
    if (pthread_create(&source->thread, NULL, source_thread, source) != 0) {
        atomic_store(&source->refs, 1);
        return OW_ENOMEM;
    }
    return OW_OK;
}

int source_start(struct source **out, const struct source_settings *settings,
                 void (*on_frame)(void *context, struct frame *frame), void *context,
                 struct reason *why)
{
    int rc = check_settings(settings, why);
    if (rc < 0)
        return rc;
    const struct source_input *input = find_input(settings->url);
    rc = input->check ? input->check(settings, why) : OW_OK;
    if (rc < 0)
        return rc;
    struct source *source = calloc(1, sizeof *source);
    if (!source)
        return reason_set(why, OW_ENOMEM, "no memory for a source");
    av_log_redirect();
    atomic_init(&source->refs, 1);
    atomic_init(&source->run.stopping, false);
    source->run.stop_fd = -1;
    source->input = input;
    source->on_frame = on_frame;
    source->context = context;
    pthread_mutex_init(&source->delivery, NULL);
    pthread_mutex_init(&source->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&source->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    source->status.state = SOURCE_OPENING;
    source->status.since_us = clock_now_us();
    rc = copy_settings(&source->run.settings, settings);
    if (rc == OW_OK)
        rc = start_thread(source);
    if (rc < 0) {
        source_unref(source);
        return reason_set(why, rc, "the source's thread could not be started: %s", error_text(rc));
    }
    *out = source;
    return OW_OK;
}

void source_status(struct source *source, struct source_status *out)
{
    pthread_mutex_lock(&source->lock);
    *out = source->status;
    int64_t quiet_us = clock_now_us() - source->window_us;
    pthread_mutex_unlock(&source->lock);
    if (quiet_us > 2 * FPS_WINDOW_US + FPS_WINDOW_US / 2) /* the window never closed: it stands */
        out->fps = 0;
}

static bool wait_ended(struct source *source, int64_t deadline_us)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_us / 1000000),
                                .tv_nsec = (long)(deadline_us % 1000000) * 1000};
    int rc = 0;
    pthread_mutex_lock(&source->lock);
    while (!source->has_ended && rc == 0)
        rc = pthread_cond_timedwait(&source->ended, &source->lock, &deadline);
    bool ended = source->has_ended;
    pthread_mutex_unlock(&source->lock);
    return ended;
}

void source_stop(struct source **source)
{
    struct source *s = *source;
    *source = NULL;
    if (!s)
        return;
    pthread_mutex_lock(&s->delivery); /* from here on no frame is handed out */
    atomic_store_explicit(&s->run.stopping, true, memory_order_release);
    pthread_mutex_unlock(&s->delivery);
    eventfd_write(s->run.stop_fd, 1);

    if (wait_ended(s, clock_now_us() + STOP_WAIT_US)) {
        pthread_join(s->thread, NULL);
    } else {
        /* It hangs where nothing reaches it (name resolution, a dead network disk). It delivers no
         * more and frees itself when it comes back. */
        log_warn("source: a thread hangs in its input and is left to end by itself");
        pthread_detach(s->thread);
    }
    source_unref(s);
}
