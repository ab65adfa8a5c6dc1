// How old a network camera's picture is when it is shown.
// Runs alone: it measures.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runPython, startServer } from './server.mjs';
import { cameraWorkflow, playing, rtspCamera } from './sources.mjs';

for (const codec of ['h264', 'h265']) {
  test(`an RTSP picture is shown when it has come, not when the next one comes (${codec})`, { timeout: 120000 }, async (t) => {
    const camera = await rtspCamera({ fps: 5, codec });
    t.after(() => camera.kill());
    const server = await startServer(cameraWorkflow(`rtsp://127.0.0.1:${camera.port}/camera`));
    t.after(server.stop);
    assert.equal((await playing(server)).codec, codec === 'h265' ? 'hevc' : codec);
    const { ages_ms: ages } = await runPython('aiortc_receiver.py', [server.url, 'view', 20]);
    ages.splice(0, 5);
    ages.sort((a, b) => a - b);
    t.diagnostic(`median age ${ages[ages.length >> 1].toFixed(1)} ms of pictures 200 ms apart`);
    assert.ok(ages.length >= 12, `the clock was readable in ${ages.length} of 15 frames`);
    assert.doesNotMatch(server.log(), /ffmpeg:/, 'the decoder has nothing to complain of');
    // aiortc itself hands a picture out with the next one's first packet.
    assert.ok(ages[0] > 0 && ages[ages.length >> 1] < 300, `median age ${ages[ages.length >> 1]} ms`);
  });
}
