#include "record/mp4_file.h"
#include "units.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_PICTURES = 400 };

/* What another reader finds in a file. */
struct found {
    int count, decoded, keys;
    int width, height;
    int64_t pts[MAX_PICTURES], end; /* when the last one ends */
};

static void decode(AVCodecContext *codec, const AVPacket *packet, struct found *out)
{
    AVFrame *frame = av_frame_alloc();
    assert_int_equal(avcodec_send_packet(codec, packet), 0);
    while (avcodec_receive_frame(codec, frame) == 0) {
        assert_int_equal(frame->decode_error_flags, 0);
        out->decoded++;
        out->width = frame->width;
        out->height = frame->height;
    }
    av_frame_free(&frame);
}

static void read_back(const char *path, struct found *out)
{
    AVFormatContext *in = NULL;
    AVPacket *packet = av_packet_alloc();
    *out = (struct found){0};
    assert_int_equal(avformat_open_input(&in, path, NULL, NULL), 0);
    assert_int_equal(in->nb_streams, 1);
    assert_int_equal(in->streams[0]->time_base.den, MP4_CLOCK_HZ);
    AVCodecContext *codec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
    assert_true(avcodec_parameters_to_context(codec, in->streams[0]->codecpar) >= 0);
    codec->err_recognition = AV_EF_EXPLODE;
    assert_int_equal(avcodec_open2(codec, NULL, NULL), 0);
    int rc;
    while ((rc = av_read_frame(in, packet)) == 0) {
        assert_true(out->count < MAX_PICTURES);
        out->pts[out->count++] = packet->pts;
        out->keys += (packet->flags & AV_PKT_FLAG_KEY) != 0;
        decode(codec, packet, out);
        av_packet_unref(packet);
    }
    assert_int_equal(rc, AVERROR_EOF);
    decode(codec, NULL, out);
    out->end = in->streams[0]->duration;
    avcodec_free_context(&codec);
    av_packet_free(&packet);
    avformat_close_input(&in);
}

static char folder[] = "/tmp/overwatch-test-XXXXXX";
static char path[64];
static struct unit_maker maker;

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/one.mp4", folder);
    return unit_maker_open(&maker, 320, 180);
}

static int teardown(void **state)
{
    (void)state;
    unit_maker_close(&maker);
    (void)unlink(path);
    return rmdir(folder);
}

/* As a camera gives pictures, and then some: never the same time between two. */
static int64_t pts_of(int index)
{
    return index * 3000 + index % 7 * 91 + (index > 60 ? 450001 : 0);
}

static struct mp4_file *begin(const struct encoded *first)
{
    struct mp4_file *file = NULL;
    struct reason why = {""};
    if (mp4_file_open(&file, path, first, 1700000000000000, &why) < 0)
        fail_msg("%s", why.text);
    return file;
}

/* Pictures from..to-1, a key frame each 30, flushed each 10. */
static void add_pictures(struct mp4_file **file, int from, int to)
{
    for (int i = from; i < to; i++) {
        struct encoded *unit = unit_make(&maker, i, i % 30 == 0);
        assert_non_null(unit);
        if (!*file)
            *file = begin(unit);
        assert_int_equal(mp4_file_add(*file, unit, pts_of(i), pts_of(i + 1) - pts_of(i)), OW_OK);
        encoded_unref(&unit);
        if (i % 10 == 9)
            assert_int_equal(mp4_file_flush(*file, NULL), OW_OK);
    }
}

static void check(const struct found *found, int count)
{
    assert_int_equal(found->count, count);
    assert_int_equal(found->decoded, count);
    assert_int_equal(found->keys, (count + 29) / 30);
    assert_int_equal(found->width, 320);
    assert_int_equal(found->height, 180);
    for (int i = 0; i < count; i++)
        assert_int_equal(found->pts[i], pts_of(i));
    assert_int_equal(found->end, pts_of(count));
}

static void every_picture_keeps_its_time(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    struct found found;
    add_pictures(&file, 0, 95);
    assert_int_equal(mp4_file_close(&file, NULL), OW_OK);
    assert_null(file);
    read_back(path, &found);
    check(&found, 95);
}

static void what_was_flushed_plays_while_it_grows(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    struct found found;
    for (int i = 0; i < 60; i += 10) {
        add_pictures(&file, i, i + 10);
        read_back(path, &found); /* as it is when the program is killed here */
        check(&found, i + 10);
    }
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, mp4_file_bytes(file));
    assert_int_equal(mp4_file_close(&file, NULL), OW_OK);
}

/* A limit on the size of files is told as a full disk is. */
static void a_fragment_that_does_not_fit_is_cut_off(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    struct found found;
    struct reason why = {""};
    struct rlimit before, limit;
    signal(SIGXFSZ, SIG_IGN);
    add_pictures(&file, 0, 30);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = mp4_file_bytes(file) + 700; /* a part of what comes next */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 30; i < 60; i++) {
        struct encoded *unit = unit_make(&maker, i, i == 30);
        assert_int_equal(mp4_file_add(file, unit, pts_of(i), 3000), OW_OK);
        encoded_unref(&unit);
    }
    int flushed = mp4_file_flush(file, &why);
    int added = mp4_file_flush(file, NULL);
    int closed = mp4_file_close(&file, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(flushed, OW_EIO);
    assert_non_null(strstr(why.text, "cannot be written"));
    assert_int_equal(added, OW_EIO);
    assert_int_equal(closed, OW_EIO);
    read_back(path, &found);
    check(&found, 30);
}

