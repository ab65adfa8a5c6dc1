// The sample footage as raw frames, made once.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export function prepareFootage(width, height, frames) {
  const file = join(root, `.cache/bench/vtest-${width}x${height}-${frames}.y4m`);
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  execFileSync('ffmpeg', [
    '-v', 'error', '-y', '-i', join(root, '.cache/media/vtest.avi'), '-frames:v', String(frames),
    '-vf', `scale=${width}:${height}`, '-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe', `${file}.part`,
  ]);
  renameSync(`${file}.part`, file);
  return file;
}
