#include "encode/encoder_backends.h"
#include "encode/h264_stream.h"
#include "encode/video_encoder.h"
#include "pictures.h"

#include <libavcodec/avcodec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct video_settings settings_for(int width, int height, int bitrate_bps)
{
    return (struct video_settings){.width = width,
                                   .height = height,
                                   .fps = 30,
                                   .bitrate_bps = bitrate_bps,
                                   .matrix = COLOR_BT709,
                                   .backend = "libx264"};
}

/* Of the same with VP8. */
static struct video_settings vp8_for(int width, int height, int bitrate_bps)
{
    struct video_settings settings = settings_for(width, height, bitrate_bps);
    settings.codec = VIDEO_VP8;
    settings.backend = "libvpx";
    return settings;
}

static struct video_settings (*const both[VIDEO_CODECS])(int, int, int) = {settings_for, vp8_for};

static struct video_encoder *open_encoder(struct video_settings settings)
{
    struct video_encoder *encoder = NULL;
    struct reason why = {""};
    int rc = video_encoder_open(&encoder, &settings, &why);
    if (rc < 0)
        print_error("%s\n", why.text);
    assert_int_equal(rc, OW_OK);
    return encoder;
}

static struct encoded *encode(struct video_encoder *encoder, struct frame *frame, int index,
                              bool key)
{
    struct encoded *unit = NULL;
    picture_paint(frame, index);
    assert_int_equal(video_encoder_encode(encoder, frame, key, NULL, &unit), OW_OK);
    assert_non_null(unit);
    return unit;
}

/* The bits of an RBSP, emulation prevention taken out. */
struct bits {
    uint8_t bytes[H264_PARAMETER_SET_BYTES];
    size_t size, at;
};

static uint32_t read_bits(struct bits *bits, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++, bits->at++) {
        assert_true(bits->at / 8 < bits->size);
        unsigned byte = bits->bytes[bits->at / 8];
        value = value << 1 | (byte >> (7 - bits->at % 8) & 1);
    }
    return value;
}

static uint32_t read_ue(struct bits *bits)
{
    int zeros = 0;
    while (!read_bits(bits, 1))
        assert_true(++zeros < 32);
    return (1u << zeros) - 1 + read_bits(bits, zeros);
}

struct sps {
    uint8_t profile, constraints, level;
    uint32_t poc_type, refs, range, primaries, matrix, reorder, buffering;
    bool has_vui, has_colors, has_restriction, has_hrd;
};

static void read_vui(struct bits *bits, struct sps *sps)
{
    if (read_bits(bits, 1) && read_bits(bits, 8) == 255) /* sample aspect ratio */
        read_bits(bits, 32);
    if (read_bits(bits, 1)) /* overscan */
        read_bits(bits, 1);
    if (read_bits(bits, 1)) {
        read_bits(bits, 3);
        sps->range = read_bits(bits, 1);
        sps->has_colors = read_bits(bits, 1) == 1;
        if (sps->has_colors) {
            sps->primaries = read_bits(bits, 8);
            read_bits(bits, 8);
            sps->matrix = read_bits(bits, 8);
        }
    }
    if (read_bits(bits, 1)) { /* chroma location */
        read_ue(bits);
        read_ue(bits);
    }
    if (read_bits(bits, 1)) { /* timing */
        read_bits(bits, 32);
        read_bits(bits, 32);
        read_bits(bits, 1);
    }
    uint32_t nal_hrd = read_bits(bits, 1);
    sps->has_hrd = nal_hrd || read_bits(bits, 1);
    if (sps->has_hrd)
        return;
    read_bits(bits, 1); /* pic_struct_present */
    sps->has_restriction = read_bits(bits, 1) == 1;
    if (!sps->has_restriction)
        return;
    read_bits(bits, 1);
    for (int i = 0; i < 4; i++)
        read_ue(bits);
    sps->reorder = read_ue(bits);
    sps->buffering = read_ue(bits);
}

