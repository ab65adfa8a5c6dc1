// What is too much is refused with a status and a sentence, and others are served on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { certificate } from './certificate.mjs';
import { Internet, whyNoInternet } from './internet.mjs';
import { eventually, postJson, startServer, testPattern } from './server.mjs';

const run = promisify(execFile);
const metric = async (server, name) => Number((await (await fetch(`${server.url}/metrics`)).text()).match(new RegExp(`^${name} (.*)$`, 'm'))[1]);

test('connections beyond the limit get a 503, and places come free again', { timeout: 60000 }, async (t) => {
  const server = await startServer(null, ['--max-connections', '12']);
  t.after(server.stop);
  const { port } = new URL(server.url);
  const idle = [];
  for (let i = 0; i < 12; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    idle.push(socket);
  }
  const ask = async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const part of socket) answer += part;
    return answer;
  };
  assert.match(await ask(), /^HTTP\/1.1 503 [\s\S]*Connection: close[\s\S]*too many connections/);
  // Hundreds more are not even that: nothing piles up.
  const more = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(more.map((socket) => once(socket, 'connect').catch(() => {})));
  for (const socket of [...more, ...idle]) socket.destroy();
  assert.match(await eventually('there is room again', 20, async () => {
    const answer = await ask().catch(() => '');
    return /^HTTP\/1.1 200/.test(answer) && answer;
  }), /"ok"/);
  assert.ok(await metric(server, 'overwatch_http_refused_connections_total') >= 1);
});

test('workflows beyond the limit get a 429, those that run may change', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern(), ['--max-workflows', '2']);
  t.after(server.stop);
  const another = (id) => ({ ...testPattern(), id, nodes: testPattern().nodes.filter(({ type }) => type === 'testPattern'), edges: [] });
  assert.equal((await postJson(`${server.url}/api/workflow-builder/execute`, another('second'))).status, 200);
  const { status, body } = await postJson(`${server.url}/api/workflow-builder/execute`, another('third'));
  assert.equal(status, 429);
  assert.match(body.detail, /2 workflows are running.*--max-workflows/);
  assert.equal((await postJson(`${server.url}/api/workflow-builder/second/stop`, '')).status, 200);
  assert.equal((await postJson(`${server.url}/api/workflow-builder/execute`, another('third'))).status, 200);
});

// Opens n connections from a place, asks on one more, prints the status line.
const CROWD = `
const { connect } = require(process.argv[1] === 'tls' ? 'tls' : 'net');
const [, , , host, port, count] = process.argv;
const open = () => new Promise((resolve) => {
  const socket = connect({ host, port, rejectUnauthorized: false }, () => resolve(socket));
  socket.on('error', () => resolve(socket));
});
(async () => {
  const idle = [];
  for (let i = 0; i < count; i++) idle.push(await open());
  const last = await open();
  last.write('GET /healthz HTTP/1.1\\r\\nHost: ' + host + '\\r\\nConnection: close\\r\\n\\r\\n');
  let answer = '';
  for await (const part of last) answer += part;
  console.log(answer.split('\\r\\n')[0]);
  process.exit(0);
})();`;

for (const secure of [false, true]) {
  test(`one address cannot take all places (${secure ? 'TLS' : 'plain'})`, { skip: whyNoInternet(), timeout: 60000 }, async (t) => {
    const internet = new Internet(t);
    const address = internet.addPublic('server', 20);
    internet.addPublic('greedy', 10);
    internet.addPublic('other', 11);
    const files = secure ? certificate(t) : null;
    const server = await startServer(null, ['--bind', address, '--token', 'a-token-that-is-long-enough',
      '--data-folder', join(internet.folder, 'data'), '--max-connections-per-address', '10',
      ...(secure ? ['--tls-cert', files.cert, '--tls-key', files.key] : [])], 'ignore', internet.prefix('server'));
    internet.endsWith(server.stop);
    const crowd = async (place, count) => {
      const [command, ...words] = internet.prefix(place);
      return (await run(command, [...words, process.execPath, '-e', CROWD, secure ? 'tls' : 'net', 'x', address, new URL(server.url).port, String(count)])).stdout.trim();
    };
    assert.equal(await crowd('greedy', 9), 'HTTP/1.1 200 OK');
    const both = [crowd('greedy', 10), crowd('other', 5)];
    assert.equal(await both[0], 'HTTP/1.1 429 Too Many Requests');
    assert.equal(await both[1], 'HTTP/1.1 200 OK');
  });
}
