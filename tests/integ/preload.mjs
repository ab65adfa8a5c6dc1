// Libraries in C that change what a program sees of its system, loaded in front of a server.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { root } from './server.mjs';

/** Builds tests/integ/NAME.c; gives the words to put before a command. `environment`: what it reads. */
export function preload(t, name, environment) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-preload-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, `${name}.so`);
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, join(root, `tests/integ/${name}.c`), '-ldl', '-pthread']);
  return ['env', `LD_PRELOAD=${library}`, ...Object.entries(environment).map(([key, value]) => `${key}=${value}`)];
}
