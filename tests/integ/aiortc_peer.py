"""How the aiortc peers of the tests connect: offer, post, take the answer."""

import asyncio

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription


def new_connection():
    """A connection that wants to receive video, and the queue that its track comes in."""
    connection = RTCPeerConnection()
    connection.addTransceiver("video", direction="recvonly")
    tracks = asyncio.Queue()
    connection.on("track", tracks.put_nowait)
    return connection, tracks


async def connect(connection, url, node):
    """Posts the offer and takes the answer; returns the answer's SDP."""
    await connection.setLocalDescription(await connection.createOffer())
    local = connection.localDescription
    offer = {"node_id": node, "sdp": local.sdp, "type": local.type}
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}/api/webrtc/offer", json=offer) as response:
            answer = await response.json()
            assert response.status == 200, answer
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
    return answer["sdp"]
