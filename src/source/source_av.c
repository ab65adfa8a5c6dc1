/* Files, network streams and capture devices through libavformat and libavcodec.
 *
 * Recordings play by their time stamps. Live inputs are delivered as they are decoded; when the
 * decoder falls behind, late frames are decoded but not delivered, then frames that no other needs
 * are not even decoded, and at last everything up to the next key frame is let go. */
#include "core/clock.h"
#include "core/log.h"
#include "core/perf.h"
#include "source/av_open.h"
#include "source/convert.h"
#include "source/gate.h"
#include "source/nal_join.h"
#include "source/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARRIVALS = 64,            /* packets whose time of arrival is remembered */
    LATE_US = 60000,          /* not worth showing when a newer one is coming */
    LATE_SHOW_US = 200000,    /* but something is shown this often */
    VERY_LATE_US = 400000,    /* spare the decoder */
    HOPELESS_US = 1000000,    /* later than this… */
    HOPELESS_FOR_US = 3000000 /* …for so long: go to the next key frame */
};

struct arrival {
    int64_t pts, at_us;
};

struct av_input {
    struct av_patience patience; /* first: libavformat keeps a pointer to it */
    struct source_run *run;
    struct av_opened opened;
    AVPacket *packet;
    AVPacket *unit; /* made of pieces */
    AVFrame *picture;
    struct nal_join join;
    struct converter *converter;
    struct fps_gate gate;
    struct timeline timeline;
    struct lateness lateness;
    struct arrival arrivals[ARRIVALS];
    unsigned arrival_count;
    int64_t packet_us;   /* when the last packet came */
    int64_t decode_us;   /* spent on the picture being decoded */
    int64_t interval_us; /* of two frames, where time stamps are missing */
    int64_t media_us;    /* of the last picture */
    int64_t shown_us;    /* the last delivery */
    int64_t hopeless_since_us;
    uint64_t pictures; /* since the opening or the last start of the loop */
    bool draining;
    bool wait_key;
};

static bool av_matches(const char *url)
{
    (void)url;
    return true;
}

static int av_check(const struct source_settings *settings, struct reason *why)
{
    return av_url_check(settings->url, why);
}

static void av_close(void **state)
{
    struct av_input *input = *state;
    *state = NULL;
    if (!input)
        return;
    input->patience.deadline_us = clock_now_us() + 500000; /* a last word to the server */
    av_opened_close(&input->opened);
    av_packet_free(&input->packet);
    av_packet_free(&input->unit);
    nal_join_free(&input->join);
    av_frame_free(&input->picture);
    converter_destroy(&input->converter);
    free(input);
}

static void set_rate(struct av_input *input)
{
    const AVStream *stream = input->opened.stream;
    const struct source_settings *settings = &input->run->settings;
    AVRational rate =
        stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
    double fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 25;
    if (fps < 0.1 || fps > 1000)
        fps = 25;
    input->run->nominal_fps = fps;
    input->interval_us = (int64_t)(1e6 / fps);
    input->timeline.speed = input->opened.seekable ? settings->playback_speed : 1;
    input->timeline.interval_us = (int64_t)((double)input->interval_us / input->timeline.speed);
    fps_gate_init(&input->gate, settings->fps);
}

static int av_input_open(struct source_run *run, void **state, struct reason *why)
{
    struct av_input *input = calloc(1, sizeof *input);
    void *failed = input;
    if (!input)
        return reason_set(why, OW_ENOMEM, "no memory for the input");
    input->run = run;
    input->patience = (struct av_patience){run, clock_now_us() + 2 * SOURCE_STALL_US};
    input->packet = av_packet_alloc();
    input->unit = av_packet_alloc();
    input->picture = av_frame_alloc();
    int rc = converter_create(&input->converter, run->settings.resolution_scale);
    if (rc < 0 || !input->packet || !input->unit || !input->picture) {
        av_close(&failed);
        return reason_set(why, OW_ENOMEM, "no memory for the input");
    }
    rc = av_open(&input->opened, &input->patience, why);
    if (rc < 0) {
        av_close(&failed);
        return rc;
    }
    input->join.codec = input->opened.pieces;
    set_rate(input);
    snprintf(run->codec, sizeof run->codec, "%s",
             avcodec_get_name(input->opened.stream->codecpar->codec_id));
    run->duration_s = input->opened.seekable && input->opened.format->duration > 0
                          ? (double)input->opened.format->duration / AV_TIME_BASE
                          : 0;
    input->patience.deadline_us = clock_now_us() + SOURCE_STALL_US;
    *state = input;
    return OW_OK;
}

