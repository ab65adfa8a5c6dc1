#include "source/av_open.h"

#include "core/clock.h"
#include "core/log.h"

#include <dlfcn.h>
#include <libavdevice/version.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { V4L2_PREFIX_BYTES = 5, THREADS_MAX = 4, LARGE_PICTURE_PIXELS = 1280 * 720 };

/* What may stand before "://". Others are refused: libavformat knows protocols that read several
 * files, parts of files or whole playlists, none of which is a camera. */
static const struct av_scheme {
    const char *name;
    bool rtsp;
} schemes[] = {
    {"rtsp", true},  {"rtsps", true},  {"rtmp", false}, {"rtmps", false},
    {"http", false}, {"https", false}, {"udp", false},  {"rtp", false},
    {"tcp", false},  {"srt", false},   {"file", false},
};

/* What may open further inputs by itself, a playlist above all, may open these only: nothing that
 * comes over a network leads to a file of this machine. */
static const char network_protocols[] = "rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto,data,"
                                        "rtmp,rtmps,rtmpt,rtmpts,ffrtmphttp,ffrtmpcrypt,srt";
/* And a file holds a video itself: no playlist, no script, no description of streams elsewhere. Of
 * a demuxer with several names one is enough. */
static const char file_formats[] =
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h261,h263,h264,hevc,vvc,av1,obu,ivf,m4v,"
    "vc1,"
    "mjpeg,mpjpeg,yuv4mpegpipe,gif,apng,nut,mxf,rm,dv,wtv,nsv,dnxhd,image2,jpeg_pipe,png_pipe,"
    "webp_pipe,bmp_pipe,tiff_pipe";

/* Live inputs are probed with little at first, since what is probed is waited for; an input that
 * does not show itself in that is opened again with more. */
static const struct av_probe {
    int64_t bytes, duration_us;
} live_probes[] = {{32 << 10, 100000}, {512 << 10, 1000000}, {5 << 20, 4000000}};

static const struct av_scheme *find_scheme(const char *url)
{
    const char *end = strstr(url, "://");
    for (size_t i = 0; end && i < sizeof schemes / sizeof schemes[0]; i++)
        if (strlen(schemes[i].name) == (size_t)(end - url) &&
            strncasecmp(url, schemes[i].name, (size_t)(end - url)) == 0)
            return &schemes[i];
    return NULL;
}

static bool is_v4l2(const char *url)
{
    return strncmp(url, "v4l2:", V4L2_PREFIX_BYTES) == 0;
}

/* "scheme://" as opposed to a path in which "://" happens to stand. */
static bool has_scheme(const char *url)
{
    size_t letters =
        strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    return letters > 0 && strncmp(url + letters, "://", 3) == 0;
}

static bool is_file(const char *url)
{
    return !is_v4l2(url) && (!has_scheme(url) || strncasecmp(url, "file:", 5) == 0);
}

int av_url_check(const char *url, struct reason *why)
{
    if (is_v4l2(url) && !url[V4L2_PREFIX_BYTES])
        return reason_set(why, OW_EINVAL, "\"v4l2:\" needs a device, such as v4l2:/dev/video0");
    const char *scheme = strstr(url, "://");
    if (has_scheme(url) && !find_scheme(url))
        return reason_set(why, OW_EINVAL,
                          "\"%.*s://\" is not a kind of input: use rtsp, rtmp, http, https, udp, "
                          "rtp, tcp, srt, v4l2:, pipe:, test: or a path",
                          (int)(scheme - url < 32 ? scheme - url : 32), url);
    return OW_OK;
}

int av_reason(struct reason *why, const char *what, const char *url, int av_error)
{
    char text[AV_ERROR_MAX_STRING_SIZE], redacted[URL_REDACTED_BYTES];
    av_strerror(av_error, text, sizeof text);
    url_redact(url, redacted);
    int code = av_error == AVERROR(ENOENT)       ? OW_ENOTFOUND
               : av_error == AVERROR(ENOMEM)     ? OW_ENOMEM
               : av_error == AVERROR(ETIMEDOUT)  ? OW_ETIMEOUT
               : av_error == AVERROR_EXIT        ? OW_ETIMEOUT
               : av_error == AVERROR_INVALIDDATA ? OW_EPARSE
                                                 : OW_EIO;
    return reason_set(why, code, "%s %.160s: %s", what, redacted,
                      av_error == AVERROR_EXIT ? "it does not answer" : text);
}

static int patience_over(void *opaque)
{
    const struct av_patience *patience = opaque;
    return source_run_stopping(patience->run) || clock_now_us() > patience->deadline_us;
}

static void set_size_and_rate(AVDictionary **options, const struct source_settings *settings)
{
    char text[32];
    if (settings->width > 0 && settings->height > 0) {
        snprintf(text, sizeof text, "%dx%d", settings->width, settings->height);
        av_dict_set(options, "video_size", text, 0);
    }
    if (settings->fps > 0) {
        snprintf(text, sizeof text, "%.3f", settings->fps);
        av_dict_set(options, "framerate", text, 0);
    }
}

