// Records beside the video, received by aiortc: another SCTP and another data channel than ours and
// Chromium's.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runPython, startServer, testPattern } from './server.mjs';

// Wall clock and monotonic clock run alike: what is between a picture's clock and its record's
// capture time is the same for all frames.
function checkMatches(frames) {
  const read = frames.filter(({ clock, record }) => clock !== null && record !== null);
  const offsets = read.map(({ clock, record }) => clock - record.capture_us).sort((a, b) => a - b);
  const usual = offsets[offsets.length >> 1];
  assert.deepEqual(offsets.filter((offset) => Math.abs(offset - usual) > 2000), [], 'records of other pictures');
  return read.length;
}

test('aiortc finds the record of each frame', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern({ width: 640, height: 360 }));
  t.after(server.stop);
  const got = await runPython('aiortc_records.py', [server.url, 'view', 90]);
  assert.match(got.answer, /m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel/);
  assert.match(got.answer, /a=sctp-port:5000/);
  assert.equal(got.state, 'open');
  const missing = got.frames.slice(1).filter(({ record }) => record === null).length;
  assert.equal(missing, 0, 'every frame after the channel was open has its record');
  assert.ok(checkMatches(got.frames) >= 80);
  const { record } = got.frames.at(-1);
  assert.equal(record.width, 640);
  const { drawn, encoded } = record.stages_ms;
  assert.ok(drawn <= encoded && encoded <= record.sent_ms + 0.1, `drawn ${drawn}, encoded ${encoded}, sent ${record.sent_ms} ms`);
});

// With a model, whose view is clean, and a zone before it.
function zoned(zone) {
  const workflow = testPattern({ width: 640, height: 360 });
  workflow.nodes[1].data.layout = 'clean';
  workflow.nodes.push({ id: 'model', type: 'model', position: { x: 0, y: 0 }, data: {} }, { id: 'zone', type: 'zone', position: { x: 0, y: 0 }, data: zone });
  workflow.edges = [['pattern', 'model'], ['model', 'zone'], ['zone', 'view']].map(([source, target], i) => ({ id: `e${i}`, source, target }));
  return workflow;
}

test('zones are counted with each frame, and their places told now and then', { timeout: 60000 }, async (t) => {
  const server = await startServer(zoned({ label: 'Yard', zoneType: 'rectangle', polygon: [[0, 0], [0.5, 1]], filterType: 'all' }));
  t.after(server.stop);
  const { frames } = await runPython('aiortc_records.py', [server.url, 'view', 80]);
  const records = frames.map(({ record }) => record).filter((record) => record !== null);
  assert.ok(records.length >= 79);
  const told = records.flatMap(({ zones }, i) => (zones.length > 0 ? [i] : []));
  assert.ok(told.length >= 2, 'at least each 31st');
  told.slice(1).forEach((at, i) => assert.equal(at - told[i], 31));
  const x = 0x800 / 4095;
  assert.deepEqual(records[told[0]].zones, [{ line: false, points: [[0, 0], [x, 0], [x, 1], [0, 1]], name: 'Yard' }]);
  for (const { counts, sections } of records) {
    assert.deepEqual(counts, [{ count: 0 }]);
    assert.equal(sections[6], 1, 'a byte for an area in which nothing happens');
  }
});

test('an offer without data channels is answered without', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern({ width: 640, height: 360 }));
  t.after(server.stop);
  const got = await runPython('aiortc_receiver.py', [server.url, 'view', 10]);
  assert.doesNotMatch(got.answer, /m=application/);
  assert.equal(got.stats.connections[0].data_channel, false);
});
