#include "source_probe.h"

#include <arpa/inet.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Writes `count` pictures, each plain and brighter by 10 than the last, as Y4M at 50 a second. */
static void append_y4m(const char *path, const char *mode, int width, int height, int count)
{
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    fprintf(file, "YUV4MPEG2 W%d H%d F50:1 C420jpeg\n", width, height);
    int bytes = width * height + 2 * chroma_size(width) * chroma_size(height);
    for (int i = 0; i < count; i++) {
        fputs("FRAME\n", file);
        for (int j = 0; j < bytes; j++)
            fputc(100 + 10 * i, file);
    }
    assert_int_equal(fclose(file), 0);
}

static void encode_one(AVCodecContext *codec, const AVFrame *picture, FILE *file, AVPacket *packet)
{
    assert_true(avcodec_send_frame(codec, picture) >= 0);
    while (avcodec_receive_packet(codec, packet) == 0) {
        assert_int_equal(fwrite(packet->data, 1, (size_t)packet->size, file), packet->size);
        av_packet_unref(packet);
    }
}

/* Appends `count` pictures as Motion JPEG, whose pictures may change size from one to the next. */
static void append_mjpeg(const char *path, const char *mode, int width, int height, int count)
{
    const AVCodec *encoder = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    AVCodecContext *codec = avcodec_alloc_context3(encoder);
    AVFrame *picture = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    FILE *file = fopen(path, mode);
    assert_true(encoder && codec && picture && packet && file);
    codec->width = picture->width = width;
    codec->height = picture->height = height;
    codec->pix_fmt = AV_PIX_FMT_YUVJ420P;
    picture->format = AV_PIX_FMT_YUVJ420P;
    codec->time_base = (AVRational){1, 25};
    assert_true(avcodec_open2(codec, encoder, NULL) >= 0);
    assert_true(av_frame_get_buffer(picture, 0) >= 0);
    for (int i = 0; i < 3; i++)
        memset(picture->data[i], 140,
               (size_t)picture->linesize[i] * (size_t)(i ? chroma_size(height) : height));
    for (int i = 0; i < count; i++) {
        picture->pts = i;
        encode_one(codec, picture, file, packet);
    }
    encode_one(codec, NULL, file, packet);
    assert_int_equal(fclose(file), 0);
    av_packet_free(&packet);
    av_frame_free(&picture);
    avcodec_free_context(&codec);
}

static void test_file_loops_at_its_rate(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "odd:name.y4m"); /* a colon in a path is no protocol */
    append_y4m(probe.path, "w", 63, 47, 5);
    probe_start(&probe, (struct source_settings){.loop = true});
    assert_true(probe_wait_frames(&probe, 1, 5));
    int64_t begin_us = clock_now_us();
    assert_true(probe_wait_frames(&probe, 51, 10)); /* ten times round */
    assert_in_range(clock_now_us() - begin_us, 900000, 2500000);
    struct frame *frame = probe_last(&probe);
    assert_int_equal(frame->width, 63);
    assert_int_equal(frame->height, 47);
    assert_int_equal(frame->plane[0][0] % 10, 0);
    assert_in_range(frame->plane[0][0], 100, 140);
    frame_unref(&frame);
    struct source_status status;
    source_status(probe.source, &status);
    assert_int_equal(status.state, SOURCE_PLAYING);
    assert_int_equal(status.reopened, 0);
    assert_string_equal(status.codec, "rawvideo");
    probe_finish(&probe);
}

static void test_file_ends(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "video.y4m");
    append_y4m(probe.path, "w", 64, 48, 10);
    probe_start(&probe, (struct source_settings){.playback_speed = 4});
    assert_true(probe_wait_state(&probe, SOURCE_ENDED, "the end of the file", 5));
    assert_int_equal(probe_frames(&probe), 10); /* every one, to the last */
    struct frame *frame = probe_last(&probe);
    assert_int_equal(frame->plane[0][0], 190);
    assert_int_equal(frame->sequence, 9);
    frame_unref(&frame);
    probe_finish(&probe);
}

static void test_rate_cap(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "video.y4m");
    append_y4m(probe.path, "w", 64, 48, 10);
    probe_start(&probe, (struct source_settings){.fps = 25, .resolution_scale = 25});
    assert_true(probe_wait_state(&probe, SOURCE_ENDED, "", 5));
    assert_int_equal(probe_frames(&probe), 5);
    struct frame *frame = probe_last(&probe);
    assert_int_equal(frame->width, 16);
    assert_int_equal(frame->height, 12);
    assert_in_range(frame->plane[0][5], 179, 181);
    frame_unref(&frame);
    probe_finish(&probe);
}

