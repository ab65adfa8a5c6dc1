// Google's libwebrtc (@roamhq/wrtc) as viewer: offers, shows pictures, reads the clock in them.
//
//   node wrtc_viewer.mjs URL NODE FRAMES
//
// Prints { offer, status, answer, frames, width, height, ages } (ages in ms, null: not readable) and
// ends by a signal: the library crashes when a process that has shown pictures ends of itself.
import { createRequire } from 'node:module';
import { writeSync } from 'node:fs';

import { clockAgeMs, readClock } from './clock_code.mjs';
import { postJson } from './server.mjs';

const { RTCPeerConnection, nonstandard } = createRequire(import.meta.url)('@roamhq/wrtc');
const [url, node, frames] = process.argv.slice(2);

const connection = new RTCPeerConnection();
const { receiver } = connection.addTransceiver('video', { direction: 'recvonly' });
const sink = new nonstandard.RTCVideoSink(receiver.track);
const result = { ages: [] };
const shown = new Promise((resolve) => {
  sink.onframe = ({ frame }) => {
    const clock = readClock(frame.data, frame.width, frame.height);
    result.ages.push(clock === null ? null : clockAgeMs(clock));
    Object.assign(result, { width: frame.width, height: frame.height });
    if (result.ages.length === Number(frames)) resolve();
  };
});
await connection.setLocalDescription(await connection.createOffer());
result.offer = connection.localDescription.sdp;
const { status, body } = await postJson(`${url}/api/webrtc/offer`, { node_id: node, sdp: result.offer, type: 'offer' });
Object.assign(result, { status, answer: body.sdp ?? body.detail });
if (status === 200) {
  await connection.setRemoteDescription(body);
  await shown;
}
writeSync(1, `${JSON.stringify(result)}\n`);
process.kill(process.pid, 'SIGKILL');
