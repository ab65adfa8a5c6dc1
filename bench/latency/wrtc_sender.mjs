// Google's own sender (libwebrtc, by the npm package @roamhq/wrtc), to be measured beside Overwatch.
// Every frame is handed over as soon as it is read from the pipe.
//
//   node wrtc_sender.mjs PIPE PORT WIDTH HEIGHT
import { createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../tests/package.json', import.meta.url));
const { RTCPeerConnection, nonstandard } = require('@roamhq/wrtc');

const [path, port, width, height] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const frameBytes = (width * height * 3) / 2;
const source = new nonstandard.RTCVideoSource({ isScreencast: false, needsDenoising: false });
const track = source.createTrack();
const connections = new Set();

// Y4M: one header line, then per frame one line and the planes.
async function feed() {
  const frame = new Uint8Array(frameBytes);
  let filled = -1; // -1: within a line
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    let at = 0;
    while (at < chunk.length) {
      if (filled < 0) {
        const end = chunk.indexOf(10, at);
        if (end < 0) break;
        const line = chunk.subarray(at, end).toString('latin1');
        at = end + 1;
        if (line.endsWith('FRAME')) filled = 0;
        continue;
      }
      const count = Math.min(frameBytes - filled, chunk.length - at);
      frame.set(chunk.subarray(at, at + count), filled);
      filled += count;
      at += count;
      if (filled === frameBytes) {
        source.onFrame({ width, height, data: frame });
        filled = -1;
      }
    }
  }
}

async function answer({ sdp }) {
  const connection = new RTCPeerConnection();
  connections.add(connection);
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === 'failed' || connection.connectionState === 'closed') {
      connections.delete(connection);
      connection.close();
    }
  };
  connection.addTrack(track);
  await connection.setRemoteDescription({ type: 'offer', sdp });
  await connection.setLocalDescription(await connection.createAnswer());
  if (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => {
      connection.onicegatheringstatechange = () => {
        if (connection.iceGatheringState === 'complete') resolve();
      };
    });
  }
  return { sdp: connection.localDescription.sdp, type: 'answer' };
}

createServer((request, response) => {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html');
    response.end(request.url === '/healthz' ? 'ok' : readFileSync(new URL('peer.html', import.meta.url)));
    return;
  }
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', async () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(await answer(JSON.parse(body))));
  });
}).listen(port, '127.0.0.1');

feed();
