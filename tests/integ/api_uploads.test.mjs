// Videos that people send: what is kept is whole and plays, what is refused leaves nothing behind.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { assertShape, client } from './api_client.mjs';
import { eventually, postJson, startServer } from './server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'overwatch-uploads-'));
const street = join(folder, 'street.mp4');
const data = (name) => join(folder, name);
const uploadsOf = (name) => readdirSync(join(data(name), 'uploads'));

before(async () => {
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=20:duration=2',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', street]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function start(t, name, ...extra) {
  const server = await startServer(null, ['--data-folder', data(name), ...extra]);
  t.after(server.stop);
  return server;
}

async function send(server, name, body, headers = {}) {
  const response = await fetch(`${server.url}/api/uploads/video${name === null ? '' : `?name=${encodeURIComponent(name)}`}`,
    { method: 'POST', body, headers, ...(body instanceof ReadableStream ? { duplex: 'half' } : {}) });
  return { status: response.status, body: await response.json() };
}

const list = (server) => client(server)('GET /api/uploads', 200);
const remove = (server, id, status) => client(server)('DELETE /api/uploads/{id}', status, { params: { id } });

test('a video is kept, listed, played, and removed when nobody plays it', { timeout: 60000 }, async (t) => {
  const server = await start(t, 'plays');
  const { status, body } = await send(server, 'street.mp4', readFileSync(street));
  assert.equal(status, 201, body.detail);
  const { id, ...rest } = body;
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.ok(Math.abs(rest.created_at - Date.now() / 1000) < 60);
  delete rest.created_at;
  assert.deepEqual(rest, { filename: 'street.mp4', path: 'uploads/street.mp4', size_bytes: readFileSync(street).length,
    in_use: false, width: 320, height: 180, fps: 20, duration_s: 2, codec: 'h264' });
  assert.deepEqual(readFileSync(join(data('plays'), 'uploads/street.mp4')), readFileSync(street));
  assert.ok((await client(server)('GET /api/workflow-components/videos', 200)).files.some(({ name }) => name === 'uploads/street.mp4'));

  const workflow = { id: 'w', name: 'Uploaded', version: '1.0',
    nodes: [{ id: 'video', type: 'videoInput', position: { x: 0, y: 0 }, data: { videoPath: 'uploads/street.mp4' } },
      { id: 'view', type: 'videoPreview', position: { x: 300, y: 0 }, data: {} }],
    edges: [{ id: 'e', source: 'video', target: 'view' }] };
  const executed = await postJson(`${server.url}/api/workflow-builder/execute`, workflow);
  assert.equal(executed.status, 200, executed.body.detail);
  const picture = await fetch(`${server.url}/api/video/view/snapshot`);
  assert.equal(picture.status, 200);
  const [listed] = (await list(server)).uploads;
  assertShape(listed, { id: 'string', filename: 'string', path: 'string', size_bytes: 'number', created_at: 'number', in_use: 'boolean' });
  assert.equal(listed.in_use, true);
  assert.match((await remove(server, id, 409)).detail, /running workflow/);
  await postJson(`${server.url}/api/workflow-builder/w/stop`, '');
  await remove(server, id, 200);
  assert.deepEqual(uploadsOf('plays'), []);
  await remove(server, id, 404);
  const again = await postJson(`${server.url}/api/workflow-builder/execute`, workflow);
  assert.equal(again.status, 400);
  assert.match(again.body.detail, /no video "uploads\/street.mp4"/);
});

test('a form is taken as well, and names are made safe and unique', { timeout: 60000 }, async (t) => {
  const server = await start(t, 'names');
  const form = new FormData();
  form.append('title', 'not a file');
  form.append('file', new Blob([readFileSync(street)], { type: 'video/mp4' }), 'yard.mp4');
  const formed = await send(server, null, form);
  assert.equal(formed.status, 201, formed.body.detail);
  assert.equal(formed.body.size_bytes, readFileSync(street).length);
  const names = [['yard.mp4', 'yard-2.mp4'], ['yard.mp4', 'yard-3.mp4'], ['../../etc/pass:wd.mp4', 'pass_wd.mp4'],
    ['C:\\videos\\Höf €1.mp4', 'Höf €1.mp4'], ['.hidden.mp4', 'hidden.mp4'], [`${'ä'.repeat(100)}.mp4`, `${'ä'.repeat(57)}.mp4`]];
  for (const [given, kept] of names) {
    const { status, body } = await send(server, given, readFileSync(street));
    assert.equal(status, 201, body.detail);
    assert.equal(body.filename, kept);
  }
  const { uploads, total, max_bytes: maxBytes } = await list(server);
  assert.equal(total, 7);
  assert.equal(uploads.length, 7);
  assert.equal(maxBytes, 2048e6);
  assert.deepEqual((await client(server)('GET /api/config', 200)).uploads, { enabled: true, max_bytes: 2048e6 });
});

test('what is no video, too large or without a name is refused and leaves nothing', { timeout: 60000 }, async (t) => {
  const server = await start(t, 'refused', '--max-upload-mb', '1');
  const large = new Uint8Array(3e6);
  const stream = () => new ReadableStream({
    start(controller) {
      for (let i = 0; i < 30; i++) controller.enqueue(large.subarray(0, 1e5));
      controller.close();
    },
  });
  const emptyForm = new FormData();
  emptyForm.append('title', 'x');
  const cases = [
    ['text.mp4', 'this is not a video', 415, /"text.mp4" cannot be played/],
    ['empty.mp4', '', 415, /cannot be played/],
    ['list.mp4', "ffconcat version 1.0\nfile '/etc/passwd'\n", 415, /no video itself|playlist/],
    ['list.m3u8', '#EXTM3U\n', 415, /does not end like a video/],
    ['tool.exe', 'MZ', 415, /does not end like a video/],
    [null, 'x', 400, /needs a name/],
    ['..', 'x', 400, /needs a name/],
    ['large.mp4', large, 413, /1 MB/],
    ['large.mp4', stream(), 413, /1 MB/],
    [null, emptyForm, 400, /no part with a file/],
  ];
  for (const [name, body, status, detail] of cases) {
    const answer = await send(server, name, body);
    assert.equal(answer.status, status, `${name}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.detail, detail);
    assert.doesNotMatch(answer.body.detail, /overwatch-uploads|\.part/); // no path of the server
  }
  await client(server)('POST /api/uploads/video', 415, { query: '?name=text.mp4', body: 'no video', type: 'video/mp4' });
  const forms = [['multipart/form-data', 'x', /boundary/], ['multipart/form-data; boundary=b', '--b oops\r\n', /well formed/],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\ncut', /ends before/]];
  for (const [type, body, detail] of forms) {
    const answer = await send(server, null, body, { 'content-type': type });
    assert.equal(answer.status, 400);
    assert.match(answer.body.detail, detail);
  }
  assert.deepEqual(uploadsOf('refused'), []);
  assert.equal((await list(server)).total, 0);
});

// Sends the first half of the video and waits until some of it is on the disk.
async function half(server, name) {
  const bytes = Buffer.concat([readFileSync(street), Buffer.alloc(2e6)]);
  const { hostname, port } = new URL(server.url);
  const sent = request({ hostname, port, method: 'POST', path: '/api/uploads/video?name=half.mp4', headers: { 'content-length': bytes.length } });
  sent.on('error', () => {});
  sent.write(bytes.subarray(0, 1e6));
  await eventually('half of it is there', 10, () => uploadsOf(name).some((file) => file.startsWith('.part-')));
  return sent;
}

test('what is broken off leaves nothing, even when the server is killed', { timeout: 60000 }, async (t) => {
  const server = await startServer(null, ['--data-folder', data('broken')]);
  const sent = await half(server, 'broken');
  sent.destroy();
  await eventually('it is gone', 10, () => uploadsOf('broken').length === 0);
  assert.equal((await send(server, 'kept.mp4', readFileSync(street))).status, 201);
  await half(server, 'broken');
  server.child.kill('SIGKILL');
  await server.exited;
  assert.equal(uploadsOf('broken').length, 2);
  const next = await startServer(null, ['--data-folder', data('broken')]);
  assert.deepEqual(uploadsOf('broken'), ['kept.mp4']);
  assert.deepEqual((await list(next)).uploads.map(({ filename }) => filename), ['kept.mp4']);
  // A file that somebody has deleted is no longer listed after a start.
  rmSync(join(data('broken'), 'uploads/kept.mp4'));
  await next.stop();
  const last = await start(t, 'broken');
  assert.equal((await list(last)).total, 0);
});

test('a full disk is said, and a server without a folder takes nothing', { timeout: 60000 }, async (t) => {
  const none = await startServer(null);
  t.after(none.stop);
  const { status, body } = await send(none, 'street.mp4', readFileSync(street));
  assert.equal(status, 409);
  assert.match(body.detail, /--data-folder/);
  const config = await client(none)('GET /api/config', 200);
  assertShape(config, { version: 'string', auth: 'object', uploads: 'object', limits: 'object', webrtc: 'object' });
  assert.deepEqual(config.auth, { required: false });
  assert.deepEqual(config.uploads, { enabled: false, max_bytes: 0 });

  const small = data('small');
  execFileSync('mkdir', [small]);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=257m', 'tmpfs', small]);
  } catch {
    return t.skip('no file system can be mounted here');
  }
  t.after(() => execFileSync('umount', ['-l', small]));
  const server = await startServer(null, ['--data-folder', small]);
  const answer = await send(server, 'large.mp4', Buffer.alloc(4e6));
  await server.stop();
  assert.equal(answer.status, 507);
  assert.match(answer.body.detail, /room for \d+ MB/);
});

test('nothing is taken from who has not logged in', { timeout: 60000 }, async (t) => {
  writeFileSync(join(folder, 'password'), 'a long enough password\n');
  const server = await start(t, 'closed', '--password-file', join(folder, 'password'));
  assert.equal((await send(server, 'street.mp4', readFileSync(street))).status, 401);
  assert.deepEqual(uploadsOf('closed'), []);
  assert.equal((await fetch(`${server.url}/api/config`)).status, 401);
});
