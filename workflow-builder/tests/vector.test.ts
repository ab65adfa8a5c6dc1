import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WHOLE_LOOK, type FrameMetadata, type SeenObject } from '../src/player/metadata';
import { gridLines } from '../src/player/overlay-geometry';
import { encodeWish, RecordDemand } from '../src/player/record-wish';
import { VectorMotion } from '../src/player/vector-motion';

const seen = (trackId: number | null, x: number): SeenObject => ({
  classId: 0, className: 'person', ownColour: null, trackId, confidence: 0.8, box: { x, y: 0.5, width: 0.2, height: 0.4 },
  keyPoints: [{ x: x + 0.1, y: 0.7, score: 1 }], mask: null,
});

const record = (captureUs: number, objects: readonly SeenObject[]): FrameMetadata => ({
  rtpTimestamp: captureUs, captureUs, stagesMs: {}, sentMs: 1, width: 640, height: 360, predicted: false, boxesAgeMs: null,
  awaited: false, clean: false, vector: true, narrow: false, objects, zones: [], look: WHOLE_LOOK,
});

const near = (actual: number | undefined, expected: number) => assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
const xAt = (motion: VectorMotion, now: number) => motion.at(now)?.objects[0]?.box.x;

test('what is wanted is said in four bytes', () => {
  assert.deepEqual([...encodeWish('each')], [1, 1, 0xff, 0xff]);
  assert.deepEqual([...encodeWish(5)], [1, 1, 0, 50]);
  assert.deepEqual([...encodeWish(0)], [1, 1, 0, 0]);
  assert.deepEqual([...encodeWish(1e9)], [1, 1, 0xff, 0xfe]);
});

test('each record is asked for while somebody looks at it', () => {
  const demand = new RecordDemand();
  assert.equal(demand.rate(0, false), 5);
  assert.equal(demand.rate(0, true), 'each');
  demand.read(1000);
  assert.equal(demand.rate(5000, false), 'each');
  assert.equal(demand.rate(60_000, false), 5);
  const one = {}, other = {};
  demand.listens(one, 'metadata');
  demand.listens(one, 'metadata');
  demand.listens(one, 'objectclick');
  demand.listens(other, 'metadata');
  assert.equal(demand.rate(90_000, false), 'each');
  demand.leaves(other, 'metadata');
  demand.leaves(other, 'metadata');
  demand.leaves(one, 'objectclick');
  assert.equal(demand.rate(90_000, false), 'each');
  demand.leaves(one, 'metadata');
  assert.equal(demand.rate(90_000, false), 5, 'nobody listens any more');
});

test('objects go on between records, for one interval more', () => {
  const motion = new VectorMotion();
  assert.equal(motion.at(0), null);
  motion.received(record(1_000_000, [seen(7, 0.1)]), 0);
  near(xAt(motion, 150), 0.1);
  motion.received(record(1_200_000, [seen(7, 0.2)]), 200);
  near(xAt(motion, 200), 0.1); /* where it was drawn: no jump */
  near(xAt(motion, 200 + 120), 0.26);
  near(xAt(motion, 400), 0.3);
  near(xAt(motion, 5000), 0.3);
  const { box, keyPoints } = motion.at(400)?.objects[0] ?? seen(1, 0);
  near(keyPoints[0]?.x, box.x + 0.1);
});

test('without a track, or after a gap, nothing is made up', () => {
  const motion = new VectorMotion();
  motion.received(record(0, [seen(null, 0.1)]), 0);
  motion.received(record(200_000, [seen(null, 0.2)]), 200);
  near(xAt(motion, 300), 0.2);
  motion.received(record(300_000, [seen(4, 0.1)]), 300);
  motion.received(record(3_000_000, [seen(4, 0.9)]), 3000);
  near(xAt(motion, 3000), 0.9);
  near(xAt(motion, 3100), 0.9);
});

test('the ground is a grid of squares', () => {
  assert.deepEqual(gridLines({ x: 0, y: 0, width: 0, height: 0 }), []);
  const lines = gridLines({ x: 10, y: 0, width: 160, height: 90 });
  assert.equal(lines.length, 17 + 10);
  assert.deepEqual(lines[1], { from: { x: 20, y: 0 }, to: { x: 20, y: 90 } });
});
