// Detections as lines of JSON over HTTP, as `curl -N` reads them.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { assertShape, client } from './api_client.mjs';
import { eventually, postJson, startServer } from './server.mjs';

const ROUTE = 'GET /api/nodes/{node_id}/detections';
const node = (id, type, data = {}) => ({ id, type, position: { x: 0, y: 0 }, data });
const edge = (source, target) => ({ id: `${source}-${target}`, source, target });
// Nobody looks at the street: only who listens makes the model work.
const street = {
  id: 'street', name: 'Street',
  nodes: [node('video', 'videoInput', { videoPath: 'vtest.avi' }), node('model', 'model', { modelId: 'nanodet', confidence: 0.4 }),
    node('cars', 'detectionFilter', { filterMode: 'class', selectedClasses: ['car'] }), node('data', 'dataPreview'), node('notes', 'debug')],
  edges: [edge('video', 'model'), edge('model', 'cars'), edge('cars', 'data')],
};

function listen(server, id, query = '') {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path: `/api/nodes/${id}/detections${query}`, agent: false }, resolve).on('error', reject).end();
  });
}

const modelFps = async (server) => (await client(server)('GET /api/workflow-builder/{id}/status', 200, { params: { id: 'street' } })).nodes.model.fps;

test('results come line by line while somebody listens, until the node ends', { timeout: 60000 }, async (t) => {
  const server = await startServer(street);
  t.after(server.stop);
  const response = await listen(server, 'model');
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'application/x-ndjson');
  const filtered = await listen(server, 'cars', '?fps=60');
  const cars = [];
  createInterface({ input: filtered }).on('line', (line) => cars.push(JSON.parse(line)));
  let count = 0, last = -1;
  for await (const line of createInterface({ input: response })) {
    const data = JSON.parse(line);
    assertShape(data, { type: 'string', workflow_id: 'string', node_id: 'string', timestamp: 'number', sequence: 'number', capture_us: 'number',
      width: 'number', height: 'number', count: 'number', detections: 'array' });
    assert.deepEqual([data.type, data.workflow_id, data.node_id, data.width, data.height], ['detection_data', 'street', 'model', 768, 576]);
    assert.equal(data.count, data.detections.length);
    assert.ok(data.sequence > last);
    last = data.sequence;
    count += 1;
    if (count === 1) assert.ok(await eventually('the model works', 10, async () => (await modelFps(server)) > 0));
    if (count === 20) {
      assert.equal(data.detections.find(({ class_name: name }) => name === 'person').onvif_type, 'Human');
      await postJson(`${server.url}/api/workflow-builder/street/stop`, '');
    }
  }
  assert.ok(count >= 20);
  assert.ok(cars.length > 3 && cars.every(({ detections }) => detections.every((one) => one.class_name === 'car' && one.onvif_type === 'Vehicle' && one.onvif_vehicle_type === 'Car')));
});

test('a rate is kept, and a model rests again when nobody listens', { timeout: 60000 }, async (t) => {
  const server = await startServer(street);
  t.after(server.stop);
  const response = await listen(server, 'data', '?fps=2');
  const begin = performance.now();
  let count = 0;
  for await (const line of createInterface({ input: response })) if (JSON.parse(line) && ++count === 7) break;
  const fps = 6000 / (performance.now() - begin);
  assert.ok(fps < 3, `${fps} a second`);
  response.destroy();
  await eventually('the model rests', 20, async () => (await modelFps(server)) === 0);
});

test('where zones are is told once, and again when they move', { timeout: 60000 }, async (t) => {
  const watched = {
    id: 'watched', name: 'Watched',
    nodes: [...street.nodes.slice(0, 2), node('door', 'zone', { zoneType: 'rectangle', polygon: [[0.25, 0.5], [0.75, 1]], filterType: 'all' }),
      node('way', 'zone', { zoneType: 'line', polygon: [[384, 0], [384, 576]], filterType: 'all' }), node('data', 'dataPreview')],
    edges: [edge('video', 'model'), edge('model', 'door'), edge('door', 'way'), edge('way', 'data')],
  };
  const server = await startServer(watched);
  t.after(server.stop);
  const call = client(server);
  const hear = async (id) => {
    const lines = [];
    createInterface({ input: await listen(server, id, '?fps=60') }).on('line', (line) => lines.push(JSON.parse(line)));
    return { lines, told: () => lines.filter(({ type }) => type === 'zones'), results: () => lines.filter(({ type }) => type === 'detection_data') };
  };
  const door = { node_id: 'door', name: 'Zone', zone_type: 'rectangle', points: [[0.25, 0.5], [0.75, 0.5], [0.75, 1], [0.25, 1]] };
  const way = { node_id: 'way', name: 'Zone', zone_type: 'line', points: [[0.5, 0], [0.5, 1]] };
  const data = await hear('data'), model = await hear('model');
  await eventually('results come', 20, () => data.results().length >= 10 && model.results().length >= 10);
  assert.deepEqual(data.lines[0], { type: 'zones', workflow_id: 'watched', node_id: 'data', zones: [door, way] });
  assert.equal(data.told().length, 1);
  assert.deepEqual(data.results()[0].zones.map((zone) => Object.keys(zone)), [['node_id', 'name', 'inside'], ['node_id', 'name', 'crossed_in', 'crossed_out']]);
  await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 200,
    { params: { id: 'watched', node_id: 'door' }, body: { data: { zoneType: 'polygon', polygon: [[0, 0], [0.5, 0], [0, 0.5]] } } });
  await eventually('the zone has moved', 20, () => data.told().length === 2);
  const moved = { ...door, zone_type: 'polygon', points: [[0, 0], [0.5, 0], [0, 0.5]] };
  assert.deepEqual(data.told()[1].zones, [moved, way]);
  const later = await hear('door');
  await eventually('who comes later is told, too', 20, () => later.results().length >= 3);
  assert.deepEqual(later.lines[0].zones, [moved]);
  assert.equal(data.told().length, 2);
  assert.equal(model.told().length, 0, 'no zone stands in front of the model');
});

test('other nodes, rates and too many are refused', { timeout: 60000 }, async (t) => {
  const server = await startServer(street);
  t.after(server.stop);
  const call = client(server);
  for (const id of ['nobody', 'video', 'notes']) await call(ROUTE, 404, { params: { node_id: id } });
  for (const fps of ['0', '61', 'x']) await call(ROUTE, 400, { params: { node_id: 'model' }, query: `?fps=${fps}` });
  const listening = await Promise.all(Array.from({ length: 64 }, () => listen(server, 'model')));
  const refused = await listen(server, 'model');
  assert.equal(refused.statusCode, 503);
  refused.resume();
  for (const response of listening) response.destroy();
});