/* ITU-T H.264 7.3.2.1.1, Baseline profile. */
static struct sps parse_sps(const uint8_t *nal, size_t size)
{
    struct sps sps = {.profile = nal[1], .constraints = nal[2], .level = nal[3]};
    struct bits bits = {.size = 0};
    for (size_t i = 4; i < size; i++)
        if (!(i >= 2 && nal[i] == 3 && nal[i - 1] == 0 && nal[i - 2] == 0))
            bits.bytes[bits.size++] = nal[i];
    read_ue(&bits); /* id */
    read_ue(&bits); /* log2_max_frame_num */
    sps.poc_type = read_ue(&bits);
    assert_int_not_equal(sps.poc_type, 1);
    if (sps.poc_type == 0)
        read_ue(&bits);
    sps.refs = read_ue(&bits);
    read_bits(&bits, 1);
    read_ue(&bits);
    read_ue(&bits);
    read_bits(&bits, 1);
    read_bits(&bits, 1);
    if (read_bits(&bits, 1))
        for (int i = 0; i < 4; i++)
            read_ue(&bits);
    sps.has_vui = read_bits(&bits, 1) == 1;
    if (sps.has_vui)
        read_vui(&bits, &sps);
    return sps;
}

static struct sps first_sps(struct video_settings settings)
{
    struct video_encoder *encoder = open_encoder(settings);
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, settings.width, settings.height), OW_OK);
    struct encoded *unit = encode(encoder, frame, 0, false);
    size_t offset = 0, size = 0;
    const uint8_t *nal = NULL;
    assert_true(h264_stream_next(unit->data, unit->size, &offset, &nal, &size));
    assert_int_equal(nal[0] & 0x1f, 7);
    struct sps sps = parse_sps(nal, size);
    encoded_unref(&unit);
    frame_unref(&frame);
    video_encoder_close(&encoder);
    return sps;
}

static void sps_is_constrained_baseline_for_no_delay(void **state)
{
    (void)state;
    struct sps sps = first_sps(settings_for(960, 540, 1000000));
    assert_int_equal(sps.profile, 0x42);
    assert_int_equal(sps.constraints, 0xe0);
    assert_int_equal(sps.level, 0x1f);
    assert_int_equal(sps.poc_type, 2);
    assert_int_equal(sps.refs, 1);
    assert_true(sps.has_vui && sps.has_restriction && !sps.has_hrd);
    assert_int_equal(sps.reorder, 0);
    assert_int_equal(sps.buffering, 1);
    assert_true(sps.has_colors);
    assert_int_equal(sps.range, 0);
    assert_int_equal(sps.primaries, 1); /* BT.709 */
    assert_int_equal(sps.matrix, 1);
}

static void sps_tells_the_colors_and_a_level_that_fits(void **state)
{
    (void)state;
    struct video_settings settings = settings_for(1920, 1080, 4000000);
    settings.full_range = true;
    settings.matrix = COLOR_BT601;
    struct sps sps = first_sps(settings);
    assert_int_equal(sps.range, 1);
    assert_int_equal(sps.matrix, 6); /* SMPTE 170M */
    assert_int_equal(sps.constraints, 0xe0);
    assert_int_equal(sps.level, 40);
}

static void check_each_frame(struct video_settings settings)
{
    struct video_encoder *encoder = open_encoder(settings);
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, 320, 240), OW_OK);
    for (int i = 0; i < 100; i++) {
        struct encoded *unit = encode(encoder, frame, i, false);
        assert_int_equal(unit->key, i == 0);
        assert_int_equal(unit->codec, settings.codec);
        assert_int_equal(unit->sequence, i);
        assert_int_equal(unit->capture_us, frame->capture_us);
        assert_int_equal(unit->stages.at_us[STAGE_CAPTURE], frame->capture_us);
        assert_true(unit->stages.at_us[STAGE_ENCODED] > 0);
        assert_int_equal(unit->width, 320);
        assert_int_equal(unit->height, 240);
        /* The encoder keeps no hold on the picture. */
        assert_int_equal(atomic_load(&frame->refs), 1);
        encoded_unref(&unit);
    }
    frame_unref(&frame);
    video_encoder_close(&encoder);
}

static void each_frame_in_is_that_frame_out(void **state)
{
    (void)state;
    for (int codec = 0; codec < VIDEO_CODECS; codec++)
        check_each_frame(both[codec](320, 240, 500000));
}

