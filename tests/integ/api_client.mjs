// Calls the API by the names of its routes, as they stand in src/api/api.c: 'PUT /api/cameras/{id}'. So
// api_doors.test.mjs can tell which route no test calls.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

import { root } from './server.mjs';

/** The server's routes: [{ route, method, pattern, open, streams (takes any body, piece by piece) }]. */
export function routes() {
  const table = readFileSync(join(root, 'src/api/api.c'), 'utf8').match(/routes\[\] = \{([\s\S]*?)\n\};/)[1];
  return [...table.matchAll(/\{HTTP_(\w+), "([^"]+)",\s*\w+,\s*([^}]*)\}/g)].map(([, method, pattern, flags]) => (
    { route: `${method} ${pattern}`, method, pattern, open: flags.includes('HTTP_OPEN'), streams: flags.includes('HTTP_STREAMS') }));
}

export const fill = (pattern, params) => pattern.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name] ?? 'none'));

/** A request with headers that fetch() does not let through, such as Host: { status, headers, text, json }. */
export function send(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const bytes = Buffer.concat(parts), text = bytes.toString();
        let json;
        try { json = JSON.parse(text); } catch { /* not every answer is JSON */ }
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, text, json });
      });
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/**
 * `call(route, status, { params, query, body, type, headers })` fails unless the status is the one (or
 * one of those) expected, and unless a failure says what to do in a sentence; resolves with the answer's
 * JSON.
 * `call.whole` resolves with the whole answer.
 */
export function client(server, common = {}) {
  const whole = async (route, status, { params = {}, query = '', body, type = 'application/json', headers = {} } = {}) => {
    const [method, pattern] = route.split(' ');
    const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const length = text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) };
    const answer = await send(`${server.url}${fill(pattern, params)}${query}`,
      { method, body: text, headers: { ...common, ...length, ...headers } });
    assert.ok([status].flat().includes(answer.status), `${route} ${query}: not ${status}, but ${answer.status} ${answer.text.slice(0, 500)}`);
    if (answer.status >= 400) assert.ok(answer.json?.detail?.length > 15, `${route}: a sentence, not ${answer.text.slice(0, 200)}`);
    return answer;
  };
  const call = async (...words) => (await whole(...words)).json;
  call.whole = whole;
  return call;
}

/** Fails unless `object` has exactly these members, and of these types: { id: 'string', size: 'number' }. */
export function assertShape(object, shape, what = 'answer') {
  assert.deepEqual(Object.keys(object).sort(), Object.keys(shape).sort(), what);
  for (const [name, type] of Object.entries(shape)) {
    const value = object[name];
    assert.equal(Array.isArray(value) ? 'array' : typeof value, type, `${what}.${name}`);
  }
}
