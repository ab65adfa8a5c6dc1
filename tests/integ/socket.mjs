// What the tests of the WebSocket share: a workflow to look at, and a client that keeps all it is told.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:net';

import { startServer } from './server.mjs';

const WebSocket = createRequire(import.meta.url)('ws');

const view = (id, source) => [{ id, type: 'videoPreview', position: { x: 0, y: 0 }, data: {} }, { id: `${id}-e`, source, target: id }];
/** A pattern, looked at by these views. */
export function workflow(id, views, settings = {}) {
  const made = views.map((one) => view(one, `${id}-source`));
  return { id, name: id, nodes: [{ id: `${id}-source`, type: 'testPattern', data: { width: 320, height: 180, fps: 20, ...settings } }, ...made.map(([node]) => node)], edges: made.map(([, edge]) => edge) };
}

export async function start(t, body = workflow('w', ['one', 'two']), prefix = []) {
  const server = await startServer(body, [], 'ignore', prefix);
  t.after(server.stop);
  return server;
}

/** { socket, say(message), next(type), all: [messages and pictures] } */
export async function open(server, t) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`);
  await once(socket, 'open');
  t.after(() => socket.terminate());
  const all = [], waiting = [];
  socket.on('message', (data, binary) => {
    const size = binary ? data.readUInt32BE(0) : 0;
    const message = binary ? { ...JSON.parse(data.subarray(4, 4 + size)), jpeg: data.subarray(4 + size) } : JSON.parse(data);
    all.push(message);
    for (const wait of waiting.splice(0)) if (!wait(message)) waiting.push(wait);
  });
  const say = (message) => socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  const next = (type, fits = () => true, seconds = 10) => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${type} within ${seconds} s, but ${all.map((one) => one.type)}`)), seconds * 1000);
    waiting.push((message) => message.type === type && fits(message) && (clearTimeout(late), resolve(message), true));
  });
  const ask = async (message, type) => { const answer = next(type); say(message); return answer; };
  return { socket, say, next, ask, all };
}

/** A client that subscribes to all there is and does not read a byte after the handshake. */
export async function sleeper(server) {
  const socket = connect(new URL(server.url).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  await once(socket, 'readable');
  socket.pause();
  const text = Buffer.from('{"type": "subscribe", "topics": ["*"], "filters": {"max_fps": 120}}');
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])); // masked with zeros
  return socket;
}

export const metric = async (server, name) => Number((await (await fetch(`${server.url}/metrics`)).text()).match(new RegExp(`^${name} (.*)$`, 'm'))[1]);