static void set_options(AVDictionary **options, AVFormatContext *format,
                        const struct source_settings *settings)
{
    const struct av_scheme *scheme = find_scheme(settings->url);
    if (is_v4l2(settings->url)) {
        set_size_and_rate(options, settings);
    } else if (scheme && scheme->rtsp) {
        /* TCP first; UDP is for cameras that refuse it. */
        av_dict_set(options, "rtsp_transport", "tcp+udp", 0);
        av_dict_set(options, "rtsp_flags", "prefer_tcp", 0);
        av_dict_set(options, "timeout", "5000000", 0);
        format->max_delay = 100000; /* how long a late UDP packet is waited for */
        format->flags |= AVFMT_FLAG_NOBUFFER;
    } else if (is_file(settings->url)) {
        av_dict_set(options, "protocol_whitelist", "file", 0);
        av_dict_set(options, "format_whitelist", file_formats, 0);
    } else {
        av_dict_set(options, "rw_timeout", "5000000", 0);
    }
    if (scheme && !is_file(settings->url))
        av_dict_set(options, "protocol_whitelist", network_protocols, 0);
}

static int open_format(AVFormatContext **out, struct av_patience *patience,
                       const struct av_probe *probe, struct reason *why)
{
    const struct source_settings *settings = &patience->run->settings;
    const char *url = settings->url;
    AVFormatContext *format = avformat_alloc_context();
    char *name = NULL;
    /* The prefix keeps libavformat from taking a path with a colon for one of its protocols. */
    if (format && asprintf(&name, "%s%s", is_file(url) && !has_scheme(url) ? "file:" : "",
                           is_v4l2(url) ? url + V4L2_PREFIX_BYTES : url) < 0)
        name = NULL;
    if (!format || !name) {
        avformat_free_context(format);
        return reason_set(why, OW_ENOMEM, "no memory to open the input");
    }
    format->interrupt_callback = (AVIOInterruptCB){patience_over, patience};
    if (probe) {
        format->probesize = probe->bytes;
        format->max_analyze_duration = probe->duration_us;
    }
    AVDictionary *options = NULL;
    set_options(&options, format, settings);
    const AVInputFormat *kind = is_v4l2(url) ? av_find_input_format("v4l2") : NULL;
    int rc = avformat_open_input(&format, name, kind, &options); /* frees format when it fails */
    av_dict_free(&options);
    free(name);
    if (rc == AVERROR(EINVAL) && is_file(url))
        return reason_set(
            why, OW_EUNSUPPORTED,
            "%.160s holds no video itself, it may be a playlist: name what it leads to", url);
    if (rc < 0)
        return av_reason(why, "cannot open", url, rc);
    *out = format;
    return OW_OK;
}

static AVStream *best_video(AVFormatContext *format)
{
    int index = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (index < 0)
        return NULL;
    AVStream *stream = format->streams[index];
    return stream->codecpar->codec_id == AV_CODEC_ID_NONE ? NULL : stream;
}

/* A live stream whose codec the container names is not analysed further: the decoder finds the
 * rest in the first key frame, and analysing would throw that away. */
static int find_video(AVFormatContext *format, bool file, AVStream **out, struct reason *why)
{
    const char *url = ((struct av_patience *)format->interrupt_callback.opaque)->run->settings.url;
    AVStream *stream = file ? NULL : best_video(format);
    if (!stream) {
        int rc = avformat_find_stream_info(format, NULL);
        stream = best_video(format);
        if (!stream && rc < 0)
            return av_reason(why, "cannot read", url, rc);
    }
    if (!stream) {
        char redacted[URL_REDACTED_BYTES];
        return reason_set(why, OW_EUNSUPPORTED, "%.200s holds no video", url_redact(url, redacted));
    }
    for (unsigned i = 0; i < format->nb_streams; i++)
        format->streams[i]->discard =
            format->streams[i] == stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    *out = stream;
    return OW_OK;
}

/* RTP gives NAL units one by one or in fragments. Joining them to pictures, as libavformat does
 * unless it is told not to, means to wait for the next picture's first: a frame interval of
 * latency. FFmpeg's H.264 decoder takes them as they come and gives the picture with its last; its
 * H.265 decoder takes pictures only. */
static const struct nal_codec *find_pieces(const AVFormatContext *format, const AVStream *stream)
{
    bool rtsp = strcmp(format->iformat->name, "rtsp") == 0;
    return rtsp ? nal_codec_find(stream->codecpar->codec_id) : NULL;
}

