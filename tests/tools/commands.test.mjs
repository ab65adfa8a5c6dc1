// ./test must count right, and restart-all.sh must stop and start what runs.
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { certificate } from '../integ/certificate.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'overwatch-commands-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

// Runs a script with the functions of ./test at hand, its logs in a folder of the test's.
function withFunctions(t, script, ...files) {
  const logs = folder(t);
  const text = `. "$1/test"; logs=$2; shift 2; ${script}`;
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // else the inner node --test talks to this runner
  const { stdout, stderr, status } = spawnSync('bash', ['-c', text, 'bash', root, logs, ...files], { encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  return stdout;
}

const total = 'echo "total $passed $failed $skipped ${#failures[@]}"';

test('./test sums the counts of its parts', (t) => {
  const out = withFunctions(t, `count one 3 0; count two 2 1 4; count three 0 2; ${total}`);
  assert.match(out, /^one +3 passed \(\d+ s\)$/m);
  assert.match(out, /^two +2 passed, 1 FAILED, 4 skipped \(\d+ s\)$/m);
  assert.match(out, /^total 5 3 4 2$/m);
});

test('./test counts a check by its exit code and its skips by its words', (t) => {
  const out = withFunctions(t, `check good 9 echo fine; check left 9 echo "skipped: not here"; check bad 9 false; ${total}`);
  assert.match(out, /^total 2 1 1 1$/m);
});

test('./test ends a check that takes too long and counts it as failed', (t) => {
  assert.match(withFunctions(t, `check slow 1 tail -f /dev/null; ${total}`), /^total 0 1 0 1$/m);
});

test('./test counts the cases of node files, a crash as one failure', (t) => {
  const at = folder(t);
  const file = (name, body) => {
    const path = join(at, `${name}.test.mjs`);
    writeFileSync(path, `import { test } from 'node:test';\n${body}\n`);
    return path;
  };
  const out = withFunctions(t, `node_tests unit 60 "$@"; ${total}`,
    file('mixed', "test('a', () => {}); test('b', () => {}); test('c', () => { throw new Error('no'); }); test('d', { skip: true }, () => {});"),
    file('crash', 'process.exit(3);'));
  assert.match(out, /^total 2 2 1 1$/m);
});

test('./test runs three files side by side, and alone one that says so', (t) => {
  const at = folder(t), told = join(at, 'told');
  const file = (name, line) => {
    const path = join(at, `${name}.test.mjs`);
    writeFileSync(path, `${line}\nimport { appendFileSync } from 'node:fs';\nimport { test } from 'node:test';\n`
      + `test('a', async () => { appendFileSync('${told}', '+${name} '); await new Promise((done) => setTimeout(done, 1500)); appendFileSync('${told}', '-${name} '); });\n`);
    return path;
  };
  const out = withFunctions(t, `node_tests unit 60 "$@"; ${total}`, file('alone', '// Runs alone: it measures.'), file('one', ''), file('two', ''), file('three', ''), file('four', ''));
  assert.match(out, /^total 5 0 0 0$/m);
  const steps = readFileSync(told, 'utf8').trim().split(' ');
  let running = 0;
  const most = Math.max(...steps.map((step) => (running += step[0] === '+' ? 1 : -1)));
  assert.equal(most, 3, `${steps}`);
  assert.deepEqual(steps.slice(-2), ['+alone', '-alone']);
});

test('./test refuses a part that it does not have', () => {
  const { status, stderr } = spawnSync(join(root, 'test'), ['nonsense'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /no part "nonsense"/);
});

async function freePort(server, bind) {
  bind(server);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// A zombie has ended.
function isThere(pid) {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('restart-all.sh starts an instance, and stops it before it starts the next', async (t) => {
  const pidFile = join(folder(t), 'overwatch.pid');
  const port = await freePort(createServer(), (server) => server.listen(0, '127.0.0.1'));
  const mediaPort = await freePort(createSocket('udp4'), (socket) => socket.bind(0));
  let pid;
  t.after(() => pid && isThere(pid) && process.kill(pid, 'SIGTERM'));
  const restart = async () => {
    const args = ['--port', port, '--media-port', mediaPort, '--pid-file', pidFile].map(String);
    const { stdout } = await promisify(execFile)(join(root, 'restart-all.sh'), args, { timeout: 120000 });
    assert.equal(stdout, `http://127.0.0.1:${port}/\n`);
    assert.equal((await fetch(`${stdout.trim()}healthz`)).status, 200);
    return Number(readFileSync(pidFile, 'utf8'));
  };
  pid = await restart();
  const first = pid;
  pid = await restart();
  assert.notEqual(pid, first);
  assert.ok(!isThere(first), 'the first instance has ended');
  assert.ok(isThere(pid));
});

test('restart-all.sh takes a process for ended that nobody asks for', async (t) => {
  const at = folder(t), pidFile = join(at, 'overwatch.pid'), program = join(at, 'overwatch');
  copyFileSync('/bin/sleep', program);
  // The shell becomes a program that waits for no child: this one stays as a zombie.
  const parent = spawn('bash', ['-c', `"${program}" 1000 & echo $! >"${pidFile}"; echo; exec sleep 1000`]);
  t.after(() => parent.kill());
  await once(parent.stdout, 'data');
  const first = readFileSync(pidFile, 'utf8').trim();
  const port = await freePort(createServer(), (server) => server.listen(0, '127.0.0.1'));
  const args = ['--port', port, '--media-port', 0, '--pid-file', pidFile, '--data-folder', 'none'].map(String);
  const { stderr } = await promisify(execFile)(join(root, 'restart-all.sh'), args, { timeout: 120000 });
  const pid = Number(readFileSync(pidFile, 'utf8'));
  t.after(() => process.kill(pid, 'SIGTERM'));
  assert.match(stderr, new RegExp(`Stopping Overwatch \\(process ${first}\\)`));
  assert.doesNotMatch(stderr, /by force/);
  assert.match(readFileSync(`/proc/${first}/status`, 'utf8'), /^State:\s*Z/m);
});

test('restart-all.sh finds the server of a configuration file, behind TLS and a password', async (t) => {
  const at = folder(t), pidFile = join(at, 'overwatch.pid'), config = join(at, 'overwatch.conf');
  const port = await freePort(createServer(), (server) => server.listen(0, '127.0.0.2'));
  const { cert, key } = certificate(t);
  writeFileSync(config, `# of a test\nport = ${port}\n bind=127.0.0.2\nmedia-port = 0\ntls-cert = "${cert}"\ntls-key = ${key}\npassword = quite a secret\ndata-folder = none\nlog-file = none\n`, { mode: 0o600 });
  const { stdout } = await promisify(execFile)(join(root, 'restart-all.sh'), ['--config', config, '--pid-file', pidFile], { timeout: 120000 });
  const pid = Number(readFileSync(pidFile, 'utf8'));
  t.after(() => process.kill(pid, 'SIGTERM'));
  assert.equal(stdout, `https://127.0.0.2:${port}/\n`);
  const { stdout: answer } = await promisify(execFile)('curl', ['-s', '--cacert', cert, `${stdout.trim()}healthz`]);
  assert.deepEqual(JSON.parse(answer), { status: 'ok' });
});
