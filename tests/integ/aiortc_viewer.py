"""A WebRTC viewer (aiortc) that watches until its standard input is closed.

  aiortc_viewer.py URL NODE

Prints a line of JSON for each frame, {"frame", "width", "height", "mean"} with the mean of the luma,
and for each change of the connection, {"state"}.
"""

import asyncio
import json
import sys

import aiortc_peer


def say(**what):
    print(json.dumps(what), flush=True)


async def watch(track):
    count = 0
    while True:
        frame = await track.recv()
        count += 1
        luma = frame.to_ndarray(format="yuv420p")[:frame.height]
        say(frame=count, width=frame.width, height=frame.height, mean=round(float(luma.mean()), 1))


async def main(url, node):
    connection, tracks = aiortc_peer.new_connection()
    connection.on("connectionstatechange", lambda: say(state=connection.connectionState))
    await aiortc_peer.connect(connection, url, node)
    watching = asyncio.create_task(watch(await tracks.get()))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    watching.cancel()
    await connection.close()


asyncio.run(main(sys.argv[1], sys.argv[2]))
