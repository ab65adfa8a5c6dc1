#include "core/log.h"
#include "encode/encoder_backends.h"

#include <libavutil/log.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A back end proves itself on this: the size most views have, a few frames, each due at once. */
enum { PROBE_WIDTH = 640, PROBE_HEIGHT = 352, PROBE_FRAMES = 4, PASSED_OVER_BYTES = 800 };

/* What works is a property of the machine, found once per process. */
static struct {
    pthread_once_t once;
    struct found {
        const struct encoder_backend *best, *fallback;
    } found[VIDEO_CODECS];
} probed = {.once = PTHREAD_ONCE_INIT};

static void paint(struct frame *frame, int index)
{
    for (int y = 0; y < frame->height; y++)
        for (int x = 0; x < frame->width; x++)
            frame->plane[0][y * frame->stride[0] + x] = (uint8_t)(16 + ((x + y + 4 * index) & 127));
    for (int i = 1; i < FRAME_PLANES; i++)
        memset(frame->plane[i], 128, (size_t)frame->stride[i] * (size_t)chroma_size(frame->height));
}

/* Encodes a few frames; every one must come out before the next goes in, but for one that a back
 * end may hold back at the start. */
static int encode_some(struct video_encoder *encoder, struct frame *frame, struct reason *why)
{
    int held = 0;
    bool first = true;
    for (int i = 0; i < PROBE_FRAMES; i++) {
        struct encoded *unit = NULL;
        paint(frame, i);
        int rc = video_encoder_encode(encoder, frame, false, NULL, &unit);
        if (rc == OW_EAGAIN && ++held > 1)
            return reason_set(why, OW_EUNSUPPORTED, "holds back more than one frame");
        if (rc < 0 && rc != OW_EAGAIN)
            return reason_set(why, rc, "encoding fails (%s)", error_text(rc));
        bool key = unit && unit->key;
        bool got = unit != NULL;
        encoded_unref(&unit);
        if (got && first && !key)
            return reason_set(why, OW_EUNSUPPORTED, "does not begin with a key frame");
        first = first && !got;
    }
    return OW_OK;
}

static int probe(const struct encoder_backend *backend, struct reason *why)
{
    const struct video_settings settings = {.width = PROBE_WIDTH,
                                            .height = PROBE_HEIGHT,
                                            .fps = 30,
                                            .bitrate_bps = 1000000,
                                            .matrix = COLOR_BT709};
    struct video_encoder *encoder = NULL;
    struct frame *frame = NULL;
    int rc = frame_create(&frame, PROBE_WIDTH, PROBE_HEIGHT);
    if (rc < 0)
        return reason_set(why, rc, "out of memory");
    rc = video_encoder_open_backend(&encoder, &settings, backend, why);
    if (rc == OW_OK)
        rc = encode_some(encoder, frame, why);
    video_encoder_close(&encoder);
    frame_unref(&frame);
    return rc;
}

static void note(char list[PASSED_OVER_BYTES], const char *label, const char *reason)
{
    size_t used = strlen(list);
    snprintf(list + used, PASSED_OVER_BYTES - used, "%s%s: %s", used ? "; " : "", label, reason);
}

static void probe_codec(enum video_codec codec, struct found *found)
{
    char passed_over[PASSED_OVER_BYTES] = "";
    const char *name = video_codec_name(codec);
    for (const struct encoder_backend *row = encoder_backends; row->name; row++) {
        struct reason why = {""};
        if (row->codec != codec || (found->best && !row->software))
            continue;
        if (probe(row, &why) < 0) {
            note(passed_over, row->label, why.text);
            continue;
        }
        found->best = found->best ? found->best : row;
        if (row->software) {
            found->fallback = row;
            break;
        }
    }
    if (!found->best)
        log_error("No %s encoder works here (%s)", name, passed_over);
    else
        log_info("Using %s %s encoder: %s", found->best->software ? "software" : "hardware", name,
                 found->best->label);
    if (found->best && *passed_over)
        log_info("%s encoders tried and passed over: %s", name, passed_over);
}

static void probe_once(void)
{
    int level = av_log_get_level();
    av_log_set_level(AV_LOG_QUIET); /* the reasons are ours to tell, in one line */
    for (int i = 0; i < VIDEO_CODECS; i++)
        probe_codec((enum video_codec)i, &probed.found[i]);
    av_log_set_level(level);
}

void encoder_probe_backends(void)
{
    pthread_once(&probed.once, probe_once);
}

const struct encoder_backend *encoder_backend_best(enum video_codec codec)
{
    encoder_probe_backends();
    return probed.found[codec].best;
}

const struct encoder_backend *encoder_backend_fallback(enum video_codec codec)
{
    encoder_probe_backends();
    return probed.found[codec].fallback;
}

const char *encoder_backend_label(enum video_codec codec)
{
    const struct encoder_backend *best = encoder_backend_best(codec);
    return best ? best->label : "none";
}

const char *video_codec_name(enum video_codec codec)
{
    static const char *const names[VIDEO_CODECS] = {"H.264", "VP8"};
    return names[codec];
}
