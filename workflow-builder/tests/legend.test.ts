import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import type { SeenObject } from '../src/player/metadata';
import { LegendMemory } from '../src/player/overlay-legend';
import { bodyColours, colourOf, scaleOf, textOn, zoneColour } from '../src/player/overlay-palette';

const seen = (classId: number, className: string, confidence = 0.5): SeenObject =>
  ({ classId, className, ownColour: null, trackId: null, confidence, box: { x: 0, y: 0, width: 0.1, height: 0.1 }, keyPoints: [], mask: null });
const crowd = [seen(2, 'car'), seen(0, 'person'), seen(0, 'person')];

test('the legend has the classes in their order, with colours and counts', () => {
  const { rows, scale } = new LegendMemory().read(crowd, 'default', 0);
  assert.deepEqual(rows, [{ name: 'person', colour: '#18b7f2', count: 2 }, { name: 'car', colour: '#8bd42a', count: 1 }]);
  assert.equal(scale, null);
});

test('a class that has gone stays a while', () => {
  const memory = new LegendMemory();
  memory.read(crowd, 'default', 1_000_000);
  assert.deepEqual(memory.read([seen(0, 'person')], 'default', 3_900_000).rows.map(({ name, count }) => [name, count]), [['person', 1], ['car', 0]]);
  assert.deepEqual(memory.read([seen(0, 'person')], 'default', 4_100_000).rows.map(({ name }) => name), ['person']);
});

test('of many classes the rest is counted together', () => {
  const { rows } = new LegendMemory().read(Array.from({ length: 12 }, (_, i) => seen(i, `c${i}`)), 'default', 0);
  assert.equal(rows.length, 9);
  assert.deepEqual(rows[8], { name: 'others', colour: null, count: 4 });
});

test('where colours go by confidence there is a scale', () => {
  const { rows, scale } = new LegendMemory().read(crowd, 'confidence', 0);
  assert.deepEqual(scale, ['#f0393b', '#ffc61a', '#2fc25b']);
  assert.ok(rows.every(({ colour }) => colour === null));
});

test('it stands where it covers least, and does not jump', () => {
  const memory = new LegendMemory();
  const within = { x: 0, y: 0, width: 800, height: 450 };
  const place = (boxes: { x: number; y: number }[], atUs: number) => {
    const { x, y } = memory.place({ width: 100, height: 60 }, boxes.map((at) => ({ ...at, width: 100, height: 60 })), within, 8, atUs);
    return [x, y];
  };
  assert.deepEqual(place([], 0), [692, 8]);
  assert.deepEqual(place([{ x: 690, y: 10 }], 1_000_000), [692, 8]);
  assert.deepEqual(place([{ x: 690, y: 10 }], 2_100_000), [8, 8]);
  assert.deepEqual(place([], 9_000_000), [8, 8], 'as good as any');
});

test('colours are those of the server', () => {
  const source = readFileSync('../src/xray/palette.c', 'utf8');
  const bytes = (text: string) => [...text.matchAll(/\{0x(\w\w), 0x(\w\w), 0x(\w\w)\}/g)].map(([, r, g, b]) => `#${r}${g}${b}`);
  const table = (name: string) => bytes(source.match(new RegExp(`${name}[^=]*= \\{([\\s\\S]*?)\\};`))?.[1] ?? '');
  const classes = table('class_colors');
  assert.equal(classes.length, 24);
  classes.forEach((colour, classId) => assert.equal(colourOf(seen(classId, ''), 'default'), colour));
  table('palette_neon').forEach((colour, classId) => assert.equal(colourOf(seen(classId, ''), 'neon'), colour));
  const zones = table('palette_zone');
  assert.equal(zones.length, 8);
  zones.forEach((colour, i) => assert.deepEqual([zoneColour(i, 'default'), zoneColour(i + 8, 'thermal')], [colour, colour]));
  assert.deepEqual([zoneColour(0, 'neon'), zoneColour(5, 'neon')], [table('palette_neon')[3], table('palette_neon')[0]]);
  assert.equal(zoneColour(3, 'monochrome'), colourOf(seen(0, ''), 'monochrome'));
  assert.deepEqual(scaleOf('confidence'), table('palette_confidence'));
  assert.deepEqual(scaleOf('thermal'), table('palette_thermal'));
  const known = [...(source.match(/known\[\] = \{([\s\S]*?)\n {4}\};/)?.[1] ?? '').matchAll(/\{"([^"]+)", (\{[^}]+\})\}/g)];
  assert.ok(known.length > 25);
  for (const [, name = '', colour = ''] of known) assert.equal(colourOf(seen(0, name), 'class_specific'), bytes(colour)[0], name);
});

test('a colour that the user chose goes before the scheme that goes by class', () => {
  const orange = { ...seen(2, 'car'), ownColour: '#ff8800' };
  assert.deepEqual(['default', 'class_specific', 'confidence', 'neon', 'monochrome'].map((scheme) => colourOf(orange, scheme) === '#ff8800'), [true, true, false, false, false]);
  assert.deepEqual(new LegendMemory().read([orange, seen(0, 'person')], 'default', 0).rows.map(({ colour }) => colour), ['#18b7f2', '#ff8800']);
});

test('a body has sides', () => {
  assert.deepEqual(bodyColours('#18b7f2', 'default'), ['#18b7f2', '#ffa726', '#c06bff']);
  assert.deepEqual(bodyColours('#18b7f2', 'neon'), ['#18b7f2', '#39ff14', '#ff2bd6']);
  assert.deepEqual(bodyColours('#646464', 'monochrome'), ['#555555', '#b2b2b2', '#3c3c3c']);
});

test('confidences are mixed from the scale, text is readable', () => {
  assert.equal(colourOf(seen(0, '', 0), 'confidence'), '#f0393b');
  assert.equal(colourOf(seen(0, '', 0.5), 'confidence'), '#ffc61a');
  assert.equal(colourOf(seen(0, '', 2), 'confidence'), '#2fc25b');
  assert.equal(colourOf(seen(0, '', 0.25), 'confidence'), '#f8802b');
  assert.deepEqual([textOn('#ffffff'), textOn('#5a3cd8'), textOn('#18b7f2')], ['#000', '#fff', '#000']);
});