static int64_t arrival_of(const struct av_input *input, const AVFrame *picture)
{
    for (unsigned i = 0; i < ARRIVALS && i < input->arrival_count; i++) {
        const struct arrival *arrival = &input->arrivals[i];
        if (arrival->pts == picture->pts && picture->pts != AV_NOPTS_VALUE)
            return arrival->at_us;
    }
    return input->packet_us;
}

static int64_t media_time(struct av_input *input, const AVFrame *picture)
{
    int64_t stamp = picture->best_effort_timestamp;
    if (input->opened.live && input->opened.untimed)
        return input->packet_us; /* else a camera slower than made up would seem to fall behind */
    if (stamp == AV_NOPTS_VALUE)
        return input->media_us + input->interval_us;
    return av_rescale_q(stamp, input->opened.stream->time_base, AV_TIME_BASE_Q);
}

/* Sheds work by how late the input is; true when this picture is still to be shown. */
static bool live_worth_showing(struct av_input *input, int64_t now_us)
{
    int64_t late_us = lateness_of(&input->lateness, input->media_us, now_us);
    input->opened.codec->skip_frame = late_us > VERY_LATE_US ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    if (late_us <= HOPELESS_US)
        input->hopeless_since_us = 0;
    else if (input->hopeless_since_us == 0)
        input->hopeless_since_us = now_us;
    else if (now_us - input->hopeless_since_us > HOPELESS_FOR_US)
        input->wait_key = true;
    return late_us <= LATE_US || now_us - input->shown_us > LATE_SHOW_US;
}

/* The picture as a frame, at its time; OW_EAGAIN when it is not to be shown. */
static int show(struct av_input *input, struct frame **out, struct reason *why)
{
    AVFrame *picture = input->picture;
    bool live = input->opened.live;
    int64_t now_us = clock_now_us(), decode_us = input->decode_us;
    input->decode_us = 0;
    input->pictures++;
    input->media_us = media_time(input, picture);
    input->patience.deadline_us = now_us + SOURCE_STALL_US;
    int64_t arrival_us = arrival_of(input, picture);
    int64_t due_us = live ? arrival_us : timeline_due(&input->timeline, input->media_us, now_us);
    if ((live && !live_worth_showing(input, now_us)) || !fps_gate_pass(&input->gate, due_us)) {
        av_frame_unref(picture);
        return OW_EAGAIN;
    }
    struct frame *frame = NULL;
    int rc = converter_take(input->converter, picture, &frame, why);
    av_frame_unref(picture);
    if (rc < 0)
        return rc;
    int64_t ready_us = clock_now_us();
    perf_add(PERF_DECODE, decode_us + ready_us - now_us);
    if (!live && !source_run_wait_until(input->run, due_us)) {
        frame_unref(&frame);
        return OW_EAGAIN;
    }
    input->shown_us = clock_now_us();
    if (!live) /* the waiting was not silence */
        input->patience.deadline_us = input->shown_us + SOURCE_STALL_US;
    frame->capture_us = live ? arrival_us : input->shown_us;
    frame->stages.at_us[STAGE_CAPTURE] = frame->capture_us;
    frame->stages.at_us[STAGE_DECODED] = live ? ready_us : input->shown_us;
    *out = frame;
    return OW_OK;
}

static int restart_loop(struct av_input *input, struct reason *why)
{
    const char *url = input->run->settings.url;
    int rc = avformat_seek_file(input->opened.format, -1, INT64_MIN, 0, INT64_MAX, 0);
    if (rc < 0) /* formats without an index go back by bytes */
        rc = av_seek_frame(input->opened.format, -1, 0, AVSEEK_FLAG_BYTE);
    if (rc < 0)
        return av_reason(why, "cannot start again", url, rc);
    avcodec_flush_buffers(input->opened.codec);
    input->draining = false;
    input->pictures = 0;
    input->timeline.last_media_us = INT64_MAX; /* whatever comes next is a jump */
    return OW_EAGAIN;
}

/* The decoder has given its last picture. */
static int at_end(struct av_input *input, struct reason *why)
{
    char url[URL_REDACTED_BYTES];
    url_redact(input->run->settings.url, url);
    if (input->pictures == 0)
        return reason_set(why, OW_EPARSE, "%.200s holds no picture that can be decoded", url);
    if (!input->opened.seekable)
        return reason_set(why, OW_EIO, "the stream %.200s ended", url);
    if (input->run->settings.loop)
        return restart_loop(input, why);
    return reason_set(why, OW_ECLOSED, "the end of the file");
}

