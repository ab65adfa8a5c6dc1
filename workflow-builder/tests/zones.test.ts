import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WHOLE_LOOK, type FrameMetadata, type Part, type SeenObject, type Zone } from '../src/player/metadata';
import { common } from '../src/player/overlay-geometry';
import { paintOverlay } from '../src/player/overlay-paint';
import { arrowOf, figuresOf, placeTags } from '../src/player/overlay-zones';
import { VectorMotion } from '../src/player/vector-motion';

const counts = { inside: 0, crossedIn: 0, crossedOut: 0, happenedMs: null };
const yard: Zone = { ...counts, name: 'Yard', line: false, points: [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9], [0.1, 0.9]].map(([x = 0, y = 0]) => ({ x, y })), inside: 3 };
const gate: Zone = { ...counts, name: 'Gate', line: true, points: [{ x: 0.6, y: 0.5 }, { x: 0.9, y: 0.5 }], crossedIn: 12, crossedOut: 4, happenedMs: 450 };
const unfinished: Zone = { ...counts, name: 'New', line: false, points: [{ x: 0.1, y: 0.1 }] };
const place = { x: 100, y: 50, width: 800, height: 400 };

test('zones stand where they are in the picture', () => {
  const [area, line] = figuresOf([yard, gate], 'default', place);
  assert.deepEqual(area?.points[0], { x: 180, y: 250 });
  assert.deepEqual([area?.counts, area?.flash, area?.colour], ['3', 0, '#ffd166']);
  assert.deepEqual([line?.counts, line?.flash, line?.colour], ['in 12  out 4', 0.5, '#7de2d1']);
});

test('one that is not finished is not drawn, and the others keep their colours', () => {
  assert.deepEqual(figuresOf([unfinished, yard], 'default', place).map(({ name, colour }) => [name, colour]), [['Yard', '#7de2d1']]);
});

test('the arrow of a line points to its right', () => {
  const [line] = figuresOf([gate], 'default', place);
  assert.ok(line);
  const [[middle, tip] = [], ...barbs] = arrowOf(line);
  assert.deepEqual(middle, { x: 700, y: 250 });
  assert.ok(tip && tip.x === 700 && tip.y > 260, 'down: what goes to the right has that side below');
  assert.equal(barbs.length, 2);
  assert.deepEqual(arrowOf({ ...line, points: [{ x: 1, y: 1 }, { x: 1, y: 1 }] }), []);
});

test('tags stand beside their zones, in the picture and off each other', () => {
  const size = { width: 60, height: 19 };
  const [area, line] = placeTags(figuresOf([yard, gate], 'default', place), [size, size], place);
  assert.deepEqual([area?.x, area?.y], [180, 228], 'above its upper left corner');
  assert.ok(line && line.y + line.height < 250, 'on the side that the arrow does not point to');
  const top: Zone = { ...yard, points: yard.points.map(({ x, y }) => ({ x, y: y - 0.5 })) };
  const crowd = placeTags(figuresOf([top, top, top], 'default', place), [size, size, size], place);
  crowd.forEach((a, i) => {
    assert.ok(a.x >= place.x && a.y >= place.y && a.x + a.width <= place.x + place.width && a.y + a.height <= place.y + place.height);
    crowd.slice(i + 1).forEach((b) => assert.equal(common(a, b), 0, JSON.stringify(crowd)));
  });
});

/* What a canvas is told, in order: each call with the colour that it takes. */
function recorder() {
  const calls: { name: string; colour: unknown; text: unknown; x: unknown; y: unknown }[] = [];
  const state: Record<string, unknown> = {};
  const context = new Proxy(state, {
    get: (_, name) => {
      if (name === 'measureText') return (text: string) => ({ width: 7 * text.length });
      if (typeof name === 'string' && name in state) return state[name];
      return (...values: unknown[]) => calls.push({ name: String(name), colour: state[String(name).startsWith('stroke') ? 'strokeStyle' : 'fillStyle'], text: values[0], x: values[1], y: values[2] });
    },
  });
  return { context: context as unknown as CanvasRenderingContext2D, calls };
}

const person: SeenObject = { classId: 0, className: 'person', ownColour: null, trackId: 7, confidence: 0.8, box: { x: 0.2, y: 0.6, width: 0.1, height: 0.2 }, keyPoints: [], mask: null };

