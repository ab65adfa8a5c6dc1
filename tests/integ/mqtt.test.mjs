// What goes to an MQTT broker, here Debian's mosquitto; read by its own client.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { certificate } from './certificate.mjs';
import { eventually, startServer } from './server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'overwatch-mqtt-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const node = (id, type, data = {}) => ({ id, type, position: { x: 0, y: 0 }, data });
const edge = (source, target) => ({ id: `${source}-${target}`, source, target });
const street = (sink = {}, model = {}) => ({
  id: 'street', name: 'Street',
  nodes: [node('video', 'videoInput', { videoPath: 'vtest.avi' }), node('model', 'model', { modelId: 'nanodet', confidence: 0.4, ...model }),
    node('lawn', 'zone', { zoneType: 'rectangle', polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]] }), node('out', 'mqtt', sink)],
  edges: [edge('video', 'model'), edge('model', 'lawn'), edge('model', 'out')],
});

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); });
});

let brokers = 0;
async function startBroker(t, port, lines = ['allow_anonymous true']) {
  const file = join(folder, `broker-${brokers++}.conf`);
  writeFileSync(file, [`listener ${port} 127.0.0.1`, 'persistence false', 'user root', ...lines, ''].join('\n'));
  const child = spawn('/usr/sbin/mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  const stop = () => new Promise((resolve) => { child.exitCode !== null ? resolve() : child.once('close', resolve); child.kill(); });
  t.after(stop);
  await eventually(`the broker runs: ${log}`, 10, () => /running/.test(log));
  return { stop };
}

// All that is published, as [topic, payload] from now on.
function subscribe(t, port, options = []) {
  const child = spawn('mosquitto_sub', ['-h', '127.0.0.1', '-p', String(port), '-t', '#', '-F', '%t %r %p', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const all = [];
  let rest = '';
  child.stdout.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const [, topic, retained, payload] = line.match(/^(\S+) (\d) (.*)$/);
      all.push({ topic, retained: retained === '1', payload: payload.startsWith('{') ? JSON.parse(payload) : payload });
    }
  });
  const next = (topic, fits = () => true, seconds = 20) => eventually(topic, seconds, () => all.find((one) => one.topic === topic && fits(one)));
  return { all, next };
}

async function start(t, workflow, ...options) {
  const server = await startServer(workflow, options);
  let stopped = false;
  const stop = async () => { if (!stopped) { stopped = true; await server.stop(); } };
  t.after(stop);
  return { ...server, stop };
}

const metric = async (server, name) => Number((await (await fetch(`${server.url}/metrics`)).text()).match(new RegExp(`^${name} (.*)$`, 'm'))?.[1]);

test('results, events of zones and the state of the program are published', { timeout: 90000 }, async (t) => {
  const port = await freePort();
  await startBroker(t, port);
  const { all, next } = subscribe(t, port);
  const workflow = street();
  workflow.nodes.push(node('grass', 'mqtt'));
  workflow.edges.push(edge('lawn', 'grass'));
  const server = await start(t, workflow, '--mqtt', `mqtt://127.0.0.1:${port}`);
  await next('overwatch/status', ({ payload }) => payload === 'online');
  // Nobody watches: the node makes the model work.
  const { payload, retained } = await next('overwatch/street/out/detections', (one) => one.payload.count > 3);
  assert.equal(retained, false);
  assert.deepEqual([payload.type, payload.workflow_id, payload.node_id, payload.width], ['detection_data', 'street', 'out', 768]);
  assert.equal(payload.detections.find(({ class_name: name }) => name === 'person').onvif_type, 'Human');
  assert.equal(payload.zones, undefined, 'none stands before it');
  const { payload: { zones } } = await next('overwatch/street/grass/detections', (one) => one.payload.zones[0].inside > 0);
  assert.deepEqual(zones, [{ node_id: 'lawn', name: 'Zone', inside: zones[0].inside }]);
  const event = await next('overwatch/street/lawn/event');
  assert.ok(['enter', 'leave'].includes(event.payload.event));
  assert.equal(await metric(server, 'overwatch_mqtt_connected'), 1);
  assert.ok(await metric(server, 'overwatch_mqtt_messages_total') > 0);
  await server.stop();
  await next('overwatch/status', (one) => one.payload === 'offline');
  // Whoever comes later is told as well.
  const later = subscribe(t, port);
  assert.equal((await later.next('overwatch/status')).retained, true);
  assert.ok(all.every(({ topic }) => topic.startsWith('overwatch/')));
});

