"""GStreamer's webrtcbin as a viewer: offers, shows frames, reads the clock in them.

  gst_viewer.py URL NODE FRAMES CODEC offer|whep

With "whep" it speaks WHEP as a player would: the offer goes out before candidates are gathered, they
follow by PATCH, and the session is ended by DELETE. Prints {"frames", "width", "height", "clocks",
"ages_ms", "answer", "exchanges": [[method, status]…], "headers"}.
"""

import json
import queue
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstApp, GstSdp, GstWebRTC  # noqa: E402,F401

import clock_code  # noqa: E402

DECODERS = {
    "H264": ("encoding-name=H264,payload=96,packetization-mode=(string)1,"
             "profile-level-id=(string)42e01f", "rtph264depay ! h264parse ! openh264dec"),
    "VP8": ("encoding-name=VP8,payload=97", "rtpvp8depay ! vp8dec"),
}


class Viewer:
    def __init__(self, url, node, codec, signalling):
        self.url, self.node, self.signalling = url, node, signalling
        self.candidates, self.pads = queue.Queue(), queue.Queue()
        self.exchanges, self.headers, self.place, self.etag = [], {}, None, None
        caps, self.decoder = DECODERS[codec]
        self.pipeline = Gst.Pipeline.new("viewer")
        self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.peer)
        self.peer.connect("pad-added", lambda _, pad: self.show(pad))
        self.peer.connect("on-ice-candidate", lambda _, line, text: self.candidates.put((line, text)))
        self.pipeline.set_state(Gst.State.PLAYING)
        self.peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                       Gst.Caps.from_string(f"application/x-rtp,media=video,clock-rate=90000,{caps}"))

    def show(self, pad):
        chain = Gst.parse_bin_from_description(
            f"{self.decoder} ! videoconvert ! video/x-raw,format=GRAY8 ! "
            "appsink name=sink sync=false max-buffers=8 drop=true", True)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))
        self.pads.put(chain.get_by_name("sink"))

    def request(self, method, address, body, kind, extra=None):
        headers = {"Content-Type": kind, **(extra or {})}
        request = urllib.request.Request(address, body.encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                self.exchanges.append([method, response.status])
                return response.status, dict(response.headers), response.read().decode()
        except urllib.error.HTTPError as error:
            self.exchanges.append([method, error.code])
            return error.code, dict(error.headers), error.read().decode()

    def call(self, signal, *arguments):
        promise = Gst.Promise.new()
        self.peer.emit(signal, *arguments, promise)
        assert promise.wait() == Gst.PromiseResult.REPLIED, signal
        return promise

    def connect(self):
        promise = self.call("create-offer", None)
        reply = promise.get_reply()  # to be kept: the offer is a part of it
        offer = reply.get_value("offer")
        text = offer.sdp.as_text()
        self.call("set-local-description", offer)
        answer = self.whep(text) if self.signalling == "whep" else self.plain()
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        self.call("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(
            GstWebRTC.WebRTCSDPType.ANSWER, message))
        if self.signalling == "whep":
            self.trickle(text)
        return answer

    def plain(self):
        deadline = time.monotonic() + 10
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        while self.peer.get_property("ice-gathering-state") != complete:
            assert time.monotonic() < deadline, "candidates are not gathered"
            time.sleep(0.01)
        offer = self.peer.get_property("local-description").sdp.as_text()
        body = json.dumps({"node_id": self.node, "sdp": offer, "type": "offer"})
        status, _, answer = self.request("POST", f"{self.url}/api/webrtc/offer", body, "application/json")
        assert status == 200, answer
        return json.loads(answer)["sdp"]

    def whep(self, offer):
        status, self.headers, answer = self.request(
            "POST", f"{self.url}/whep/{self.node}", offer, "application/sdp")
        assert status == 201, answer
        self.place = urllib.parse.urljoin(self.url, self.headers["Location"])
        self.etag = self.headers["ETag"]
        return answer

    def trickle(self, offer):
        lines = offer.replace("\r\n", "\n").split("\n")
        first = {key: next(line for line in lines if line.startswith(f"a={key}:"))
                 for key in ("ice-ufrag", "ice-pwd", "mid")}
        media = next(line for line in lines if line.startswith("m="))
        _, candidate = self.candidates.get(timeout=10)
        fragment = "\r\n".join([first["ice-ufrag"], first["ice-pwd"], media, first["mid"],
                                f"a={candidate}", ""])
        status, _, answer = self.request("PATCH", self.place, fragment,
                                         "application/trickle-ice-sdpfrag", {"If-Match": self.etag})
        assert status == 204, answer

    def watch(self, wanted):
        result = {"frames": 0, "clocks": 0, "ages_ms": []}
        sink = self.pads.get(timeout=20)
        while result["frames"] < wanted:
            sample = sink.try_pull_sample(20 * Gst.SECOND)
            now_us = time.time_ns() // 1000
            assert sample is not None, f"only {result['frames']} frames"
            shape = sample.get_caps().get_structure(0)
            result["width"], result["height"] = shape.get_value("width"), shape.get_value("height")
            result["frames"] += 1
            _, data = sample.get_buffer().map(Gst.MapFlags.READ)
            stride = (result["width"] + 3) // 4 * 4
            luma = numpy.frombuffer(data.data, numpy.uint8)[:stride * result["height"]]
            stamp = clock_code.read(luma.reshape(result["height"], stride)[:, :result["width"]])
            sample.get_buffer().unmap(data)
            if stamp is not None:
                result["clocks"] += 1
                result["ages_ms"].append((now_us % 2**48 - stamp) / 1000)
        return result

    def end(self):
        if self.place:
            self.request("DELETE", self.place, "", "text/plain")
        self.pipeline.set_state(Gst.State.NULL)


def main():
    Gst.init(None)
    url, node, frames, codec, signalling = sys.argv[1:6]
    viewer = Viewer(url, node, codec, signalling)
    answer = viewer.connect()
    result = viewer.watch(int(frames))
    viewer.end()
    print(json.dumps({**result, "answer": answer, "exchanges": viewer.exchanges,
                      "headers": {key.lower(): value for key, value in viewer.headers.items()}}))


main()
