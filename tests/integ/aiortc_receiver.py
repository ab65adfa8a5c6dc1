"""An independent WebRTC receiver (aiortc): posts an offer, decodes frames, reads the clock in them.

  aiortc_receiver.py URL NODE FRAMES

Prints {"frames", "width", "height", "clocks", "stamps", "ages_ms", "first_frame_ms",
"answer", "stats"}.
"""

import asyncio
import json
import sys
import time

import aiohttp

import aiortc_peer
import clock_code


async def receive(track, wanted, result, started):
    for _ in range(wanted):
        frame = await asyncio.wait_for(track.recv(), 20)
        now_us = time.time_ns() // 1000
        result["frames"] += 1
        result["width"], result["height"] = frame.width, frame.height
        result.setdefault("first_frame_ms", (time.monotonic() - started) * 1000)
        luma = frame.to_ndarray(format="yuv420p")[:frame.height]
        stamp = clock_code.read(luma)
        if stamp is not None:
            result["clocks"] += 1
            result["stamps"].append(stamp)
            result["ages_ms"].append((now_us % 2**48 - stamp) / 1000)


async def main(url, node, wanted):
    connection, tracks = aiortc_peer.new_connection()
    started = time.monotonic()
    result = {"frames": 0, "clocks": 0, "stamps": [], "ages_ms": []}
    result["answer"] = await aiortc_peer.connect(connection, url, node)
    await receive(await asyncio.wait_for(tracks.get(), 10), wanted, result, started)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/api/webrtc/stats") as response:
            result["stats"] = await response.json()
    await connection.close()
    print(json.dumps(result))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
