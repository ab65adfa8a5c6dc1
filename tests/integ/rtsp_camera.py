"""An RTSP camera: GStreamer's RTSP server with a live picture that shows the time.

  rtsp_camera.py PORT FPS [h264|h265 [USER:PASSWORD]]

PORT 0 is any free one. Prints {"port"} when it serves rtsp://127.0.0.1:PORT/camera. The picture is
noise under a grey slope with the machine-readable clock (src/source/clock_code.h) in the corner: each
picture comes as four slices in many packets.
"""

import json
import sys
import time

import gi
import numpy

import clock_code

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

WIDTH, HEIGHT = 320, 240
noise = numpy.random.default_rng(1)
ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=4000 threads=4"
            " sliced-threads=true ! rtph264pay",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=4000"
            " option-string=log-level=error ! rtph265pay",
}
LAUNCH = (
    "( appsrc name=source is-live=true do-timestamp=true format=time"
    " caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1"
    " ! {encoder} name=pay0 pt=96 config-interval=1 )"
)


def picture():
    luma = numpy.tile(numpy.linspace(60, 200, WIDTH).astype(numpy.uint8), (HEIGHT, 1))
    luma[HEIGHT // 4:] = noise.integers(60, 200, (HEIGHT - HEIGHT // 4, WIDTH), dtype=numpy.uint8)
    clock_code.draw(luma, time.time_ns() // 1000)
    return luma.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)


def feed(media, fps):
    source = media.get_element().get_by_name("source")

    def push():
        buffer = Gst.Buffer.new_wrapped(picture())
        return source.emit("push-buffer", buffer) == Gst.FlowReturn.OK

    push()
    GLib.timeout_add(1000 // fps, push)


def protect(server, factory, user, password):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main(port, fps, codec="h264", credentials=""):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH.format(width=WIDTH, height=HEIGHT, fps=fps, encoder=ENCODERS[codec]))
    factory.set_shared(True)
    factory.connect("media-configure", lambda _, media: feed(media, fps))
    server.get_mount_points().add_factory("/camera", factory)
    if credentials:
        protect(server, factory, *credentials.split(":"))
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on port {port}")
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    GLib.MainLoop().run()


main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
