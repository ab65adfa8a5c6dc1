/* The second pass over a recording: the same pictures, a fragment for each key frame, an index. */
#include "record/mp4_file.h"

#include <fcntl.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

/* A path may hold a colon, and what is before it is no protocol. */
static void write_url(const char *path, char url[PATH_BYTES + 8])
{
    snprintf(url, PATH_BYTES + 8, "file:%s", path);
}

static int open_input(AVFormatContext **in, const char *path)
{
    char url[PATH_BYTES + 8];
    write_url(path, url);
    int rc = avformat_open_input(in, url, av_find_input_format("mov"), NULL);
    if (rc >= 0 && (*in)->nb_streams != 1)
        rc = AVERROR_INVALIDDATA;
    return rc;
}

static int open_output(AVFormatContext **out, const char *path, const AVFormatContext *in)
{
    AVDictionary *options = NULL;
    char url[PATH_BYTES + 8];
    write_url(path, url);
    int rc = avformat_alloc_output_context2(out, NULL, "mp4", url);
    AVStream *stream = rc >= 0 ? avformat_new_stream(*out, NULL) : NULL;
    if (!stream)
        return rc < 0 ? rc : AVERROR(ENOMEM);
    rc = avcodec_parameters_copy(stream->codecpar, in->streams[0]->codecpar);
    stream->codecpar->codec_tag = 0;
    stream->time_base = in->streams[0]->time_base;
    stream->sample_aspect_ratio = in->streams[0]->sample_aspect_ratio;
    av_dict_copy(&(*out)->metadata, in->metadata, 0);
    av_dict_set(&options, "movflags", "frag_keyframe+empty_moov+default_base_moof+global_sidx", 0);
    av_dict_set_int(&options, "video_track_timescale", MP4_CLOCK_HZ, 0);
    if (rc >= 0)
        rc = avio_open(&(*out)->pb, url, AVIO_FLAG_WRITE);
    if (rc >= 0)
        rc = avformat_write_header(*out, &options);
    av_dict_free(&options);
    return rc;
}

/* Writes one that lasts until then. The reader guesses how long; of what it is a copy, the time of
 * the next one tells. */
static int write_packet(AVFormatContext *out, AVPacket *packet, int64_t end)
{
    if (!packet->data) /* there is none before the first */
        return 0;
    packet->pos = -1;
    packet->duration = end > packet->pts ? end - packet->pts : 0;
    int rc = av_write_frame(out, packet);
    av_packet_unref(packet);
    return rc;
}

static int copy_packets(AVFormatContext *in, AVFormatContext *out, AVPacket *packet,
                        AVPacket *before)
{
    int rc;
    while ((rc = av_read_frame(in, packet)) >= 0) {
        rc = write_packet(out, before, packet->pts);
        if (rc < 0)
            return rc;
        av_packet_move_ref(before, packet);
    }
    if (rc == AVERROR_EOF)
        rc = write_packet(out, before, in->streams[0]->duration);
    if (rc >= 0)
        rc = av_write_trailer(out);
    avio_flush(out->pb);
    return rc < 0 ? rc : out->pb->error;
}

static int copy(const char *from, const char *to)
{
    AVFormatContext *in = NULL, *out = NULL;
    AVPacket *packet = av_packet_alloc(), *before = av_packet_alloc();
    int rc = packet && before ? open_input(&in, from) : AVERROR(ENOMEM);
    if (rc >= 0)
        rc = open_output(&out, to, in);
    if (rc >= 0)
        rc = copy_packets(in, out, packet, before);
    if (out && out->pb)
        (void)avio_closep(&out->pb);
    avformat_free_context(out);
    avformat_close_input(&in);
    av_packet_free(&packet);
    av_packet_free(&before);
    return rc;
}

int mp4_index(const char *path, struct reason *why)
{
    char part[PATH_BYTES];
    if (snprintf(part, sizeof part, "%s.part", path) >= PATH_BYTES)
        return reason_set(why, OW_EINVAL, "the index cannot be made: its name is too long");
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return reason_set(why, OW_EIO, "the index cannot be made: %s", part);
    close(fd);
    int rc = copy(path, part);
    if (rc >= 0 && rename(part, path) == 0)
        return OW_OK;
    (void)unlink(part);
    return reason_set(why, OW_EIO, "the index cannot be made: %s",
                      rc < 0 ? av_err2str(rc) : "the file cannot be replaced");
}
