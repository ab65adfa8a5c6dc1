#include "encode/encoder_engine.h"

#include <stddef.h>
#include <string.h>

/* In the order in which they are tried.
 *
 * buffer_frames is the size of the rate control's bucket. One frame's worth would make all frames
 * alike in size, and starve the key frame: it takes many times the bits of the others. Three frames
 * bound what a frame can add to the delay to three frame times of sending at the target rate (the
 * pacer may send faster), and the picture is as good as with larger ones: on pedestrians at
 * 960x540, 30 fps, 1 Mbit/s SSIM is 0.954, 0.955, 0.956, 0.957 for 1, 2, 3, 4 frames.
 *
 * libx264 at "superfast": SSIM 0.956 there for 1.6 ms of one core a frame; "ultrafast" 0.931 for
 * 1.1 ms, "veryfast" 0.958 for 2.6 ms. "zerolatency" takes out look-ahead, frame threads and B
 * frames, and counts frames instead of reading time stamps, which video_encoder_set_rate() relies
 * on. scenecut=0 and the endless GOP leave key frames to who asks for them.
 *
 * regions, in FFmpeg 5.1 to 7.1: libx264 takes them while its adaptive quantisation is on, as in
 * every preset but "ultrafast"; VA-API and Quick Sync where the driver does, and of many the first
 * few. The wrappers of the others do not know them. */
const struct encoder_backend encoder_backends[] = {
    {
        .name = "h264_nvenc",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "NVENC",
        .pixels = AV_PIX_FMT_YUV420P,
        .rate_change = ENCODER_RATE_RECONFIGURE,
        .buffer_frames = 3,
        .options = "preset=p1:tune=ull:profile=baseline:rc=cbr:zerolatency=1:delay=0:surfaces=2:"
                   "forced-idr=1:rc-lookahead=0:no-scenecut=1:strict_gop=1:aud=0",
    },
    {
        .name = "h264_vaapi",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "VA-API",
        .pixels = AV_PIX_FMT_NV12,
        .device = AV_HWDEVICE_TYPE_VAAPI,
        .device_pixels = AV_PIX_FMT_VAAPI,
        .rate_change = ENCODER_RATE_REOPEN,
        .buffer_frames = 3,
        .regions = true,
        .options = "profile=constrained_baseline:rc_mode=CBR:async_depth=1:sei=0:aud=0",
    },
    {
        .name = "h264_qsv",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "Quick Sync",
        .pixels = AV_PIX_FMT_NV12,
        .rate_change = ENCODER_RATE_REOPEN,
        .buffer_frames = 3,
        .regions = true,
        .options = "preset=veryfast:profile=baseline:async_depth=1:look_ahead=0:forced_idr=1:aud=0",
    },
    {
        .name = "h264_videotoolbox",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "VideoToolbox",
        .pixels = AV_PIX_FMT_NV12,
        .rate_change = ENCODER_RATE_REOPEN,
        .buffer_frames = 3,
        .options = "profile=baseline:realtime=1:allow_sw=0",
    },
    {
        .name = "h264_v4l2m2m",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "V4L2 M2M",
        .pixels = AV_PIX_FMT_NV12,
        .rate_change = ENCODER_RATE_REOPEN,
        .buffer_frames = 3,
        .options = "num_capture_buffers=4:num_output_buffers=4",
    },
    {
        .name = "libx264",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "libx264 (software)",
        .software = true,
        .pixels = AV_PIX_FMT_YUV420P,
        .rate_change = ENCODER_RATE_RECONFIGURE,
        .buffer_frames = 3,
        .regions = true,
        .options = "preset=superfast:tune=zerolatency:profile=baseline:forced-idr=1:aud=0:"
                   "nal-hrd=none:x264-params=keyint=infinite\\:scenecut=0\\:repeat-headers=1\\:"
                   "annexb=1",
    },
    {
        .name = "libopenh264",
        .codec = VIDEO_H264,
        .engine = &encoder_engine_av,
        .label = "OpenH264 (software)",
        .software = true,
        .pixels = AV_PIX_FMT_YUV420P,
        .rate_change = ENCODER_RATE_REOPEN,
        .buffer_frames = 3,
        .options = "profile=constrained_baseline:rc_mode=bitrate:allow_skip_frames=0",
    },
    {
        .name = "libvpx",
        .codec = VIDEO_VP8,
        .engine = &encoder_engine_vpx,
        .label = "libvpx (software)",
        .software = true,
        .pixels = AV_PIX_FMT_YUV420P,
        .rate_change = ENCODER_RATE_RECONFIGURE,
        .buffer_frames = 3,
    },
    {.name = NULL},
};

const struct encoder_backend *encoder_backend_find(const char *name)
{
    for (const struct encoder_backend *row = encoder_backends; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}