static void test_missing_file_comes(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "late.y4m");
    probe_start(&probe, (struct source_settings){.loop = true});
    assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, "No such file", 5));
    append_y4m(probe.path, "w", 64, 48, 5);
    assert_true(probe_wait_state(&probe, SOURCE_PLAYING, "", 8));
    struct source_status status;
    source_status(probe.source, &status);
    assert_true(status.reopened >= 1);
    probe_finish(&probe);
}

static void test_file_that_is_no_video(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "hello", "YUV4MPEG2 W64 H48 F1:1\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct source_probe probe;
        probe_init(&probe, "video.y4m");
        FILE *file = fopen(probe.path, "w");
        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
        probe_start(&probe, (struct source_settings){.loop = true});
        assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, "video.y4m", 5));
        assert_int_equal(probe_frames(&probe), 0);
        probe_finish(&probe);
    }
}

static void test_size_changes_midway(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "video.mjpeg");
    append_mjpeg(probe.path, "w", 320, 240, 3);
    append_mjpeg(probe.path, "a", 159, 91, 3);
    probe_start(&probe, (struct source_settings){.playback_speed = 0.5});
    assert_true(probe_wait_frames(&probe, 1, 5));
    struct frame *frame = probe_last(&probe);
    assert_int_equal(frame->width, 320);
    assert_true(frame->full_range);
    assert_in_range(frame->plane[0][0], 138, 142);
    frame_unref(&frame);
    assert_true(probe_wait_state(&probe, SOURCE_ENDED, "", 10));
    frame = probe_last(&probe);
    assert_int_equal(frame->width, 159);
    assert_int_equal(frame->height, 91);
    assert_in_range(frame->plane[0][90 * frame->stride[0] + 158], 138, 142);
    frame_unref(&frame);
    assert_int_equal(probe_frames(&probe), 6);
    probe_finish(&probe);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Of all these FFmpeg would open what they name. */
static void test_files_lead_to_no_others(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } files[] = {
        {"list.ffconcat", "ffconcat version 1.0\nfile 'video.y4m'\n"},
        {"list.mp4", "ffconcat version 1.0\nfile 'video.y4m'\n"},
        {"list.m3u8",
         "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nvideo.mjpeg\n#EXT-X-ENDLIST\n"},
        {"stream.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                       "m=video 45678 RTP/AVP 96\na=rtpmap:96 H264/90000\n"},
    };
    struct source_probe probe;
    probe_init(&probe, "video.y4m");
    append_y4m(probe.path, "w", 64, 48, 3);
    probe_start(&probe, (struct source_settings){.playback_speed = 1});
    assert_true(probe_wait_frames(&probe, 1, 5));
    source_stop(&probe.source);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[192];
        int frames = probe_frames(&probe);
        snprintf(path, sizeof path, "%s/%s", probe.folder, files[i].name);
        write_text(path, files[i].text);
        probe_start(&probe, (struct source_settings){.url = path, .playback_speed = 1});
        assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, "no video itself", 5));
        assert_int_equal(probe_frames(&probe), frames);
        source_stop(&probe.source);
        unlink(path);
    }
    probe_finish(&probe);
}

/* A server that takes the connection and never says a word. */
static int silent_server(char *url, size_t size, const char *scheme)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(url, size, "%s://joe:hunter2@127.0.0.1:%d/cam?token=hunter2", scheme,
             ntohs(address.sin_port));
    return fd;
}

static void test_stop_while_the_server_hangs(void **state)
{
    (void)state;
    static const char *const schemes[] = {"rtsp", "http", "rtmp", "tcp"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct source_probe probe;
        char url[128];
        probe_init(&probe, "unused");
        int server = silent_server(url, sizeof url, schemes[i]);
        probe_start(&probe, (struct source_settings){.url = url});
        int client = accept(server, NULL, NULL); /* it is in the middle of its opening now */
        assert_true(client >= 0);
        probe_finish(&probe);
        close(client);
        close(server);
    }
}

static void test_refused_connection_keeps_the_secret(void **state)
{
    (void)state;
    struct source_probe probe;
    char url[128];
    probe_init(&probe, "unused");
    close(silent_server(url, sizeof url, "rtsp"));
    probe_start(&probe, (struct source_settings){.url = url});
    assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, "127.0.0.1", 5));
    struct source_status status;
    source_status(probe.source, &status);
    assert_null(strstr(status.text, "hunter2"));
    assert_null(strstr(status.text, "joe"));
    probe_finish(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_loops_at_its_rate),
        cmocka_unit_test(test_file_ends),
        cmocka_unit_test(test_rate_cap),
        cmocka_unit_test(test_missing_file_comes),
        cmocka_unit_test(test_file_that_is_no_video),
        cmocka_unit_test(test_size_changes_midway),
        cmocka_unit_test(test_files_lead_to_no_others),
        cmocka_unit_test(test_stop_while_the_server_hangs),
        cmocka_unit_test(test_refused_connection_keeps_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
