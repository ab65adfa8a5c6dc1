import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WHOLE_LOOK, type Look, type Part, type SeenObject } from '../src/player/metadata';
import { describe, fitted, labelOf, lookFor, objectAt, passes, placed, maskRects, placeLabels, readFilter } from '../src/player/overlay-geometry';

const person: SeenObject = { classId: 0, className: 'person', ownColour: null, trackId: 7, confidence: 0.8, box: { x: 0.25, y: 0.5, width: 0.5, height: 0.25 }, keyPoints: [], mask: null };
const bag: SeenObject = { classId: 24, className: 'Backpack', ownColour: null, trackId: null, confidence: 0.4, box: { x: 0.3, y: 0.55, width: 0.1, height: 0.1 }, keyPoints: [], mask: null };

test('a picture is fitted as the browser fits it', () => {
  assert.deepEqual(fitted({ width: 800, height: 600 }, { width: 1600, height: 900 }), { x: 0, y: 75, width: 800, height: 450 });
  assert.deepEqual(fitted({ width: 800, height: 300 }, { width: 400, height: 300 }), { x: 200, y: 0, width: 400, height: 300 });
  for (const side of [0, -1, NaN]) assert.equal(fitted({ width: 800, height: 300 }, { width: side, height: side }).width, 0);
});

test('boxes are placed within it', () => {
  assert.deepEqual(placed(person.box, { x: 0, y: 75, width: 800, height: 400 }), { x: 200, y: 275, width: 400, height: 100 });
});

test('the smallest object under the pointer is meant', () => {
  assert.equal(objectAt([bag, person], 0.35, 0.6), bag);
  assert.equal(objectAt([person, bag], 0.35, 0.6), bag);
  assert.equal(objectAt([person, bag], 0.7, 0.7), person);
  assert.equal(objectAt([person, bag], 0.1, 0.1), null);
});

test('classes and confidence are filtered in the page', () => {
  const shows = (classes: string | null, confidence: string | null) => {
    const filter = readFilter(classes, confidence, null);
    return passes(bag, filter, lookFor(filter, WHOLE_LOOK));
  };
  assert.ok(shows(null, null));
  assert.ok(shows('person, BACKPACK', '0.4'));
  assert.ok(!shows('person', null));
  assert.ok(!shows('', '0.5'));
  assert.ok(shows(' , ', 'much'));
});

test('a viewer sees what the record says, or what the viewer has chosen', () => {
  const told: Look = { parts: new Set(['boxes']), confidence: 0.6 };
  const seen = (confidence: string | null, parts: string | null) => lookFor(readFilter(null, confidence, parts), told);
  assert.deepEqual(seen(null, null), told);
  assert.deepEqual(seen(' ', null), told);
  assert.deepEqual(seen('0.9', null), { ...told, confidence: 0.9 });
  assert.deepEqual(seen('0', null), { ...told, confidence: 0 });
  assert.deepEqual(seen(null, 'Names, boxes, wings'), { ...told, parts: new Set(['boxes', 'names']) });
  assert.deepEqual(seen(null, ''), { ...told, parts: new Set() });
});

test('labels and values say what is known', () => {
  const label = (object: SeenObject, ...parts: Part[]) => labelOf(object, new Set(parts));
  assert.equal(labelOf(person, WHOLE_LOOK.parts), 'person #7 80 %');
  assert.equal(labelOf(bag, WHOLE_LOOK.parts), 'Backpack 40 %');
  assert.equal(label(person, 'confidence', 'tracks', 'boxes'), '#7 80 %');
  assert.equal(label(bag, 'tracks', 'masks'), '');
  assert.deepEqual(describe(person, { width: 960, height: 540 }), ['person', 'track 7', 'confidence 80 %', '480 × 135 at 240, 270']);
});

test('labels stand beside each other, not over each other', () => {
  const boxes = [0, 30, 60].map((x) => ({ x: 100 + x, y: 100, width: 25, height: 80 }));
  const sizes = boxes.map(() => ({ width: 90, height: 18 }));
  const places = placeLabels(boxes, sizes, { width: 800, height: 450 });
  assert.deepEqual(places[0], { x: 100, y: 82, width: 90, height: 18 });
  places.forEach((a, i) => places.slice(i + 1).forEach((b) => {
    assert.ok(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y, JSON.stringify(places));
  }));
});

test('of more labels than anybody reads no place is looked for far away', () => {
  const looks = (count: number) => {
    let seen = 0;
    const taken = { x: 0, width: 800, height: 450, get y() { seen++; return 0; } };
    const box = { x: 300, y: 200, width: 25, height: 80 };
    placeLabels(Array.from({ length: count }, () => box), Array.from({ length: count }, () => ({ width: 90, height: 18 })), { width: 800, height: 450 }, [taken]);
    return seen;
  };
  assert.ok(looks(1) > 3 && looks(1000) / 1000 < looks(1) / 2, `${looks(1)}, ${looks(1000) / 1000}`);
});

test('where there is no room, labels cover as little as can be', () => {
  const bounds = { width: 100, height: 100 };
  const [label] = placeLabels([{ x: 10, y: 40, width: 30, height: 20 }], [{ width: 60, height: 20 }], bounds, [{ x: 0, y: 0, width: 100, height: 75 }, { x: 0, y: 95, width: 100, height: 5 }]);
  assert.deepEqual(label, { x: 10, y: 80, width: 60, height: 20 });
});

test('labels keep off what is taken', () => {
  const box = { x: 100, y: 100, width: 80, height: 80 };
  const legend = { x: 90, y: 70, width: 100, height: 28 };
  const [label] = placeLabels([box], [{ width: 60, height: 18 }], { width: 800, height: 450 }, [legend]);
  assert.ok(label && (label.y >= 98 || label.x >= 190 || label.y + 18 <= 70), JSON.stringify(label));
});

test('labels stay within the picture', () => {
  const corners = [[0, 0], [790, 0], [0, 440], [790, 440]].map(([x = 0, y = 0]) => ({ x, y, width: 10, height: 10 }));
  for (const { x, y, width, height } of placeLabels(corners, corners.map(() => ({ width: 90, height: 18 })), { width: 800, height: 450 })) {
    assert.ok(x >= 0 && y >= 0 && x + width <= 800 && y + height <= 450);
  }
});

test('a mask is drawn column by column', () => {
  // Columns of two cells: 00, 11, 10.
  const rects = maskRects({ width: 3, height: 2, runs: [2, 3, 1] }, { x: 10, y: 20, width: 30, height: 40 });
  assert.deepEqual(rects, [{ x: 20, y: 20, width: 10, height: 40 }, { x: 30, y: 20, width: 10, height: 20 }]);
});

test('a mask that says more than it has cells is cut', () => {
  assert.deepEqual(maskRects({ width: 1, height: 2, runs: [1, 100, 5] }, { x: 0, y: 0, width: 2, height: 2 }), [{ x: 0, y: 1, width: 2, height: 1 }]);
  assert.deepEqual(maskRects({ width: 0, height: 0, runs: [0, 4] }, { x: 0, y: 0, width: 2, height: 2 }), []);
});

test('of what is no mask no bars are made', () => {
  const box = { x: 0, y: 0, width: 10, height: 10 };
  for (const width of [1 << 21, NaN, Infinity]) assert.deepEqual(maskRects({ width, height: 1, runs: [0, 1 << 21] }, box), []);
  assert.deepEqual(maskRects({ width: 0, height: 0, runs: [0, 9] }, box), []);
});