static int open_decoder(AVCodecContext **out, const AVStream *stream, bool live, bool by_nal,
                        struct reason *why)
{
    const AVCodecParameters *parameters = stream->codecpar;
    const char *name = avcodec_get_name(parameters->codec_id);
    const AVCodec *decoder = avcodec_find_decoder(parameters->codec_id);
    if (!decoder)
        return reason_set(why, OW_EUNSUPPORTED, "there is no decoder for %s", name);
    AVCodecContext *codec = avcodec_alloc_context3(decoder);
    if (!codec || avcodec_parameters_to_context(codec, parameters) < 0) {
        avcodec_free_context(&codec);
        return reason_set(why, OW_ENOMEM, "no memory for the %s decoder", name);
    }
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    bool large = (int64_t)codec->width * codec->height > LARGE_PICTURE_PIXELS;
    if (by_nal)
        codec->flags2 |= AV_CODEC_FLAG2_CHUNKS;
    codec->pkt_timebase = stream->time_base;
    codec->thread_type = FF_THREAD_SLICE; /* frame threads hold back a frame each */
    codec->thread_count = large && cpus > 1 ? (int)(cpus < THREADS_MAX ? cpus : THREADS_MAX) : 1;
    if (live)
        codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    else if (large)
        codec->thread_type |= FF_THREAD_FRAME;
    int rc = avcodec_open2(codec, decoder, NULL);
    if (rc < 0) {
        avcodec_free_context(&codec);
        char text[AV_ERROR_MAX_STRING_SIZE];
        av_strerror(rc, text, sizeof text);
        return reason_set(why, OW_EUNSUPPORTED, "the %s decoder does not start: %s", name, text);
    }
    *out = codec;
    return OW_OK;
}

/* HLS and DASH come in bursts of seconds and are played by their time stamps like recordings. */
static bool is_segmented(const AVFormatContext *format)
{
    return strncmp(format->iformat->name, "hls", 3) == 0 ||
           strncmp(format->iformat->name, "dash", 4) == 0;
}

static int open_once(struct av_opened *out, struct av_patience *patience,
                     const struct av_probe *probe, struct reason *why)
{
    const char *url = patience->run->settings.url;
    struct av_opened opened = {0};
    int rc = open_format(&opened.format, patience, probe, why);
    if (rc == OW_OK)
        rc = find_video(opened.format, is_file(url), &opened.stream, why);
    if (rc == OW_OK) {
        /* Over HTTP there are recordings as well as cameras; a recording knows its length. */
        bool has_end = is_file(url) ||
                       (strncasecmp(url, "http", 4) == 0 &&
                        opened.format->duration != AV_NOPTS_VALUE && opened.format->duration > 0);
        opened.seekable = has_end;
        opened.live = !has_end && !is_segmented(opened.format);
        opened.untimed = (opened.format->iformat->flags & AVFMT_NOTIMESTAMPS) != 0;
        opened.pieces = find_pieces(opened.format, opened.stream);
        if (opened.pieces)
            opened.format->flags |= AVFMT_FLAG_NOPARSE;
        bool by_nal = opened.pieces && !opened.pieces->by_picture;
        rc = open_decoder(&opened.codec, opened.stream, opened.live, by_nal, why);
    }
    if (rc < 0) {
        av_opened_close(&opened);
        return rc;
    }
    *out = opened;
    return OW_OK;
}

/* libavdevice draws in X11, SDL, PulseAudio and more, some 17 MB of memory: it is loaded only when
 * somebody wants a local camera. */
static void register_devices(void)
{
    char name[32];
    snprintf(name, sizeof name, "libavdevice.so.%d", LIBAVDEVICE_VERSION_MAJOR);
    void *library = dlopen(name, RTLD_NOW);
    void (*register_all)(void) = NULL;
    if (library)
        *(void **)&register_all = dlsym(library, "avdevice_register_all");
    if (register_all)
        register_all();
    else
        log_warn("local cameras need %s, which is not installed", name);
}

static void init_network(void)
{
    avformat_network_init();
}

int av_open(struct av_opened *out, struct av_patience *patience, struct reason *why)
{
    static pthread_once_t network = PTHREAD_ONCE_INIT, devices = PTHREAD_ONCE_INIT;
    pthread_once(&network, init_network);
    if (is_v4l2(patience->run->settings.url))
        pthread_once(&devices, register_devices);
    if (is_file(patience->run->settings.url))
        return open_once(out, patience, NULL, why);
    int rc = OW_EIO;
    for (size_t i = 0; i < sizeof live_probes / sizeof live_probes[0]; i++) {
        int64_t begin_us = clock_now_us();
        rc = open_once(out, patience, &live_probes[i], why);
        bool too_small = rc == OW_EUNSUPPORTED || rc == OW_EPARSE;
        if (!too_small || source_run_stopping(patience->run))
            break;
        /* An RTSP server that is silent until the time-out is reported as one that talks nonsense.
         */
        if (rc == OW_EPARSE && clock_now_us() - begin_us >= SOURCE_STALL_US)
            return av_reason(why, "cannot open", patience->run->settings.url, AVERROR_EXIT);
    }
    return rc;
}

void av_opened_close(struct av_opened *opened)
{
    avcodec_free_context(&opened->codec);
    avformat_close_input(&opened->format);
    opened->stream = NULL;
}
