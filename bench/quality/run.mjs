#!/usr/bin/env node
// Bytes and quality of what the views send, on real footage: H.264 at each preset and JPEG of quality
// 50, against the original; then what a focus on objects gives and takes. See docs/measuring.md.
//
//   node bench/quality/run.mjs
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { prepareFootage, root } from '../footage.mjs';
import { ssimByPlace } from './ssim.mjs';

const FRAMES = 300, FPS = 29, WIDTH = 960, HEIGHT = 540;
const SEEN_WIDTH = 768, SEEN_HEIGHT = 576, SURE = 400; // of tests/data/vtest, as bench/quality/encode.c has them
const detections = join(root, 'tests/data/vtest');
const rows = [
  ['H.264 low', 'h264', 200000],
  ['H.264 balanced', 'h264', 500000],
  ['H.264 1 Mbit/s', 'h264', 1000000],
  ['H.264 high', 'h264', 2000000],
  ['JPEG quality 50', 'jpeg', 50],
];
const rates = [200000, 500000, 1000000, 2000000], focuses = [0, 3, 6];

const original = prepareFootage(WIDTH, HEIGHT, FRAMES);
const folder = mkdtempSync(join(tmpdir(), 'overwatch-quality-'));

/** Encodes the footage; what it says of that, and the file. */
function encode(format, amount, focus) {
  const file = join(folder, `out.${format}`);
  const text = execFileSync(process.env.OVERWATCH_ENCODE ?? join(root, 'build/bench/encode'),
    [original, format, String(amount), String(FPS), file, ...(focus ? [String(focus), detections] : [])],
    { stdio: ['ignore', 'pipe', 'ignore'] });
  return { file, ...JSON.parse(text) };
}

function ssim(file, format) {
  const { stderr } = spawnSync('ffmpeg', ['-hide_banner', '-r', String(FPS), '-f', format, '-i', file, '-r', String(FPS), '-i', original,
    '-lavfi', '[0:v]setpts=N,scale=out_range=tv,format=yuv420p[a];[1:v]setpts=N[b];[a][b]ssim', '-f', 'null', '-'],
  { encoding: 'utf8' });
  const match = stderr.match(/SSIM Y:([\d.]+).* All:([\d.]+)/);
  if (!match) throw new Error(stderr.slice(-800));
  return { y: Number(match[1]), all: Number(match[2]) };
}

function luma(file, ...format) {
  return execFileSync('ffmpeg', ['-v', 'error', ...format, '-i', file, '-vf', 'extractplanes=y', '-fps_mode', 'passthrough',
    '-f', 'rawvideo', '-'], { maxBuffer: 2 * FRAMES * WIDTH * HEIGHT });
}

function readBoxes() {
  const boxes = Array.from({ length: FRAMES }, () => []);
  for (const line of readFileSync(join(detections, 'detections.csv'), 'utf8').trim().split('\n').slice(1)) {
    const [frame, , score, x, y, width, height] = line.split(',').map(Number);
    const across = WIDTH / SEEN_WIDTH, down = HEIGHT / SEEN_HEIGHT;
    if (score >= SURE) boxes[frame].push([x * across, y * down, (x + width) * across, (y + height) * down]);
  }
  return boxes;
}

function print(name, cells) {
  console.log(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(10)).join('')}`);
}

function printFormats() {
  print('', ['kB/frame', 'kB/s', 'SSIM Y', 'SSIM']);
  for (const [name, format, amount] of rows) {
    const { file, bytes } = encode(format, amount);
    const { y, all } = ssim(file, format === 'jpeg' ? 'mjpeg' : format);
    print(name, [(bytes / FRAMES / 1000).toFixed(2), ((bytes / FRAMES / 1000) * FPS).toFixed(0), y.toFixed(4), all.toFixed(4)]);
  }
}

function printFocuses() {
  const boxes = readBoxes(), source = luma(original);
  print('\nSSIM Y with a focus of', ['inside', 'outside', 'whole', 'kbit/s', 'p95 B', 'CPU ms']);
  for (const rate of rates)
    for (const focus of focuses) {
      const { file, bytes, p95, us } = encode('h264', rate, focus);
      const { inside, outside, whole } = ssimByPlace(source, luma(file, '-r', String(FPS), '-f', 'h264'), WIDTH, HEIGHT, boxes);
      print(`${rate / 1000} kbit/s, ${focus} QP`, [inside.toFixed(4), outside.toFixed(4), whole.toFixed(4),
        ((bytes * 8 * FPS) / FRAMES / 1000).toFixed(0), String(p95), (us / 1000).toFixed(2)]);
    }
}

try {
  console.log(`${FRAMES} frames of the sample footage, ${WIDTH}x${HEIGHT}, ${FPS} fps`);
  printFormats();
  printFocuses();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