static bool holds_box(const char *type, long within)
{
    char head[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(head, 1, (size_t)within, file);
    fclose(file);
    return memmem(head, size, type, 4) != NULL;
}

static void an_index_changes_no_picture(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    static struct found before, after;
    struct reason why = {""};
    add_pictures(&file, 0, 95);
    assert_int_equal(mp4_file_close(&file, NULL), OW_OK);
    read_back(path, &before);
    assert_false(holds_box("sidx", 2000));
    if (mp4_index(path, &why) < 0)
        fail_msg("%s", why.text);
    assert_true(holds_box("sidx", 2000));
    read_back(path, &after);
    check(&after, 95);
    char part[80];
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_not_equal(access(part, F_OK), 0);
}

/* With the index a reader finds the key frame at or before any time without reading all. */
static void an_index_is_sought_by(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    AVFormatContext *in = NULL;
    AVPacket *packet = av_packet_alloc();
    add_pictures(&file, 0, 150);
    assert_int_equal(mp4_file_close(&file, NULL), OW_OK);
    assert_int_equal(mp4_index(path, NULL), OW_OK);
    assert_int_equal(avformat_open_input(&in, path, NULL, NULL), 0);
    for (int i = 149; i >= 0; i -= 13) {
        assert_true(av_seek_frame(in, 0, pts_of(i), AVSEEK_FLAG_BACKWARD) >= 0);
        assert_int_equal(av_read_frame(in, packet), 0);
        assert_int_equal(packet->pts, pts_of(i / 30 * 30));
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&in);
}

static void an_index_of_damage_leaves_the_file(void **state)
{
    (void)state;
    struct reason why = {""};
    FILE *file = fopen(path, "wb");
    assert_true(fputs("no such thing", file) > 0);
    fclose(file);
    assert_int_equal(mp4_index(path, &why), OW_EIO);
    assert_true(why.text[0] != '\0');
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 13);
}

static void it_begins_with_a_key_frame(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    struct encoded *key = unit_make(&maker, 0, true), *delta = unit_make(&maker, 1, false);
    struct encoded *empty = unit_fake(0, true, 3);
    assert_int_equal(mp4_file_open(&file, path, delta, 0, NULL), OW_EINVAL);
    assert_int_equal(mp4_file_open(&file, path, empty, 0, NULL), OW_EINVAL);
    for (size_t size = 0; size < key->size && size < 100; size++) { /* cut anywhere */
        struct encoded *cut = unit_fake(0, true, size);
        memcpy(cut->data, key->data, size);
        if (mp4_file_open(&file, path, cut, 0, NULL) == OW_OK)
            (void)mp4_file_close(&file, NULL);
        assert_null(file);
        encoded_unref(&cut);
    }
    file = begin(key);
    assert_true(mp4_file_fits(file, key));
    assert_false(mp4_file_fits(file, delta));
    struct unit_maker larger;
    assert_int_equal(unit_maker_open(&larger, 640, 360), OW_OK);
    struct encoded *other = unit_make(&larger, 0, true);
    assert_false(mp4_file_fits(file, other));
    unit_maker_close(&larger);
    assert_int_equal(mp4_file_close(&file, NULL), OW_OK);
    encoded_unref(&other);
    encoded_unref(&key);
    encoded_unref(&delta);
    encoded_unref(&empty);
}

static void a_folder_that_is_gone_is_told(void **state)
{
    (void)state;
    struct mp4_file *file = NULL;
    struct reason why = {""};
    struct encoded *key = unit_make(&maker, 0, true);
    assert_int_equal(mp4_file_open(&file, "/nonexistent/a.mp4", key, 0, &why), OW_EIO);
    assert_non_null(strstr(why.text, "No such file"));
    encoded_unref(&key);
}

/* It is the name of a file, whatever FFmpeg takes the part before the colon for. */
static void a_name_may_hold_a_colon(void **state)
{
    (void)state;
    static const char name[] = "http:1%d.mp4";
    struct mp4_file *file = NULL;
    struct reason why = {""};
    struct found found;
    char before[512], whole[64];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    struct encoded *key = unit_make(&maker, 0, true);
    int rc = mp4_file_open(&file, name, key, 0, &why);
    if (rc == OW_OK) {
        assert_int_equal(mp4_file_add(file, key, 0, 3000), OW_OK);
        assert_int_equal(mp4_file_close(&file, NULL), OW_OK);
        rc = mp4_index(name, &why);
    }
    encoded_unref(&key);
    assert_int_equal(chdir(before), 0);
    assert_string_equal(why.text, "");
    assert_int_equal(rc, OW_OK);
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    read_back(whole, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(unlink(whole), 0);
}

static int fresh(void **state)
{
    (void)state;
    unit_maker_close(&maker);
    return unit_maker_open(&maker, 320, 180);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_picture_keeps_its_time, fresh),
        cmocka_unit_test_setup(what_was_flushed_plays_while_it_grows, fresh),
        cmocka_unit_test_setup(a_fragment_that_does_not_fit_is_cut_off, fresh),
        cmocka_unit_test_setup(an_index_changes_no_picture, fresh),
        cmocka_unit_test_setup(an_index_is_sought_by, fresh),
        cmocka_unit_test_setup(an_index_of_damage_leaves_the_file, fresh),
        cmocka_unit_test_setup(it_begins_with_a_key_frame, fresh),
        cmocka_unit_test_setup(a_name_may_hold_a_colon, fresh),
        cmocka_unit_test_setup(a_folder_that_is_gone_is_told, fresh),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
