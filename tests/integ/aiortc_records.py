"""An independent receiver of records (aiortc, whose SCTP shares nothing with ours): opens the data
channel, decodes frames, reads the clock in them and finds the record of each by its RTP timestamp.

  aiortc_records.py URL NODE FRAMES

Prints {"answer", "frames": [{"clock", "width", "record"}], "bytes", "state"}: a record is null when
none came within a second.
"""

import asyncio
import json
import sys

import aiortc.rtcrtpreceiver
import aiortc_peer
import clock_code
import metadata_record


class SentTimestamps:
    """In place of aiortc's own, which has the first frame's be 0."""

    def map(self, timestamp):
        return timestamp


aiortc.rtcrtpreceiver.TimestampMapper = SentTimestamps


async def main(url, node, wanted):
    connection, tracks = aiortc_peer.new_connection()
    # RFC 8841's form; left alone, this release offers that of a draft of 2014.
    connection._sctpLegacySdp = False
    records, total = {}, 0
    channel = connection.createDataChannel("metadata", ordered=False, maxRetransmits=0)

    @channel.on("message")
    def on_message(message):
        nonlocal total
        total += len(message)
        record = metadata_record.read(message)
        records[record["rtp"]] = record

    answer = await aiortc_peer.connect(connection, url, node)
    track = await asyncio.wait_for(tracks.get(), 10)
    frames = []
    while len(frames) < wanted:
        frame = await asyncio.wait_for(track.recv(), 20)
        if channel.readyState != "open":
            continue
        luma = frame.to_ndarray(format="yuv420p")[:frame.height]
        frames.append({"clock": clock_code.read(luma), "width": frame.width, "rtp": frame.pts})
    await asyncio.sleep(0.5)
    for frame in frames:
        frame["record"] = records.get(frame["rtp"])
    state = channel.readyState
    await connection.close()
    print(json.dumps({"answer": answer, "frames": frames, "bytes": total, "state": state}))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