/* A parameter set or a slice; VP8: the inverse key frame bit (RFC 6386 section 9.1). */
static bool starts_as_told(const struct encoded *unit)
{
    size_t offset = 0, size = 0;
    const uint8_t *nal = NULL;
    if (unit->codec == VIDEO_VP8)
        return unit->key == !(unit->data[0] & 1);
    return h264_stream_next(unit->data, unit->size, &offset, &nal, &size) &&
           (nal[0] & 0x1f) == (unit->key ? 7 : 1);
}

static void check_key_frames(struct video_settings settings)
{
    struct video_encoder *encoder = open_encoder(settings);
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, 320, 240), OW_OK);
    for (int i = 0; i < 60; i++) {
        bool wanted = i == 7 || i == 8 || i == 40;
        struct frame *shown = frame;
        struct encoded *unit = NULL;
        picture_paint(shown, i);
        if (i >= 20) /* a cut is no reason for a key frame */
            picture_fill(shown, (uint8_t)(i % 2 ? 30 : 200), 90, 160);
        assert_int_equal(video_encoder_encode(encoder, shown, wanted, NULL, &unit), OW_OK);
        assert_int_equal(unit->key, wanted || i == 0);
        assert_true(starts_as_told(unit));
        encoded_unref(&unit);
    }
    frame_unref(&frame);
    video_encoder_close(&encoder);
}

static void key_frames_come_on_request_only(void **state)
{
    (void)state;
    for (int codec = 0; codec < VIDEO_CODECS; codec++)
        check_key_frames(both[codec](320, 240, 500000));
}

/* Bits per second over `count` frames, once the rate has settled; no key frame on the way. */
static double measured_bps(struct video_encoder *encoder, struct frame *frame, int *index,
                           double fps)
{
    enum { SETTLE = 15, COUNT = 45 };
    double bits = 0;
    for (int i = 0; i < SETTLE + COUNT; i++) {
        struct encoded *unit = encode(encoder, frame, (*index)++, false);
        assert_true(!unit->key || *index == 1);
        bits += i >= SETTLE ? 8.0 * (double)unit->size : 0;
        encoded_unref(&unit);
    }
    return bits / COUNT * fps;
}

static void check_rates(struct video_settings settings)
{
    static const struct {
        int bitrate_bps;
        double fps;
    } steps[] = {{1000000, 30}, {250000, 30}, {1500000, 30}, {400000, 30},
                 {400000, 10},  {400000, 60}, {800000, 30}};
    struct video_encoder *encoder = open_encoder(settings);
    struct frame *frame = NULL;
    int index = 0;
    assert_int_equal(frame_create(&frame, 640, 360), OW_OK);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(video_encoder_set_rate(encoder, steps[i].bitrate_bps, steps[i].fps),
                         OW_OK);
        double bps = measured_bps(encoder, frame, &index, steps[i].fps);
        print_message("%d bit/s at %.0f fps: %.0f\n", steps[i].bitrate_bps, steps[i].fps, bps);
        assert_true(bps > 0.75 * steps[i].bitrate_bps);
        assert_true(bps < 1.15 * steps[i].bitrate_bps);
    }
    assert_int_equal(video_encoder_set_rate(encoder, 0, 30), OW_EINVAL);
    assert_int_equal(video_encoder_set_rate(encoder, 100000, NAN), OW_EINVAL);
    frame_unref(&frame);
    video_encoder_close(&encoder);
}

static void rate_follows_both_ways_without_a_key_frame(void **state)
{
    (void)state;
    for (int codec = 0; codec < VIDEO_CODECS; codec++)
        check_rates(both[codec](640, 360, 1000000));
}

static void a_still_dark_picture_costs_next_to_nothing(void **state)
{
    (void)state;
    struct video_encoder *encoder = open_encoder(settings_for(640, 360, 2000000));
    struct frame *frame = NULL;
    size_t late = 0;
    assert_int_equal(frame_create(&frame, 640, 360), OW_OK);
    picture_fill(frame, 20, 128, 128);
    for (int i = 0; i < 90; i++) {
        struct encoded *unit = NULL;
        assert_int_equal(video_encoder_encode(encoder, frame, false, NULL, &unit), OW_OK);
        late += i >= 60 ? unit->size : 0;
        encoded_unref(&unit);
    }
    assert_in_range(late / 30, 1, 200);
    frame_unref(&frame);
    video_encoder_close(&encoder);
}

