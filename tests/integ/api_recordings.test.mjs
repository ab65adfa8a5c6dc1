// Recordings: by hand, around the events of a zone, through a killed program, a full and a slow disk, a
// camera that goes. What is written is played back by FFmpeg and checked against the lines beside it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { assertShape, client } from './api_client.mjs';
import { preload } from './preload.mjs';
import { eventually, postJson, startServer, testPattern, testPatterns } from './server.mjs';
import { cameraWorkflow, noSignal, playing, rtspCamera } from './sources.mjs';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'overwatch-recordings-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const RECORD = 'PUT /api/views/{node_id}/recording', LIST = 'GET /api/recordings', FILE = 'GET /api/recordings/{file}',
  REMOVE = 'DELETE /api/recordings/{file}';

async function start(t, name, workflow, extra = [], prefix = []) {
  const server = await startServer(workflow, ['--data-folder', join(folder, name), ...extra], 'ignore', prefix);
  t.after(server.stop);
  const call = client(server);
  return {
    ...server, call,
    path: (file) => join(folder, name, 'recordings', file),
    record: (view, recording) => call(RECORD, 200, { params: { node_id: view }, body: { recording } }),
    view: async (id) => (await call('GET /api/views', 200)).views.find(({ node_id: node }) => node === id),
    list: async () => (await call(LIST, 200)).recordings,
    ended: (count, seconds = 20) => eventually(`${count} recordings have ended`, seconds, async () => {
      const { recordings } = await call(LIST, 200);
      return recordings.length >= count && recordings.every(({ recording }) => !recording) && recordings;
    }),
  };
}

// These wait for seconds on end and do little meanwhile: they run side by side.
const waiting = [];
const beside = (...one) => waiting.push(one);

/** What FFmpeg finds in a file, every picture decoded: { width, height, codec, pts: […] }. */
async function play(file) {
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', '-count_frames', '-show_entries',
    'stream=codec_name,width,height,nb_read_frames:packet=pts_time', '-show_packets', '-of', 'json', file], { maxBuffer: 1e8 });
  assert.equal(stderr, '', 'a reader finds no fault');
  const { streams: [stream], packets } = JSON.parse(stdout);
  const decoded = await run('ffmpeg', ['-v', 'error', '-xerror', '-i', file, '-vsync', 'passthrough', '-enc_time_base', '1:90000', '-f', 'null', '-']);
  assert.equal(decoded.stderr, '', 'nor does a decoder');
  assert.equal(Number(stream.nb_read_frames), packets.length);
  return { width: stream.width, height: stream.height, codec: stream.codec_name, pts: packets.map(({ pts_time: pts }) => Number(pts)) };
}

const linesOf = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));

/** The file plays, and the lines beside it tell of just its pictures. */
async function check(server, recording) {
  const video = await play(server.path(recording.video)), lines = linesOf(server.path(recording.lines));
  const pictures = lines.filter(({ type }) => type === 'picture');
  assert.equal(lines[0].type, 'recording');
  assert.equal(video.codec, 'h264');
  assert.deepEqual([video.width, video.height], [lines[0].width, lines[0].height]);
  assert.equal(pictures.length, video.pts.length);
  pictures.forEach(({ pts }, i) => assert.ok(Math.abs(pts - video.pts[i]) < 0.00002, `picture ${i}: ${pts}, ${video.pts[i]}`));
  // The time of a picture is that of its capture.
  const wall = pictures.map(({ time }) => Date.parse(time) / 1000);
  pictures.forEach(({ pts }, i) => assert.ok(Math.abs(wall[i] - wall[0] - pts) < 0.0021));
  return { video, lines, pictures };
}

