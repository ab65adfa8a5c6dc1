#include "golden.h"

#include <assert.h>
#include <libavcodec/avcodec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture picture_create(int width, int height)
{
    struct picture picture = {width, height, calloc((size_t)width * (size_t)height, 3)};
    assert(picture.pixels);
    return picture;
}

void picture_free(struct picture *picture)
{
    free(picture->pixels);
    *picture = (struct picture){0};
}

/* In 32 steps: the files are half as large, and nobody sees it. */
static uint8_t to_byte(double value)
{
    int step = (int)(value / 8);
    return (uint8_t)(8 * (step < 0 ? 0 : step > 31 ? 31 : step) + 4);
}

/* BT.709 of limited range, as the frames here are. */
static void to_rgb(const struct frame *frame, int x, int y, uint8_t rgb[3])
{
    double luma = (frame->plane[0][y * frame->stride[0] + x] - 16) * 255.0 / 219;
    double u = (frame->plane[1][y / 2 * frame->stride[1] + x / 2] - 128) / 224.0;
    double v = (frame->plane[2][y / 2 * frame->stride[2] + x / 2] - 128) / 224.0;
    rgb[0] = to_byte(luma + 255 * 1.5748 * v);
    rgb[1] = to_byte(luma - 255 * (0.1873 * u + 0.4681 * v));
    rgb[2] = to_byte(luma + 255 * 1.8556 * u);
}

void picture_put(struct picture *picture, const struct frame *frame, int x, int y)
{
    for (int row = 0; row < frame->height; row++)
        for (int col = 0; col < frame->width; col++)
            to_rgb(frame, col, row,
                   picture->pixels + 3 * ((ptrdiff_t)(y + row) * picture->width + x + col));
}

struct picture_difference picture_compare(const struct picture *a, const struct picture *b, int x,
                                          int y, int width, int height)
{
    double sum = 0;
    int off = 0;
    for (int row = y; row < y + height; row++)
        for (int col = x; col < x + width; col++) {
            ptrdiff_t at = 3 * ((ptrdiff_t)row * a->width + col);
            int most = 0;
            for (int i = 0; i < 3; i++) {
                int difference = abs(a->pixels[at + i] - b->pixels[at + i]);
                sum += difference;
                most = difference > most ? difference : most;
            }
            off += most > GOLDEN_OFF;
        }
    double pixels = (double)width * height;
    return (struct picture_difference){sum / 3 / pixels, off / pixels};
}

/* ---- PNG ---- */

static bool decode(const AVPacket *packet, AVFrame *frame)
{
    AVCodecContext *codec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_PNG));
    bool done = codec && avcodec_open2(codec, codec->codec, NULL) >= 0 &&
                avcodec_send_packet(codec, packet) >= 0 && avcodec_receive_frame(codec, frame) >= 0;
    avcodec_free_context(&codec);
    return done && frame->format == AV_PIX_FMT_RGB24;
}

static bool read_file(const char *path, AVPacket *packet)
{
    FILE *file = fopen(path, "rb");
    bool done = false;
    if (!file)
        return false;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        done = size > 0 && av_new_packet(packet, (int)size) >= 0 &&
               fread(packet->data, 1, (size_t)size, file) == (size_t)size;
    }
    fclose(file);
    return done;
}

bool picture_read(struct picture *out, const char *path)
{
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    bool done = packet && frame && read_file(path, packet) && decode(packet, frame);
    if (done) {
        *out = picture_create(frame->width, frame->height);
        for (int y = 0; y < out->height; y++)
            memcpy(out->pixels + (ptrdiff_t)3 * y * out->width,
                   frame->data[0] + (ptrdiff_t)y * frame->linesize[0], 3 * (size_t)out->width);
    }
    av_packet_free(&packet);
    av_frame_free(&frame);
    return done;
}

static bool encode(const struct picture *picture, AVPacket *packet)
{
    AVCodecContext *codec = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_PNG));
    AVFrame *frame = av_frame_alloc();
    bool done = false;
    if (codec && frame) {
        codec->width = frame->width = picture->width;
        codec->height = frame->height = picture->height;
        codec->pix_fmt = AV_PIX_FMT_RGB24;
        codec->time_base = (AVRational){1, 1};
        codec->compression_level = 9;
        frame->format = AV_PIX_FMT_RGB24;
        frame->data[0] = picture->pixels;
        frame->linesize[0] = 3 * picture->width;
        done = avcodec_open2(codec, codec->codec, NULL) >= 0 &&
               avcodec_send_frame(codec, frame) >= 0 && avcodec_receive_packet(codec, packet) >= 0;
    }
    av_frame_free(&frame);
    avcodec_free_context(&codec);
    return done;
}

bool picture_write(const struct picture *picture, const char *path)
{
    AVPacket *packet = av_packet_alloc();
    bool done = packet && encode(picture, packet);
    FILE *file = done ? fopen(path, "wb") : NULL;
    if (file) {
        done = fwrite(packet->data, 1, (size_t)packet->size, file) == (size_t)packet->size;
        done = fclose(file) == 0 && done;
    }
    av_packet_free(&packet);
    return file && done;
}