static AVCodecContext *open_decoder(enum AVCodecID id)
{
    AVCodecContext *decoder = avcodec_alloc_context3(avcodec_find_decoder(id));
    decoder->thread_count = 1;
    assert_int_equal(avcodec_open2(decoder, NULL, NULL), 0);
    return decoder;
}

/* The picture that a viewer sees; to be freed. */
static AVFrame *decode(AVCodecContext *decoder, const struct encoded *unit)
{
    AVPacket *packet = av_packet_alloc();
    AVFrame *picture = av_frame_alloc();
    assert_int_equal(av_new_packet(packet, (int)unit->size), 0);
    memcpy(packet->data, unit->data, unit->size);
    assert_int_equal(avcodec_send_packet(decoder, packet), 0);
    assert_int_equal(avcodec_receive_frame(decoder, picture), 0); /* at once: no reordering */
    assert_int_equal(picture->width, unit->width);
    assert_int_equal(picture->height, unit->height);
    av_packet_free(&packet);
    return picture;
}

static double decoded_psnr(AVCodecContext *decoder, const struct encoded *unit,
                           const struct frame *frame)
{
    AVFrame *picture = decode(decoder, unit);
    double psnr = picture_psnr(frame->plane[0], frame->stride[0], picture->data[0],
                               picture->linesize[0], unit->width, unit->height);
    av_frame_free(&picture);
    return psnr;
}

static void check_sizes(enum video_codec codec, enum AVCodecID id)
{
    static const int sizes[][2] = {{640, 360}, {641, 361}, {322, 187}, {16, 16}, {2, 2}, {98, 2}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int width = sizes[s][0], height = sizes[s][1];
        AVCodecContext *decoder = open_decoder(id);
        struct video_encoder *encoder = open_encoder(both[codec](width, height, 3000000));
        struct frame *frame = NULL;
        assert_int_equal(frame_create(&frame, width, height), OW_OK);
        for (int i = 0; i < 10; i++) {
            struct encoded *unit = encode(encoder, frame, i, i == 5);
            assert_int_equal(unit->width, width & ~1);
            assert_int_equal(unit->height, height & ~1);
            double psnr = decoded_psnr(decoder, unit, frame);
            assert_true(psnr > (width * height < 16 ? 18 : 28)); /* four pixels are a fragment */
            encoded_unref(&unit);
        }
        frame_unref(&frame);
        video_encoder_close(&encoder);
        avcodec_free_context(&decoder);
    }
}

static void decodes_back_at_any_size(void **state)
{
    (void)state;
    check_sizes(VIDEO_H264, AV_CODEC_ID_H264);
    check_sizes(VIDEO_VP8, AV_CODEC_ID_VP8);
}

static void refuses_what_cannot_be(void **state)
{
    (void)state;
    struct video_encoder *encoder = NULL;
    struct reason why = {""};
    struct video_settings settings = settings_for(320, 240, 500000);
    settings.backend = "h265_magic";
    assert_int_equal(video_encoder_open(&encoder, &settings, &why), OW_ENOTFOUND);
    assert_non_null(strstr(why.text, "h265_magic"));
    for (const struct encoder_backend *row = encoder_backends; row->name; row++)
        assert_non_null(strstr(why.text, row->name));
    settings = settings_for(1, 240, 500000);
    assert_int_equal(video_encoder_open(&encoder, &settings, &why), OW_EINVAL);
    settings = settings_for(320, 240, 0);
    assert_int_equal(video_encoder_open(&encoder, &settings, &why), OW_EINVAL);
    settings = settings_for(320, 240, 500000);
    settings.fps = NAN;
    assert_int_equal(video_encoder_open(&encoder, &settings, NULL), OW_EINVAL);
    assert_null(encoder);

    struct frame *frame = NULL;
    struct encoded *unit = NULL;
    encoder = open_encoder(settings_for(320, 240, 500000));
    assert_int_equal(frame_create(&frame, 322, 240), OW_OK);
    assert_int_equal(video_encoder_encode(encoder, frame, false, NULL, &unit), OW_EINVAL);
    assert_null(unit);
    frame_unref(&frame);
    video_encoder_close(&encoder);
    video_encoder_close(&encoder); /* NULL is fine */
}