beside('somebody records a view by hand', { timeout: 90000 }, async (t) => {
  const server = await start(t, 'hand', testPattern({ width: 640, height: 360, fps: 30, objects: 3 }));
  const { call } = server;
  assert.deepEqual((await server.view('view')).recording,
    { state: 'off', by_hand: false, name: '', seconds: 0, bytes: 0, events: 0, lost: 0, error: '' });
  const begin = Date.now();
  assert.equal((await server.record('view', true)).recording.by_hand, true);
  const running = await eventually('two seconds are written', 20, async () => {
    const { recording } = await server.view('view');
    return recording.state === 'recording' && recording.seconds > 2 && recording.bytes > 0 && recording;
  });
  assert.equal((await call('GET /api/workflow-builder/{id}/status', 200, { params: { id: 'test' } })).nodes.view.recording.name, running.name);

  // What there is can be taken while it grows; it cannot be removed.
  const growing = await call.whole(FILE, 200, { params: { file: `${running.name}.mp4` } });
  assert.equal(growing.headers['cache-control'], 'no-store');
  writeFileSync(join(folder, 'growing.mp4'), growing.bytes);
  assert.ok((await play(join(folder, 'growing.mp4'))).pts.at(-1) > 0.8);
  const { detail } = await call(REMOVE, 409, { params: { file: running.name } });
  assert.match(detail, /being written/);

  await server.record('view', false);
  const [recording] = await server.ended(1);
  const seconds = (Date.now() - begin) / 1000;
  assertShape(recording, { name: 'string', video: 'string', lines: 'string', node_id: 'string', workflow_id: 'string', workflow_name: 'string',
    label: 'string', layout: 'string', trigger: 'string', start: 'string', seconds: 'number', bytes: 'number', pictures: 'number', events: 'number', width: 'number', height: 'number',
    reason: 'string', recording: 'boolean' });
  assert.match(recording.name, /^view-\d{8}T\d{6}Z$/);
  assert.deepEqual([recording.node_id, recording.workflow_name, recording.width, recording.events, recording.reason], ['view', 'Test', 640, 0, '']);
  assert.deepEqual([recording.layout, recording.trigger], ['xray', 'manual']);
  assert.ok(Math.abs(Date.parse(recording.start) - begin) < 5000, `${recording.start}`);
  assert.ok(recording.seconds > 2 && recording.seconds < seconds + 0.2, `${recording.seconds} of ${seconds}`);
  const { video, lines } = await check(server, recording);
  assert.equal(video.pts.length, recording.pictures);
  const fps = video.pts.length / recording.seconds; // of 30, on a machine that may be busy
  assert.ok(fps > 10 && fps < 33, `${fps} fps`);
  assert.equal(lines.at(-1).type, 'end');
  assert.equal(recording.bytes, statSync(server.path(recording.video)).size + statSync(server.path(recording.lines)).size);

  // Both files in whole and in part, as a player seeks.
  const params = { file: recording.video }, bytes = readFileSync(server.path(recording.video));
  const whole = await call.whole(FILE, 200, { params });
  assert.deepEqual(['content-type', 'accept-ranges', 'cache-control'].map((name) => whole.headers[name]), ['video/mp4', 'bytes', 'no-cache']);
  assert.deepEqual(whole.bytes, bytes);
  const part = await call.whole(FILE, 206, { params, headers: { range: 'bytes=1000-1999' } });
  assert.deepEqual(part.bytes, bytes.subarray(1000, 2000));
  assert.equal(part.headers['content-range'], `bytes 1000-1999/${bytes.length}`);
  await call(FILE, 416, { params, headers: { range: `bytes=${bytes.length}-` } });
  const beside = await call.whole(FILE, 200, { params: { file: recording.lines } });
  assert.equal(beside.headers['content-type'], 'application/x-ndjson');

  for (const file of ['none', 'none.mp4', '..', '../overwatch.db', '..%2foverwatch.db', recording.name, `${recording.name}.jpg`]) {
    await call(FILE, 404, { params: { file } });
  }
  for (const file of ['none', '../../overwatch.db', `${recording.name}-2`]) await call(REMOVE, 404, { params: { file } });
  await call(RECORD, 404, { params: { node_id: 'none' }, body: { recording: true } });
  for (const body of ['{', '{}', '[]', { recording: 1 }, { recording: 'true' }]) await call(RECORD, 400, { params: { node_id: 'view' }, body });
  await call(REMOVE, 200, { params });
  assert.deepEqual(readdirSync(server.path('')), []);
  await call(REMOVE, 404, { params });
});

