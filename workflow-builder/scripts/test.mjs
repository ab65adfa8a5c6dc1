/* Bundles each tests/*.test.ts with esbuild and runs them all with Node's own test runner. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tests = (await readdir(join(root, 'tests'))).filter((name) => name.endsWith('.test.ts'));
if (tests.length === 0) throw new Error('no tests found in workflow-builder/tests');

const out = await mkdtemp(join(tmpdir(), 'overwatch-web-tests-'));
try {
  await build({
    entryPoints: tests.map((name) => join(root, 'tests', name)),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const files = tests.map((name) => join(out, name.replace(/\.ts$/, '.mjs')));
  const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=dot', ...files], { stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
