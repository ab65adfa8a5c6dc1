#!/usr/bin/python3
"""The old stack's shape, to be measured beside Overwatch in the same run.

aiortc with a track that hands out the latest frame, H.264 chosen by codec preference; and JPEG at
quality 50 as base64 in JSON over a WebSocket. Frames come from the same kind of pipe. Where the old
stack did more work (BGR pictures, OpenCV), the cheaper way is taken here: the comparison is kind.

  old_stack.py PIPE PORT WIDTH HEIGHT JPEG_FPS      (JPEG_FPS 0 = every frame)
"""

import asyncio
import base64
import io
import json
import pathlib
import sys
import threading
import time

import av
import numpy
from aiohttp import web
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack


class LatestFrame:
    """Reads Y4M in a thread and keeps only the newest picture."""

    def __init__(self, path, width, height):
        self.path, self.width, self.height = path, width, height
        self.picture, self.count = None, 0
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        size = self.width * self.height * 3 // 2
        with open(self.path, "rb", buffering=1 << 20) as pipe:
            pipe.readline()
            while pipe.readline():
                data = pipe.read(size)
                if len(data) < size:
                    return
                planes = numpy.frombuffer(data, numpy.uint8)
                with self.changed:
                    self.picture = planes.reshape(self.height * 3 // 2, self.width)
                    self.count += 1
                    self.changed.notify_all()

    def frame(self):
        with self.changed:
            self.changed.wait_for(lambda: self.picture is not None)
            return av.VideoFrame.from_ndarray(self.picture, format="yuv420p")

    def next_after(self, count):
        with self.changed:
            self.changed.wait_for(lambda: self.count > count, timeout=5)
            return self.count


class LatestFrameTrack(VideoStreamTrack):
    """aiortc's own pacing (30 a second), the newest picture each time."""

    def __init__(self, source):
        super().__init__()
        self.source = source

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = self.source.frame()
        frame.pts, frame.time_base = pts, time_base
        return frame


def prefer_h264(connection):
    codecs = RTCRtpSender.getCapabilities("video").codecs
    h264 = [codec for codec in codecs if codec.mimeType == "video/H264"]
    repair = [codec for codec in codecs if codec.mimeType == "video/rtx"]
    for transceiver in connection.getTransceivers():
        transceiver.setCodecPreferences(h264 + repair)


class Server:
    def __init__(self, source, jpeg_fps):
        self.source, self.jpeg_fps = source, jpeg_fps
        self.connections = set()

    async def page(self, request):
        text = pathlib.Path(__file__).with_name("peer.html").read_text()
        return web.Response(text=text, content_type="text/html")

    async def offer(self, request):
        body = await request.json()
        connection = RTCPeerConnection()
        self.connections.add(connection)
        connection.addTrack(LatestFrameTrack(self.source))
        await connection.setRemoteDescription(RTCSessionDescription(body["sdp"], body["type"]))
        prefer_h264(connection)
        await connection.setLocalDescription(await connection.createAnswer())

        @connection.on("connectionstatechange")
        async def changed():
            if connection.connectionState in ("failed", "closed"):
                await connection.close()
                self.connections.discard(connection)

        local = connection.localDescription
        return web.json_response({"sdp": local.sdp, "type": local.type})

    def message(self):
        picture = io.BytesIO()
        self.source.frame().to_image().save(picture, "JPEG", quality=50)
        return json.dumps({
            "type": "xray_frame", "workflow_id": "bench", "node_id": "bench",
            "timestamp": time.time(),
            "frame_data": base64.b64encode(picture.getvalue()).decode(),
            "fps": self.jpeg_fps, "detections_count": 0, "processing_time_ms": 0,
            "resolution": {"width": self.source.width, "height": self.source.height},
        })

    async def websocket(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        loop = asyncio.get_running_loop()
        count, due = 0, loop.time()
        while not socket.closed:
            if self.jpeg_fps:  # the newest picture at a fixed beat, as the old stack did
                due += 1 / self.jpeg_fps
                await asyncio.sleep(due - loop.time())
            else:
                count = await loop.run_in_executor(None, self.source.next_after, count)
            try:
                await socket.send_str(await loop.run_in_executor(None, self.message))
            except ConnectionError:
                break
        return socket


def main():
    path, port, width, height, jpeg_fps = sys.argv[1], *map(int, sys.argv[2:6])
    server = Server(LatestFrame(path, width, height), jpeg_fps)
    app = web.Application()
    app.router.add_get("/", server.page)
    app.router.add_get("/healthz", lambda request: web.Response(text="ok"))
    app.router.add_post("/api/webrtc/offer", server.offer)
    app.router.add_get("/api/ws", server.websocket)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


main()