/* Whatever the machine has, the chosen back end is one of the table and works. */
static void probing_finds_one_that_works(void **state)
{
    (void)state;
    encoder_probe_backends();
    for (int i = 0; i < VIDEO_CODECS; i++) {
        enum video_codec codec = (enum video_codec)i;
        const struct encoder_backend *best = encoder_backend_best(codec);
        assert_non_null(best);
        assert_int_equal(best->codec, codec);
        assert_string_equal(encoder_backend_label(codec), best->label);
        assert_ptr_equal(encoder_backend_find(best->name), best);
        struct video_settings settings = both[codec](640, 360, 500000);
        settings.backend = NULL;
        struct video_encoder *encoder = open_encoder(settings);
        assert_string_equal(video_encoder_name(encoder), best->label);
        video_encoder_close(&encoder);
        /* One that is named for another codec is not meant for this one. */
        settings.backend = both[!codec](2, 2, 1).backend;
        encoder = open_encoder(settings);
        assert_string_equal(video_encoder_name(encoder), best->label);
        video_encoder_close(&encoder);
    }
    assert_null(encoder_backend_find("nothing"));
}

/* A back end that cannot change its rate running is opened anew, and only for a real change. */
static void reopening_back_ends_change_their_rate(void **state)
{
    (void)state;
    struct encoder_backend row = *encoder_backend_find("libx264");
    row.rate_change = ENCODER_RATE_REOPEN;
    row.pixels = AV_PIX_FMT_NV12; /* and the interleaving way in */
    struct video_settings settings = settings_for(320, 240, 500000);
    struct video_encoder *encoder = NULL;
    struct frame *frame = NULL;
    assert_int_equal(video_encoder_open_backend(&encoder, &settings, &row, NULL), OW_OK);
    assert_int_equal(frame_create(&frame, 320, 240), OW_OK);
    static const struct {
        int bitrate_bps;
        bool key;
    } steps[] = {{500000, true}, {540000, false}, {250000, true}, {260000, false}, {400000, true}};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(video_encoder_set_rate(encoder, steps[i].bitrate_bps, 30), OW_OK);
        struct encoded *unit = encode(encoder, frame, i, false);
        assert_int_equal(unit->key, steps[i].key);
        encoded_unref(&unit);
    }
    frame_unref(&frame);
    video_encoder_close(&encoder);
}

/* Moving shapes at 30 kbit/s: means of PSNR in the region and in a place as large elsewhere, and
 * the rate. */
struct focus_result {
    double inside, outside, bps;
};

static const struct video_region middle = {112, 48, 208, 144}, corner = {0, 96, 96, 192};

static double region_psnr(const struct frame *frame, const AVFrame *picture,
                          const struct video_region *region)
{
    ptrdiff_t ours = (ptrdiff_t)region->top * frame->stride[0] + region->left;
    ptrdiff_t theirs = (ptrdiff_t)region->top * picture->linesize[0] + region->left;
    return picture_psnr(frame->plane[0] + ours, frame->stride[0], picture->data[0] + theirs,
                        picture->linesize[0], region->right - region->left,
                        region->bottom - region->top);
}

static struct focus_result encode_with(const struct encoder_backend *backend,
                                       const struct video_focus *focus)
{
    enum { COUNT = 40 };
    struct focus_result result = {0};
    struct video_settings settings = settings_for(320, 192, 30000);
    struct video_encoder *encoder = NULL;
    struct frame *frame = NULL;
    AVCodecContext *decoder = open_decoder(AV_CODEC_ID_H264);
    assert_int_equal(video_encoder_open_backend(&encoder, &settings, backend, NULL), OW_OK);
    assert_int_equal(frame_create(&frame, 320, 192), OW_OK);
    for (int i = 0; i < COUNT; i++) {
        struct encoded *unit = NULL;
        picture_paint(frame, i);
        assert_int_equal(video_encoder_encode(encoder, frame, false, focus, &unit), OW_OK);
        AVFrame *picture = decode(decoder, unit);
        result.inside += region_psnr(frame, picture, &middle) / COUNT;
        result.outside += region_psnr(frame, picture, &corner) / COUNT;
        result.bps += 8.0 * (double)unit->size * 30 / COUNT;
        av_frame_free(&picture);
        encoded_unref(&unit);
    }
    frame_unref(&frame);
    video_encoder_close(&encoder);
    avcodec_free_context(&decoder);
    return result;
}

