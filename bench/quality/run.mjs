#!/usr/bin/env node
// Bytes and quality of what the views send, on real footage: H.264 at each preset and JPEG of quality
// 50, against the original. See docs/measuring.md.
//
//   node bench/quality/run.mjs
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { prepareFootage, root } from '../footage.mjs';

const FRAMES = 300, FPS = 29;
const rows = [
  ['H.264 low', 'h264', 200000],
  ['H.264 balanced', 'h264', 500000],
  ['H.264 1 Mbit/s', 'h264', 1000000],
  ['H.264 high', 'h264', 2000000],
  ['JPEG quality 50', 'jpeg', 50],
];

function ssim(file, format, original) {
  const { stderr } = spawnSync('ffmpeg', ['-hide_banner', '-r', String(FPS), '-f', format, '-i', file, '-r', String(FPS), '-i', original,
    '-lavfi', '[0:v]setpts=N,scale=out_range=tv,format=yuv420p[a];[1:v]setpts=N[b];[a][b]ssim', '-f', 'null', '-'],
  { encoding: 'utf8' });
  const match = stderr.match(/SSIM Y:([\d.]+).* All:([\d.]+)/);
  if (!match) throw new Error(stderr.slice(-800));
  return { y: Number(match[1]), all: Number(match[2]) };
}

const original = prepareFootage(960, 540, FRAMES);
const folder = mkdtempSync(join(tmpdir(), 'overwatch-quality-'));
try {
  console.log(`${FRAMES} frames of the sample footage, 960x540, ${FPS} fps`);
  console.log(`${''.padEnd(18)}${['kB/frame', 'kB/s', 'SSIM Y', 'SSIM'].map((title) => title.padStart(10)).join('')}`);
  for (const [name, format, amount] of rows) {
    const file = join(folder, `out.${format === 'h264' ? 'h264' : 'mjpeg'}`);
    execFileSync(process.env.OVERWATCH_ENCODE ?? join(root, 'build/bench/encode'), [original, format, String(amount), String(FPS), file],
      { stdio: ['ignore', 'ignore', 'ignore'] });
    const bytes = statSync(file).size;
    const { y, all } = ssim(file, format === 'h264' ? 'h264' : 'mjpeg', original);
    const cells = [(bytes / FRAMES / 1000).toFixed(2), ((bytes / FRAMES / 1000) * FPS).toFixed(0), y.toFixed(4), all.toFixed(4)];
    console.log(`${name.padEnd(18)}${cells.map((cell) => cell.padStart(10)).join('')}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