test('topic, rate, retaining and silence are as the node says', { timeout: 90000 }, async (t) => {
  const port = await freePort();
  await startBroker(t, port);
  const { all, next } = subscribe(t, port);
  await start(t, street({ topic: 'yard/boats', maxFps: 2, retain: true, onlyWhenDetections: true }, { classes: ['boat'] }),
    '--mqtt', `mqtt://localhost:${port}/`, '--mqtt-prefix', 'site/a');
  await next('site/a/status');
  // No boats in that street: the first empty result, and no other.
  assert.equal((await next('yard/boats')).payload.count, 0);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(all.filter(({ topic }) => topic === 'yard/boats').length, 1);
  assert.equal((await subscribe(t, port).next('yard/boats')).retained, true);
});

test('a broker that is away is waited for, and one that was killed comes back', { timeout: 90000 }, async (t) => {
  const port = await freePort();
  const server = await start(t, street(), '--mqtt', `mqtt://127.0.0.1:${port}`);
  await eventually('it is said', 10, () => /MQTT: no connection to 127.0.0.1/.test(server.log()));
  const broker = await startBroker(t, port);
  await subscribe(t, port).next('overwatch/street/out/detections');
  await broker.stop();
  await eventually('the loss is said', 10, () => /MQTT: the connection to 127.0.0.1 is lost/.test(server.log()));
  await startBroker(t, port);
  const { next } = subscribe(t, port);
  await next('overwatch/street/out/detections');
  // The will of a program that was killed.
  server.child.kill('SIGKILL');
  await next('overwatch/status', ({ payload }) => payload === 'offline');
  await server.stop().catch(() => {});
});

test('user, password and TLS', { timeout: 90000 }, async (t) => {
  const port = await freePort(), passwords = join(folder, 'passwords');
  writeFileSync(passwords, 'camera:correct horse\n', { mode: 0o600 });
  execFileSync('mosquitto_passwd', ['-U', passwords]);
  const { cert, key } = certificate(t);
  await startBroker(t, port, ['allow_anonymous false', `password_file ${passwords}`, `certfile ${cert}`, `keyfile ${key}`]);
  const url = `mqtts://127.0.0.1:${port}`;
  const wrong = await start(t, street(), '--mqtt', url, '--mqtt-ca', cert, '--mqtt-username', 'camera', '--mqtt-password', 'wrong staple');
  await eventually('the refusal is said', 10, () => /MQTT: the broker 127.0.0.1 refuses the connection/.test(wrong.log()));
  assert.doesNotMatch(wrong.log(), /wrong staple/);
  await wrong.stop();
  const strange = await start(t, street(), '--mqtt', url, '--mqtt-username', 'camera', '--mqtt-password', 'correct horse');
  await eventually('the certificate is not vouched for', 10, () => /MQTT: no connection to 127.0.0.1/.test(strange.log()));
  await strange.stop();
  await start(t, street(), '--mqtt', url, '--mqtt-ca', cert, '--mqtt-username', 'camera', '--mqtt-password', 'correct horse');
  await subscribe(t, port, ['--cafile', cert, '-u', 'camera', '-P', 'correct horse']).next('overwatch/street/out/detections');
});

test('without a broker the node says so; wrong addresses are refused at the start', { timeout: 60000 }, async (t) => {
  const server = await start(t, street());
  const { nodes } = await (await fetch(`${server.url}/api/workflow-builder/street/status`)).json();
  assert.deepEqual([nodes.out.state, /--mqtt/.test(nodes.out.reason)], ['error', true]);
  for (const url of ['host', 'http://host', 'mqtt://', 'mqtt://user:secret@host', 'mqtt://host:0', 'mqtt://host:1x', 'mqtt://host/path'])
    await assert.rejects(startServer(null, ['--mqtt', url]), (error) => /--mqtt/.test(error.message) && !/secret/.test(error.message.split('\n').slice(1).join('\n').replace(/--mqtt \S+/g, '')), url);
});