static void regions_are_encoded_finer_at_the_same_rate(void **state)
{
    (void)state;
    const struct encoder_backend *x264 = encoder_backend_find("libx264");
    struct video_focus focus = {.steps = 6, .count = 1, .regions = {middle}};
    struct encoder_backend uploading = *x264;
    uploading.pixels = AV_PIX_FMT_NV12; /* the other way in */
    struct focus_result plain = encode_with(x264, NULL);
    struct focus_result focused = encode_with(x264, &focus);
    struct focus_result other = encode_with(&uploading, &focus);
    print_message("PSNR inside %.1f, outside %.1f at %.0f bit/s; with a focus %.1f, %.1f, %.0f\n",
                  plain.inside, plain.outside, plain.bps, focused.inside, focused.outside,
                  focused.bps);
    assert_true(focused.inside > plain.inside + 1);
    assert_true(focused.outside < plain.outside);
    assert_true(focused.outside > plain.outside - 3);
    assert_true(fabs(focused.bps - plain.bps) < 0.1 * plain.bps);
    assert_true(other.inside > plain.inside + 1);
}

/* All that a focus may say and mean nothing, and a back end that knows no regions: as without. */
static void a_focus_on_nothing_changes_nothing(void **state)
{
    (void)state;
    const struct encoder_backend *x264 = encoder_backend_find("libx264");
    struct encoder_backend blind = *x264;
    blind.regions = false;
    struct focus_result plain = encode_with(x264, NULL);
    const struct video_focus nothing[] = {
        {.steps = 6},
        {.steps = 0, .count = 1, .regions = {middle}},
        {.steps = -6, .count = 1, .regions = {middle}},
        {.steps = NAN, .count = 1, .regions = {middle}},
        {.steps = 6, .count = -1, .regions = {middle}},
        {.steps = 6,
         .count = 4,
         .regions = {{320, 0, 700, 100}, {-100, 0, 0, 100}, {50, 50, 50, 90}, {90, 90, 50, 50}}},
    };
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        struct focus_result result = encode_with(x264, &nothing[i]);
        assert_memory_equal(&result, &plain, sizeof plain);
    }
    const struct video_focus middle_only = {.steps = 6, .count = 1, .regions = {middle}};
    struct focus_result unaware = encode_with(&blind, &middle_only);
    assert_memory_equal(&unaware, &plain, sizeof plain);
}

static void any_focus_is_harmless(void **state)
{
    (void)state;
    struct video_focus focus = {.steps = INFINITY, .count = INT32_MAX};
    for (int i = 0; i < VIDEO_REGIONS_MAX; i++)
        focus.regions[i] = (struct video_region){INT32_MIN, i, INT32_MAX, INT32_MAX - i};
    for (int codec = 0; codec < VIDEO_CODECS; codec++) {
        struct video_encoder *encoder = open_encoder(both[codec](322, 187, 200000));
        struct frame *frame = NULL;
        assert_int_equal(frame_create(&frame, 322, 187), OW_OK);
        for (int i = 0; i < 10; i++) {
            struct encoded *unit = NULL;
            picture_paint(frame, i);
            assert_int_equal(video_encoder_encode(encoder, frame, i == 5, &focus, &unit), OW_OK);
            encoded_unref(&unit);
        }
        frame_unref(&frame);
        video_encoder_close(&encoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sps_is_constrained_baseline_for_no_delay),
        cmocka_unit_test(sps_tells_the_colors_and_a_level_that_fits),
        cmocka_unit_test(each_frame_in_is_that_frame_out),
        cmocka_unit_test(key_frames_come_on_request_only),
        cmocka_unit_test(rate_follows_both_ways_without_a_key_frame),
        cmocka_unit_test(a_still_dark_picture_costs_next_to_nothing),
        cmocka_unit_test(decodes_back_at_any_size),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(probing_finds_one_that_works),
        cmocka_unit_test(reopening_back_ends_change_their_rate),
        cmocka_unit_test(regions_are_encoded_finer_at_the_same_rate),
        cmocka_unit_test(a_focus_on_nothing_changes_nothing),
        cmocka_unit_test(any_focus_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