test('zones are drawn below the objects, their tags above them', () => {
  const { context, calls } = recorder();
  const bounds = { width: 1000, height: 500 };
  paintOverlay(context, { objects: [person], parts: WHOLE_LOOK.parts, zones: [yard, gate], place, bounds, scheme: 'default', pointed: null, captureUs: 0, legend: null });
  const at = (name: string, what: (call: (typeof calls)[number]) => boolean) => calls.findIndex((call) => call.name === name && what(call));
  const area = at('stroke', ({ colour }) => colour === '#ffd166');
  const line = at('stroke', ({ colour }) => colour === '#7de2d1');
  const box = at('strokeRect', ({ colour }) => colour === '#18b7f2');
  const order = [at('fill', ({ colour }) => colour === '#ffd166'), area, line, box];
  for (const text of ['Yard', '3', 'Gate', 'in 12  out 4', 'person #7 80 %']) order.push(at('fillText', (call) => call.text === text));
  assert.ok(order.every((step, i) => step >= 0 && step > (order[i - 1] ?? -1)), order.join(' '));
});

test('without zones nothing of them is drawn', () => {
  const { context, calls } = recorder();
  paintOverlay(context, { objects: [], parts: WHOLE_LOOK.parts, zones: [], place, bounds: { width: 1000, height: 500 }, scheme: 'default', pointed: null, captureUs: 0, legend: null });
  assert.deepEqual(calls, []);
});

test('of a picture of no size nothing is drawn', () => {
  for (const width of [0, NaN]) {
    const { context, calls } = recorder();
    paintOverlay(context, { objects: [person], parts: WHOLE_LOOK.parts, zones: [yard, gate], place: { x: 0, y: 0, width, height: 400 }, bounds: { width: 1000, height: 500 }, scheme: 'default', pointed: null, captureUs: 0, legend: null });
    assert.deepEqual(calls, []);
  }
});

test('labels of those who stand close together are all read, the surest on top', () => {
  const { context, calls } = recorder();
  const people = [7, 8, 9].map((trackId, i): SeenObject => ({ ...person, trackId, box: { ...person.box, x: 0.2 + 0.02 * i } }));
  paintOverlay(context, { objects: people, parts: WHOLE_LOOK.parts, zones: [], place, bounds: { width: 1000, height: 500 }, scheme: 'default', pointed: null, captureUs: 0, legend: null });
  const texts = calls.filter(({ name }) => name === 'fillText');
  assert.deepEqual(texts.map(({ text }) => text), ['person #9 80 %', 'person #8 80 %', 'person #7 80 %']);
  const plates = texts.map(({ x, y }) => ({ x: Number(x), y: Number(y), width: 7 * 14, height: 18 }));
  plates.forEach((a, i) => plates.slice(i + 1).forEach((b) => assert.equal(common(a, b), 0, JSON.stringify(plates))));
});

test('what is not wanted of an object is not drawn, but its box under the pointer', () => {
  const masked: SeenObject = { ...person, mask: { width: 1, height: 1, runs: [0, 1] } };
  const drawn = (parts: readonly Part[], pointed: SeenObject | null = null) => {
    const { context, calls } = recorder();
    paintOverlay(context, { objects: [masked], parts: new Set(parts), zones: [], place, bounds: { width: 1000, height: 500 }, scheme: 'default', pointed, captureUs: 0, legend: null });
    return calls.map(({ name, text }) => (name === 'fillText' ? text : name)).filter((name) => name !== 'beginPath' && name !== 'roundRect');
  };
  assert.deepEqual(drawn(['boxes']), ['strokeRect']);
  assert.deepEqual(drawn(['tracks']), ['fill', '#7']);
  assert.deepEqual(drawn([]), []);
  assert.deepEqual(drawn([], masked), ['strokeRect']);
});

test('between two records the look stays', () => {
  const motion = new VectorMotion();
  const look = { parts: new Set<Part>(['boxes']), confidence: 0.5 };
  motion.received({ captureUs: 1_000_000, objects: [person], zones: [], look } as unknown as FrameMetadata, 5_000);
  assert.equal(motion.at(5_100)?.look, look);
});

test('between two records time passes for what happened in a zone', () => {
  const motion = new VectorMotion();
  motion.received({ captureUs: 1_000_000, objects: [], zones: [gate, yard] } as unknown as FrameMetadata, 5_000);
  assert.deepEqual(motion.at(5_100)?.zones.map(({ happenedMs }) => happenedMs), [550, null]);
});