beside('a recorder keeps what happened around the events of a zone', { timeout: 120000 }, async (t) => {
  const node = (id, type, data = {}) => ({ id, type, position: { x: 0, y: 0 }, data });
  const street = {
    id: 'street', name: 'Street',
    nodes: [node('video', 'videoInput', { videoPath: 'vtest.avi', playbackSpeed: 2 }), node('model', 'model', { modelId: 'nanodet', confidence: 0.4 }),
      node('middle', 'zone', { zoneType: 'rectangle', polygon: [[0.3, 0.3], [0.5, 0.7]] }),
      node('keep', 'recorder', { preSeconds: 2, postSeconds: 1, label: 'The middle' })],
    edges: [['video', 'model'], ['model', 'middle'], ['middle', 'keep']].map(([source, target]) => ({ id: source, source, target })),
  };
  const server = await start(t, 'zone', street);
  assert.equal((await server.view('keep')).is_recorder, true);
  const recordings = await eventually('events were recorded', 60, async () => {
    const ended = (await server.list()).filter(({ recording, seconds }) => !recording && seconds > 2);
    return ended.length >= 2 && ended;
  });
  for (const recording of recordings) {
    const { lines, pictures } = await check(server, recording);
    const events = lines.filter(({ type }) => type === 'zone_event');
    assert.equal(recording.events, events.length);
    assert.ok(events.length >= 1);
    assert.deepEqual([recording.label, recording.trigger], ['The middle', 'events']);
    const [first] = events, last = events.at(-1), end = lines.at(-1);
    assertShape(first, { type: 'string', pts: 'number', time: 'string', workflow_id: 'string', node_id: 'string', event: 'string', track_id: 'number',
      class_name: 'string', inside: 'number' });
    assert.deepEqual([first.node_id, first.class_name], ['middle', 'person']);
    // What came before is there to a picture (when the video has just begun as much as there was), and no more
    // than a group of pictures too much.
    if (recording === recordings[0]) assert.ok(first.pts >= 1.85, `${first.pts} s came before`);
    assert.ok(first.pts < 6, `${first.pts} s came before`);
    assert.ok(end.seconds - last.pts > 0.8 && end.seconds - last.pts < 2.5, `${end.seconds - last.pts} s came after`);
    // The objects of each picture are told as in detection_data.
    const seen = pictures.flatMap(({ detections }) => detections);
    for (const { count, detections, width } of pictures) assert.deepEqual([count, width], [detections.length, 768]);
    const inside = pictures.map(({ zones: [zone] }) => zone.inside);
    assert.deepEqual(lines.filter(({ type }) => type === 'zones').map(({ pts, zones }) => ({ pts, zones })), [{ pts: 0, zones: [
      { node_id: 'middle', name: 'Zone', zone_type: 'rectangle', points: [[0.3, 0.3], [0.5, 0.3], [0.5, 0.7], [0.3, 0.7]] }] }]);
    const { happened_ms: _, ...counted } = pictures[0].zones[0];
    assert.deepEqual(counted, { node_id: 'middle', name: 'Zone', inside: inside[0] });
    assert.deepEqual(lines.filter(({ type }) => type === 'look').map(({ pts, look }) => ({ pts, look })), [{ pts: 0, look: {
      color_scheme: 'default', colors: [], hides: ['tracks'], min_confidence: 0 } }]);
    const soon = pictures.filter(({ pts }) => pts > last.pts + 0.3 && pts < last.pts + 0.7);
    assert.ok(soon.length > 0 && soon.every(({ pts, zones: [{ happened_ms: ago }] }) => ago >= 0 && ago <= (pts - last.pts) * 1000 + 1));
    assert.ok(Math.max(...inside) > 0 && inside.includes(last.inside), 'what the zone counts is told with each picture');
    assert.ok(seen.length > 0 && seen.every(({ class_name: name, bbox }) => name && bbox.length === 4));
  }
});

beside('a killed program leaves recordings that play', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPatterns(2, { width: 320, height: 180 }), ['--data-folder', join(folder, 'killed')]);
  t.after(() => server.child.kill('SIGKILL'));
  const call = client(server);
  for (const view of ['view-1', 'view-2']) await call(RECORD, 200, { params: { node_id: view }, body: { recording: true } });
  await eventually('both are being written', 20, async () => {
    const { recordings } = await call(LIST, 200);
    return recordings.length === 2 && recordings.every(({ seconds }) => seconds > 2.5);
  });
  const killed = Date.now();
  server.child.kill('SIGKILL');
  await server.exited;
  const again = await start(t, 'killed', null);
  const recordings = await again.list();
  assert.deepEqual(recordings.map(({ node_id: id }) => id).sort(), ['view-1', 'view-2']);
  for (const recording of recordings) {
    assert.equal(recording.recording, false);
    const { video, pictures } = await check(again, recording);
    assert.ok(video.pts.length > 20);
    // No more than the last fragment is lost: a second, and what was on its way, late on a busy machine.
    assert.ok(killed - Date.parse(pictures.at(-1).time) < 2500, `${killed - Date.parse(pictures.at(-1).time)} ms are lost`);
    assert.ok(Math.abs(recording.seconds - video.pts.at(-1)) < 0.001);
  }
});

