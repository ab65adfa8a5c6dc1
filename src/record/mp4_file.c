#include "record/mp4_file.h"

#include <libavformat/avformat.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAL_IDR = 5, NAL_SPS = 7, NAL_PPS = 8, PATH_BYTES = 1024 };

struct mp4_file {
    AVFormatContext *muxer;
    AVPacket *packet;
    char path[PATH_BYTES];
    int width, height;
    uint8_t *sets; /* SPS and PPS as they came */
    size_t sets_size;
    uint64_t whole_bytes; /* up to the end of the last fragment */
    bool failed;
};

/* The parameter sets stand in front of the first slice (encode/h264_stream.h): how many bytes; 0 =
 * this is no key frame. */
static size_t find_sets(const struct encoded *unit)
{
    bool has_sps = false, has_pps = false;
    for (size_t i = 0; i + 4 <= unit->size; i++) {
        if (unit->data[i] != 0 || unit->data[i + 1] != 0 || unit->data[i + 2] != 1)
            continue;
        int type = unit->data[i + 3] & 31;
        has_sps |= type == NAL_SPS;
        has_pps |= type == NAL_PPS;
        if (type == NAL_IDR && has_sps && has_pps) /* its start code may have a zero in front */
            return i > 0 && unit->data[i - 1] == 0 ? i - 1 : i;
        if (type != NAL_SPS && type != NAL_PPS)
            return 0;
    }
    return 0;
}

static bool has_sets(const struct mp4_file *file, const struct encoded *key)
{
    return find_sets(key) == file->sets_size && memcmp(key->data, file->sets, file->sets_size) == 0;
}

bool mp4_file_fits(const struct mp4_file *file, const struct encoded *key)
{
    return key->width == file->width && key->height == file->height && has_sets(file, key);
}

static int keep_sets(struct mp4_file *file, const struct encoded *first)
{
    file->sets_size = find_sets(first);
    if (file->sets_size == 0)
        return OW_EINVAL;
    file->sets = malloc(file->sets_size);
    if (!file->sets)
        return OW_ENOMEM;
    memcpy(file->sets, first->data, file->sets_size);
    file->width = first->width;
    file->height = first->height;
    return OW_OK;
}

static int describe_stream(struct mp4_file *file, int64_t wall_us)
{
    AVStream *stream = avformat_new_stream(file->muxer, NULL);
    if (!stream)
        return OW_ENOMEM;
    AVCodecParameters *codec = stream->codecpar;
    codec->extradata = av_mallocz(file->sets_size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!codec->extradata)
        return OW_ENOMEM;
    memcpy(codec->extradata, file->sets, file->sets_size);
    codec->extradata_size = (int)file->sets_size;
    codec->codec_type = AVMEDIA_TYPE_VIDEO;
    codec->codec_id = AV_CODEC_ID_H264;
    codec->width = file->width;
    codec->height = file->height;
    codec->sample_aspect_ratio = stream->sample_aspect_ratio = (AVRational){1, 1};
    stream->time_base = (AVRational){1, MP4_CLOCK_HZ};
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    av_dict_set(&file->muxer->metadata, "creation_time", text, 0);
    return OW_OK;
}

/* Fragments are ended by mp4_file_flush() alone. */
static int write_head(struct mp4_file *file)
{
    AVDictionary *options = NULL;
    av_dict_set(&options, "movflags", "empty_moov+default_base_moof+frag_custom", 0);
    av_dict_set_int(&options, "video_track_timescale", MP4_CLOCK_HZ, 0);
    char url[PATH_BYTES + 8];
    snprintf(url, sizeof url, "file:%s", file->path); /* a path may hold a colon */
    int rc = avio_open(&file->muxer->pb, url, AVIO_FLAG_WRITE);
    if (rc >= 0)
        rc = avformat_write_header(file->muxer, &options);
    if (rc >= 0)
        avio_flush(file->muxer->pb);
    av_dict_free(&options);
    return rc < 0 ? rc : file->muxer->pb->error;
}

static void free_file(struct mp4_file *file)
{
    if (file->muxer && file->muxer->pb)
        (void)avio_closep(&file->muxer->pb);
    avformat_free_context(file->muxer);
    av_packet_free(&file->packet);
    free(file->sets);
    free(file);
}

int mp4_file_open(struct mp4_file **out, const char *path, const struct encoded *first,
                  int64_t wall_us, struct reason *why)
{
    struct mp4_file *file = calloc(1, sizeof *file);
    if (!file)
        return reason_set(why, OW_ENOMEM, "out of memory");
    int rc = snprintf(file->path, sizeof file->path, "%s", path) < PATH_BYTES ? OW_OK : OW_EINVAL;
    if (rc == OW_OK)
        rc = keep_sets(file, first);
    file->packet = av_packet_alloc();
    if (rc == OW_OK && (!file->packet ||
                        avformat_alloc_output_context2(&file->muxer, NULL, "mp4", file->path) < 0))
        rc = OW_ENOMEM;
    if (rc == OW_OK)
        rc = describe_stream(file, wall_us);
    if (rc < 0) {
        free_file(file);
        return reason_set(why, rc, "the recording cannot begin: %s", error_text(rc));
    }
    int written = write_head(file);
    if (written < 0) {
        free_file(file);
        return reason_set(why, OW_EIO, "the recording cannot be written: %s", av_err2str(written));
    }
    file->whole_bytes = (uint64_t)avio_tell(file->muxer->pb);
    *out = file;
    return OW_OK;
}

int mp4_file_add(struct mp4_file *file, const struct encoded *unit, int64_t pts, int64_t duration)
{
    if (file->failed)
        return OW_EIO;
    AVPacket *packet = file->packet;
    packet->data = (uint8_t *)(uintptr_t)unit->data; /* lent: the muxer copies it */
    packet->size = (int)unit->size;
    packet->pts = packet->dts = pts;
    packet->duration = duration;
    packet->stream_index = 0;
    packet->flags = unit->key ? AV_PKT_FLAG_KEY : 0;
    int rc = av_write_frame(file->muxer, packet);
    av_packet_unref(packet);
    return rc < 0 ? OW_EINVAL : OW_OK;
}

/* What is behind the last whole fragment would be taken for damage. */
static int cut(struct mp4_file *file, int error, struct reason *why)
{
    file->failed = true;
    (void)!truncate(file->path, (off_t)file->whole_bytes);
    return reason_set(why, OW_EIO, "the recording cannot be written: %s", av_err2str(error));
}

int mp4_file_flush(struct mp4_file *file, struct reason *why)
{
    if (file->failed)
        return OW_EIO;
    AVIOContext *io = file->muxer->pb;
    int rc = av_write_frame(file->muxer, NULL);
    avio_flush(io);
    if (io->error < 0)
        rc = io->error;
    if (rc < 0)
        return cut(file, rc, why);
    file->whole_bytes = (uint64_t)avio_tell(io);
    return OW_OK;
}

uint64_t mp4_file_bytes(const struct mp4_file *file)
{
    return file->whole_bytes;
}

int mp4_file_close(struct mp4_file **file, struct reason *why)
{
    struct mp4_file *self = *file;
    *file = NULL;
    if (!self)
        return OW_OK;
    int rc = self->failed ? OW_EIO : mp4_file_flush(self, why);
    if (rc == OW_OK) {
        AVIOContext *io = self->muxer->pb;
        int written = av_write_trailer(self->muxer);
        avio_flush(io);
        if (written >= 0)
            written = io->error;
        if (written < 0)
            rc = cut(self, written, why);
    }
    free_file(self);
    return rc;
}
