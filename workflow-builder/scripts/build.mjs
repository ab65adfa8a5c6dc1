/* Builds everything into dist/: the pages, the stand-alone player, the clock code reader, and a
 * .gz file beside each asset worth compressing. Prints the size of the builder's script, which has
 * a limit. The old dist/ is replaced only when all is done, so that a running server never misses
 * its files for long. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const made = join(root, 'node_modules', `.dist-${process.pid}`);
const compress = promisify(gzip);
const MOST_SCRIPT_BYTES = 300_000;

function buildLibrary(entry, fileName, format) {
  return build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      target: 'es2022',
      outDir: made,
      emptyOutDir: false,
      reportCompressedSize: false,
      lib: { entry: join(root, entry), formats: [format], name: 'overwatchView', fileName: () => fileName },
    },
  });
}

async function compressFolder(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await compressFolder(path);
    } else if (/\.(html|js|css|svg|json)$/.test(entry.name)) {
      const plain = await readFile(path);
      const packed = await compress(plain, { level: 9 });
      if (packed.length < plain.length * 0.95) await writeFile(`${path}.gz`, packed);
    }
  }
}

/* What the browser loads before a page stands: its scripts and what they import, compressed. */
async function scriptBytes(page) {
  const html = await readFile(join(made, page), 'utf8');
  const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, name]) => name);
  const sizes = await Promise.all(scripts.map(async (name) => (await compress(await readFile(join(made, name)), { level: 9 })).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

try {
  await mkdir(made, { recursive: true });
  await build({ root, logLevel: 'warn', build: { outDir: made, emptyOutDir: true } });
  await buildLibrary('src/player/standalone.ts', 'overwatch-view.js', 'iife');
  await buildLibrary('src/player/clock-code.ts', 'clock-code.js', 'es');
  await compressFolder(made);
  const bytes = await scriptBytes('index.html');
  console.log(`The builder's script: ${(bytes / 1000).toFixed(0)} kB compressed`);
  if (bytes > MOST_SCRIPT_BYTES) throw new Error(`more than ${MOST_SCRIPT_BYTES / 1000} kB`);
  await rm(dist, { recursive: true, force: true });
  await rename(made, dist);
} finally {
  await rm(made, { recursive: true, force: true });
}