beside('a full disk ends a recording, and nothing else', { timeout: 60000 }, async (t) => {
  // No file may grow beyond this, which a program is told as it is told of a full disk.
  const limited = ['bash', '-c', 'ulimit -f 400; trap "" XFSZ; exec "$0" "$@"'];
  const server = await start(t, 'full', testPattern({ width: 640, height: 360, fps: 30, objects: 8 }), [], limited);
  await server.call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', [200, 404], { params: { id: 'test', node_id: 'view' }, body: { data: { bitratePreset: 'high' } } });
  await server.record('view', true);
  const recording = await eventually('it says so', 30, async () => {
    const { recording: state } = await server.view('view');
    return state.error && state;
  });
  assert.match(recording.error, /cannot be written: File too large/);
  const status = await server.call('GET /api/workflow-builder/{id}/status', 200, { params: { id: 'test' } });
  assert.match(status.nodes.view.reason, /cannot be written/);
  await server.record('view', false);
  const [found] = (await server.ended(1)).slice(-1);
  assert.match(found.reason, /cannot be written/);
  const { video } = await check(server, found);
  assert.ok(video.pts.length > 20);
  // The picture runs on, and the error goes with the wish.
  assert.equal((await fetch(`${server.url}/api/video/view/snapshot`)).status, 200);
  await eventually('the error is gone', 5, async () => (await server.view('view')).recording.state === 'off');
});

beside('the oldest give way when there is no room for all', { timeout: 60000 }, async (t) => {
  const path = (file) => join(folder, 'limit', 'recordings', file);
  mkdirSync(path(''), { recursive: true });
  /** Files of this age, which are there when the server starts. */
  const old = (name, bytes, age, endings = ['mp4', 'jsonl']) => endings.forEach((ending, i) => {
    writeFileSync(path(`${name}.${ending}`), Buffer.alloc(i ? 1000 : bytes));
    utimesSync(path(`${name}.${ending}`), Date.now() / 1000 - age, Date.now() / 1000 - age);
  });
  const [never, first, second] = ['view-20260101T000000Z', 'view-20260102T000000Z', 'other-20260103T000000Z'];
  old(never, 600000, 300);
  old(first, 450000, 200);
  old(second, 450000, 100);
  old('holiday', 2e6, 400, ['mp4']); // not ours
  const server = await start(t, 'limit', testPattern({ width: 640, height: 360, fps: 30, objects: 8 }), ['--max-recordings-mb', '1']);
  const names = async () => (await server.list()).map(({ name }) => name);
  assert.deepEqual(await names(), [second, first], 'what was too much went at the start');
  await server.record('view', true);
  const name = await eventually('it is written', 20, async () => {
    const { recording } = await server.view('view');
    return recording.state === 'recording' && recording.bytes > 100000 && recording.name;
  });
  await eventually('the oldest has gone', 5, async () => !(await names()).includes(first));
  assert.deepEqual(await names(), [name, second]);
  assert.ok(!existsSync(path(`${first}.jsonl`)));
  await server.record('view', false);
  const [recording] = await server.ended(2);
  assert.equal(recording.reason, '');
  await check(server, recording);
  assert.equal(statSync(path('holiday.mp4')).size, 2e6);
  assert.equal((await server.call(LIST, 200)).max_bytes, 1e6);
});

beside('a camera that goes is a card in the recording', { timeout: 90000 }, async (t) => {
  const camera = await rtspCamera();
  t.after(camera.kill);
  const server = await start(t, 'camera', cameraWorkflow(`rtsp://127.0.0.1:${camera.port}/camera`));
  await playing(server);
  await server.record('view', true);
  await eventually('it is recorded', 20, async () => (await server.view('view')).recording.seconds > 1);
  await camera.kill();
  await noSignal(server);
  const before = (await server.view('view')).recording.seconds;
  await eventually('the card is recorded', 20, async () => (await server.view('view')).recording.seconds > before + 2);
  await server.record('view', false);
  const recordings = await server.ended(1);
  assert.equal(recordings.length, 1, 'the card is of the same size: the same file goes on');
  const { video } = await check(server, recordings[0]);
  const gaps = video.pts.slice(1).map((pts, i) => pts - video.pts[i]);
  assert.ok(gaps.every((gap) => gap > 0 && gap < 3), `${Math.max(...gaps)} s`);
  assert.ok(gaps.slice(-3).every((gap) => gap > 0.4), 'cards come twice a second');
});

