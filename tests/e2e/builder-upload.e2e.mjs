// Videos and models that are sent to the server from the builder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { OnnxGraph } from '../../tools/tfjs2onnx/onnx.mjs';
import { eventually } from '../integ/server.mjs';
import { drag, node, open, running } from './builder.mjs';

// A server with a data folder, and a short video that it has not.
async function uploading(t, options = []) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-upload-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const at = await open(t, ['--data-folder', join(folder, 'data'), ...options]);
  const video = join(folder, 'yard gate.mp4');
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=10', '-t', '3', '-pix_fmt', 'yuv420p', video]);
  return { ...at, folder, video };
}

const uploads = async (server) => (await (await fetch(`${server.url}/api/uploads`)).json()).uploads;

test('a video is sent, and its source plays it', { timeout: 90000 }, async (t) => {
  const { page, server, video } = await uploading(t);
  await drag(page, 'videoInput', 120, 120);
  await page.setInputFiles('[data-testid=upload-file]', video);
  await eventually('it is there', 20, async () => (await uploads(server)).length === 1);
  const [{ path, filename }] = await uploads(server);
  assert.equal(filename, 'yard gate.mp4');
  await eventually('the source has it', 10, async () => (await page.locator('[data-testid=pick-videoPath]').inputValue()) === path);
  assert.equal(await page.locator('[data-testid=upload-progress]').count(), 0);
  await page.click('[data-testid=execute]');
  await running(page);
  await eventually('it plays', 20, async () => /320×240 · \d+/.test(await node(page, 'videoInput').textContent()));

  // It is in use: not to be deleted.
  page.on('dialog', (dialog) => void dialog.accept());
  await page.click('[data-testid=videos]');
  await page.click('[data-testid=upload-delete]');
  await page.waitForSelector('[data-testid=toast]');
  assert.equal((await uploads(server)).length, 1);
  await page.keyboard.press('Escape');
  await page.click('[data-testid=stop]');
  await page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.dataset.state === 'disconnected');
  await page.click('[data-testid=videos]');
  await page.click('[data-testid=upload-delete]');
  await eventually('it is gone', 10, async () => (await uploads(server)).length === 0);
});

async function drop(page, name, bytes) {
  const files = await page.evaluateHandle(([called, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], called));
    return transfer;
  }, [name, bytes.toString('base64')]);
  await page.locator('.react-flow__pane').dispatchEvent('drop', { dataTransfer: files, clientX: 500, clientY: 300 });
}

test('a file dropped on the canvas becomes a source', { timeout: 90000 }, async (t) => {
  const { page, server, video } = await uploading(t);
  await drop(page, 'dropped.mp4', readFileSync(video));
  await eventually('it is there', 20, async () => (await uploads(server)).length === 1);
  const [{ path }] = await uploads(server);
  await node(page, 'videoInput').locator('header').click();
  await eventually('the source has it', 10, async () => (await page.locator('[data-testid=pick-videoPath]').inputValue()) === path);
});

// A classifier of three classes, sure of the second.
function tinyModel() {
  const graph = new OnnxGraph('tiny');
  graph.input('images', [1, 3, 64, 64]);
  graph.node('Identity', [graph.floats('values', [1, 3], [0.1, 0.8, 0.1])], {}, ['output0']);
  graph.output('output0', [1, 3]);
  graph.metadata = { task: 'classify', names: "['red', 'green', 'blue']" };
  return Buffer.from(graph.serialize());
}

test('a model dropped on the canvas becomes a model node', { timeout: 90000 }, async (t) => {
  const { page, server } = await uploading(t);
  await drop(page, 'colours.onnx', tinyModel());
  await eventually('it is there', 20, async () => (await uploads(server)).length === 1);
  await node(page, 'model').locator('header').click();
  const pick = page.locator('[data-testid=inspector] [data-testid=pick-modelId]');
  await eventually('the node has it', 10, async () => (await pick.inputValue()) === 'uploads/colours');
  const entry = page.locator('[data-testid="entry-model uploads/colours"]');
  assert.match(await entry.getAttribute('title'), /^classify · 64×64 · [\d.]+ ms/);
  assert.equal(await page.locator('[data-testid^="entry-video uploads"]').count(), 0, 'it is no video');
});

test('an upload is seen on its way and can be cancelled', { timeout: 90000 }, async (t) => {
  const { page, server, folder } = await uploading(t);
  const large = join(folder, 'large.mp4');
  writeFileSync(large, Buffer.alloc(48 << 20, 1));
  const slow = await page.context().newCDPSession(page);
  await slow.send('Network.enable');
  await slow.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 2e6 });
  await drag(page, 'videoInput', 120, 120);
  await page.setInputFiles('[data-testid=upload-file]', large);
  const progress = page.locator('[data-testid=inspector] [data-testid=upload-progress]');
  await eventually('it is on its way', 20, async () => (await progress.locator('progress').evaluate((bar) => bar.value)) > 1e5);
  assert.match(await progress.textContent(), /MB of 50 MB/);
  await progress.locator('[data-testid=upload-cancel]').click();
  assert.equal(await page.locator('[data-testid=upload-progress]').count(), 0);
  assert.deepEqual(await uploads(server), []);
});

test('what is no video is refused with the reason', { timeout: 90000 }, async (t) => {
  const { page, server, folder } = await uploading(t);
  writeFileSync(join(folder, 'notes.mp4'), 'no video at all '.repeat(5000));
  await drag(page, 'videoInput', 120, 120);
  await page.setInputFiles('[data-testid=upload-file]', join(folder, 'notes.mp4'));
  const failed = page.locator('[data-testid=inspector] [data-testid=upload-progress][data-state=failed]');
  await failed.waitFor();
  assert.match(await failed.textContent(), /^notes\.mp4: .{15,}\.$/);
  assert.deepEqual(await uploads(server), []);
});

test('what is too large is refused with the reason', { timeout: 90000 }, async (t) => {
  const { page, server, folder } = await uploading(t, ['--max-upload-mb', '2']);
  writeFileSync(join(folder, 'long.mp4'), Buffer.alloc(5 << 20, 1));
  await page.click('[data-testid=videos]');
  await page.setInputFiles('[data-testid=videos-file]', join(folder, 'long.mp4'));
  const failed = page.locator('[data-testid=videos-dialog] [data-testid=upload-progress][data-state=failed]');
  await failed.waitFor();
  assert.match(await failed.textContent(), /^long\.mp4: .*(large|2 MB)/);
  assert.deepEqual(await uploads(server), []);
});