/* Does a packet begin what can be decoded without what came before? Pieces have no flag. */
static bool begins_afresh(const struct av_input *input)
{
    const AVPacket *packet = input->packet;
    if (!input->opened.pieces)
        return packet->flags & AV_PKT_FLAG_KEY;
    return nal_codec_afresh(input->opened.pieces, packet->data, (size_t)packet->size);
}

/* Packets that are let go until the decoder can start afresh. */
static bool skip_to_key(struct av_input *input)
{
    if (!input->wait_key)
        return false;
    if (!begins_afresh(input))
        return true;
    avcodec_flush_buffers(input->opened.codec);
    nal_join_reset(&input->join);
    input->wait_key = false;
    input->hopeless_since_us = 0;
    return false;
}

static int read_failed(struct av_input *input, int av_error, struct reason *why)
{
    if (av_error == AVERROR(EAGAIN))
        return OW_EAGAIN;
    if (av_error == AVERROR_EOF) {
        input->draining = true;
        avcodec_send_packet(input->opened.codec, NULL);
        return OW_EAGAIN;
    }
    if (source_run_stopping(input->run))
        return OW_EAGAIN;
    return av_reason(why, "lost", input->run->settings.url, av_error);
}

/* The first piece of a picture tells when it came. */
static void note_arrival(struct av_input *input)
{
    int64_t pts = input->packet->pts;
    if (input->arrival_count > 0 &&
        input->arrivals[(input->arrival_count - 1) % ARRIVALS].pts == pts)
        return;
    input->arrivals[input->arrival_count++ % ARRIVALS] = (struct arrival){pts, input->packet_us};
}

static bool patience_over(const struct av_input *input)
{
    return clock_now_us() > input->patience.deadline_us && !source_run_stopping(input->run);
}

static void decode_unit(struct av_input *input)
{
    const struct nal_unit *unit = nal_join_take(&input->join);
    if (av_new_packet(input->unit, (int)unit->size) < 0)
        return;
    memcpy(input->unit->data, unit->bytes, unit->size);
    input->unit->pts = unit->pts;
    (void)avcodec_send_packet(input->opened.codec, input->unit);
    av_packet_unref(input->unit);
}

/* Gives a packet to the decoder. One that it does not understand is the stream's fault, not the
 * end. The decoder takes two packets without being asked for a picture. */
static void decode_packet(struct av_input *input)
{
    const AVPacket *packet = input->packet;
    if (!input->opened.pieces) {
        (void)avcodec_send_packet(input->opened.codec, packet);
        return;
    }
    if (nal_join_add(&input->join, packet->data, (size_t)packet->size, packet->pts))
        decode_unit(input);
    if (nal_join_ends(&input->join))
        decode_unit(input);
}

static int silent(struct reason *why)
{
    return reason_set(why, OW_ETIMEOUT, "no picture has come for 5 s");
}

static int read_packet(struct av_input *input, struct reason *why)
{
    int rc = av_read_frame(input->opened.format, input->packet);
    if (rc < 0)
        return read_failed(input, rc, why);
    AVPacket *packet = input->packet;
    if (patience_over(input)) { /* what was held back, not what came: the reading was broken off */
        av_packet_unref(packet);
        return silent(why);
    }
    if (packet->stream_index == input->opened.stream->index && !skip_to_key(input)) {
        input->packet_us = clock_now_us();
        note_arrival(input);
        decode_packet(input);
        input->decode_us += clock_now_us() - input->packet_us;
    }
    av_packet_unref(packet);
    return OW_EAGAIN;
}

static int av_read(void *state, struct frame **out, struct reason *why)
{
    struct av_input *input = state;
    int64_t begin_us = clock_now_us();
    int rc = avcodec_receive_frame(input->opened.codec, input->picture);
    input->decode_us += clock_now_us() - begin_us;
    if (rc == 0)
        return show(input, out, why);
    if (rc == AVERROR_EOF)
        return at_end(input, why);
    if (rc != AVERROR(EAGAIN) && input->draining)
        return at_end(input, why);
    if (patience_over(input))
        return silent(why);
    return read_packet(input, why);
}

const struct source_input source_input_av = {
    .name = "libavformat",
    .matches = av_matches,
    .check = av_check,
    .open = av_input_open,
    .read = av_read,
    .close = av_close,
};