beside('a slow disk makes nobody wait', { timeout: 90000 }, async (t) => {
  const slow = join(folder, 'slow');
  writeFileSync(slow, '');
  const server = await start(t, 'slow-disk', testPattern({ width: 320, height: 180, fps: 30 }), [], preload(t, 'slow_disk', { DELAY_MS: 700, DELAY_WHILE: slow }));
  await server.record('view', true);
  const written = async () => (await server.view('view')).recording.bytes;
  await eventually('it is recorded', 30, async () => await written() > 0);
  // All this time the view gives its pictures, to the recording and to whoever watches.
  let asked = 0;
  const sizes = new Set();
  await eventually('more is written, slowly', 30, async () => {
    const begin = Date.now();
    assert.equal((await fetch(`${server.url}/api/video/view/snapshot`)).status, 200);
    assert.ok(Date.now() - begin < 680, `${Date.now() - begin} ms for a picture`);
    asked++;
    return sizes.add(await written()).size > 2;
  });
  assert.ok(asked > 8, `${asked} pictures`);
  rmSync(slow);
  await server.record('view', false);
  const [recording] = await server.ended(1, 40);
  const { video, lines } = await check(server, recording);
  assert.equal(lines.at(-1).lost, 0);
  assert.ok(video.pts.every((pts, i) => i === 0 || pts - video.pts[i - 1] < 0.68), 'no picture waited for it');
});

beside('an index is made where there is room for it, and what is left to others is left alone', { timeout: 60000 }, async (t) => {
  const tight = join(folder, 'tight');
  const server = await start(t, 'tight-disk', testPattern({ width: 640, height: 360, fps: 30, objects: 8 }), [], preload(t, 'tight_disk', { TIGHT_KB: 20, TIGHT_WHILE: tight }));
  const record = async (before) => {
    const { length } = await server.list();
    await server.record('view', true);
    await eventually('some of it is written', 30, async () => {
      const { recording } = await server.view('view');
      return recording.state === 'recording' && recording.bytes > 100000;
    });
    await before();
    await server.record('view', false);
    const [recording] = await server.ended(length + 1);
    const { lines } = await check(server, recording);
    assert.equal(lines.at(-1).reason, '');
    return readFileSync(server.path(recording.video)).subarray(0, 2000).includes('sidx');
  };
  assert.equal(await record(() => {}), true);
  assert.equal(await record(() => writeFileSync(tight, '')), false);
});

beside('settings of a recorder follow, and a stopped workflow ends its recording', { timeout: 60000 }, async (t) => {
  const server = await start(t, 'changed', null);
  const workflow = { id: 'w', name: 'Always', nodes: [{ id: 's', type: 'testPattern', data: { width: 320, height: 180 } },
    { id: 'keep', type: 'recorder', data: { trigger: 'manual' } }], edges: [{ id: 'e', source: 's', target: 'keep' }] };
  await server.call('POST /api/workflow-builder', 201, { body: workflow });
  await server.call('POST /api/workflow-builder/{id}/execute', 200, { params: { id: 'w' } });
  assert.equal((await server.view('keep')).recording.state, 'off');
  const set = (data, status = 200) => server.call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', status, { params: { id: 'w', node_id: 'keep' }, body: { data } });
  assert.equal((await set({ trigger: 'events' })).change, 'updated');
  await eventually('it waits for something to happen', 5, async () => (await server.view('keep')).recording.state === 'ready');
  await set({ trigger: 'always' });
  await eventually('it records', 10, async () => (await server.view('keep')).recording.seconds > 1.2);
  await set({ width: 160, layout: 'clean' }); // a picture of another size cannot go on in the same file
  await eventually('another file goes on', 10, async () => (await server.list()).length === 2);
  await eventually('it records', 10, async () => (await server.view('keep')).recording.seconds > 1.2);
  await set({ trigger: 'sometimes' }, 400);
  await set({ preSeconds: -1 }, 400);
  await set({ maxSeconds: 1 }, 400);
  await postJson(`${server.url}/api/workflow-builder/w/stop`, '');
  const recordings = await server.ended(2);
  assert.deepEqual(recordings.map(({ width, layout, trigger }) => [width, layout, trigger]), [[160, 'clean', 'always'], [320, 'xray', 'always']]);
  for (const recording of recordings) await check(server, recording);
});

beside('where nothing is kept, nothing is recorded', { timeout: 30000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const call = client(server);
  const { detail } = await call(RECORD, 409, { params: { node_id: 'view' }, body: { recording: true } });
  assert.match(detail, /--recordings-folder/);
  assert.deepEqual(await call(LIST, 200), { total: 0, recordings: [], max_bytes: 0 });
  await call(FILE, 404, { params: { file: 'view-20260101T000000Z.mp4' } });
  await call(REMOVE, 404, { params: { file: 'view-20260101T000000Z' } });
});

describe('side by side', { concurrency: 4 }, () => {
  for (const one of waiting) test(...one);
});
