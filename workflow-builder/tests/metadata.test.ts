import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MetadataMatch, parseRecord, Told, WHOLE_LOOK } from '../src/player/metadata';

/* A record as src/core/metadata.c writes it; tests/unit/core/test_metadata.c has the same bytes. */
const HEX =
  '0101' + '89abcdef' + '0000075bcd15' + '0123' + '1f' + '46' + '01' + '14' + '02' + 'c803' + 'c007' + '9c04' + '02' +
  '00' + '07' + 'cc' + '800000' + 'fff800' + '02' + 'ac02' + '80' + '000fff' + 'fff000' +
  '01' + '0d' + '0006706572736f6e' + '0203636172';

const bytes = (hex: string) => new Uint8Array(hex.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? []);
const record = (hex = HEX) => bytes(hex);
const withRtp = (rtp: number) => record(HEX.slice(0, 4) + rtp.toString(16).padStart(8, '0') + HEX.slice(12)).buffer;

test('a record is read as it was written', () => {
  const read = parseRecord(record(), new Told());
  assert.ok(read);
  assert.equal(read.rtpTimestamp, 0x89abcdef);
  assert.equal(read.captureUs, 123456789);
  assert.equal(read.sentMs, 29.1);
  assert.deepEqual(read.stagesMs, { decoded: 3.5, inferStart: 3.4, inferEnd: 4.4, drawn: 4.5, encoded: 27.3 });
  assert.deepEqual([read.width, read.height, read.predicted, read.awaited], [960, 540, true, false]);
  const [person, car] = read.objects;
  assert.equal(read.objects.length, 2);
  assert.deepEqual([person?.className, person?.trackId, person?.confidence], ['person', 7, 0.8]);
  assert.deepEqual([person?.box.x, person?.box.y], [0x800 / 4095, 0]);
  assert.ok(Math.abs((person?.box.width ?? 0) - 0x7ff / 4095) < 1e-12);
  assert.deepEqual([car?.className, car?.trackId, car?.classId], ['car', 300, 2]);
});

test('names of earlier records are kept', () => {
  const told = new Told();
  const bare = record(HEX.slice(0, HEX.indexOf('010d0006')));
  assert.equal(parseRecord(bare, told)?.objects[0]?.className, 'class 0');
  parseRecord(record(), told);
  assert.equal(parseRecord(bare, told)?.objects[0]?.className, 'person');
});

test('key points and masks are those of their object', () => {
  const read = parseRecord(record(HEX + '02858000' + '00fff400ff' + '03868000' + '010302020301' + '03818000' + '09'), new Told());
  assert.deepEqual(read?.objects[0]?.keyPoints, [{ x: 1, y: 0x400 / 4095, score: 1 }]);
  assert.equal(read?.objects[0]?.mask, null);
  assert.deepEqual(read?.objects[1]?.mask, { width: 3, height: 2, runs: [2, 3, 1] });
  assert.deepEqual(read?.objects[1]?.keyPoints, []);
});

test('predicted boxes tell how old the frame is that the model saw', () => {
  assert.equal(parseRecord(record(), new Told())?.boxesAgeMs, null);
  assert.equal(parseRecord(record(HEX + '0402c806'), new Told())?.boxesAgeMs, 42);
  assert.equal(parseRecord(record(HEX + '040105'), new Told())?.boxesAgeMs, -0.3);
});

/* As tests/unit/core/test_metadata.c has them: an area of three inside, where something happened 0.42 s
 * ago, and a line that was crossed just now. */
const COUNTS = '0607' + '0d2a' + 'a301ac02' + '00';
const ZONES = '0517' + '06000000fff401000fff0459617264' + '05800000800fff00';

test('zones have their places and their counts', () => {
  const told = new Told();
  const zones = parseRecord(record(HEX + COUNTS + ZONES), told)?.zones;
  assert.deepEqual(zones?.[0], {
    name: 'Yard',
    line: false,
    points: [{ x: 0, y: 0 }, { x: 1, y: 0x401 / 4095 }, { x: 0, y: 1 }],
    inside: 3,
    crossedIn: 0,
    crossedOut: 0,
    happenedMs: 420,
  });
  assert.deepEqual({ ...zones?.[1], points: [] }, { name: '', line: true, points: [], inside: 0, crossedIn: 40, crossedOut: 300, happenedMs: 0 });
  assert.equal(zones?.length, 2);
  assert.equal(parseRecord(record(HEX + '0602' + '10' + '06'), told), null, 'a line without its second count');
  const next = parseRecord(record(HEX + '0603' + '10' + '0602'), told)?.zones;
  assert.deepEqual(next?.map(({ name, inside, crossedIn, crossedOut, happenedMs }) => [name, inside, crossedIn, crossedOut, happenedMs]), [['Yard', 4, 0, 0, null], ['', 0, 1, 2, null]]);
});

test('zones are there while they are counted, and known', () => {
  const told = new Told();
  assert.deepEqual(parseRecord(record(HEX + COUNTS), told)?.zones, [], 'where they are is not known yet');
  assert.equal(parseRecord(record(HEX + COUNTS + ZONES), told)?.zones.length, 2);
  assert.deepEqual(parseRecord(record(), told)?.zones, [], 'there are none any more');
  assert.equal(parseRecord(record(HEX + COUNTS), told)?.zones.length, 2);
  assert.deepEqual(parseRecord(record(HEX + '060104'), told)?.zones, [], 'of another number');
  assert.deepEqual(parseRecord(record(HEX + '06020404'), told)?.zones, [], 'of another kind');
  assert.equal(parseRecord(record(HEX + '0505' + 'feffff7f00'), told), null, 'more points than there are bytes');
});

test('colours that the user chose are known until names come without them', () => {
  const told = new Told();
  const colours = (hex: string) => parseRecord(record(hex), told)?.objects.map(({ ownColour }) => ownColour);
  const bare = HEX.slice(0, HEX.indexOf('010d0006'));
  assert.deepEqual(colours(HEX), [null, null]);
  assert.deepEqual(colours(HEX + '0704' + '02ff8800'), [null, '#ff8800']);
  assert.deepEqual(colours(bare), [null, '#ff8800']);
  assert.deepEqual(colours(HEX + '0704' + '0000000a'), ['#00000a', null]);
  assert.deepEqual(colours(HEX), [null, null]);
});

test('a record says what is not to be drawn, for itself alone', () => {
  const told = new Told();
  const look = (hex: string) => parseRecord(record(hex), told)?.look;
  assert.deepEqual(look(HEX), WHOLE_LOOK);
  assert.deepEqual(look(HEX + '0802' + '0380'), { parts: new Set(['confidence', 'tracks', 'masks']), confidence: 128 / 255 });
  assert.deepEqual(look(HEX + '0802' + 'fc00'), { parts: new Set(['boxes', 'names']), confidence: 0 });
  assert.deepEqual(look(HEX), WHOLE_LOOK);
  assert.equal(look(HEX + '0801' + '03'), undefined, 'without the confidence');
});

test('a record within a larger message is read', () => {
  const whole = bytes(`ff${HEX}ff`);
  assert.equal(parseRecord(whole.subarray(1, -1), new Told())?.captureUs, 123456789);
});

test('sections of later versions are skipped, other versions refused', () => {
  assert.equal(parseRecord(record(HEX + '7f03aabbcc'), new Told())?.objects.length, 2);
  assert.equal(parseRecord(record('02' + HEX.slice(2)), new Told()), null);
});

test('what ends early or counts too much is no record', () => {
  const names = HEX.indexOf('010d0006') / 2;
  for (let cut = 0; cut < HEX.length / 2; cut++) {
    const read = parseRecord(record(HEX.slice(0, 2 * cut)), new Told());
    assert.equal(read !== null, cut === names, `cut at ${cut}`);
  }
  assert.equal(parseRecord(record(HEX.replace('9c0402', '9c04ffffffff7f')), new Told()), null);
});

test('a record finds its picture, whichever comes first', () => {
  const match = new MetadataMatch();
  assert.equal(match.received(withRtp(1000)), null);
  assert.equal(match.received(withRtp(4000)), null);
  assert.equal(match.shown(1000)?.rtpTimestamp, 1000);
  assert.equal(match.shown(7000), null);
  assert.equal(match.received(withRtp(7000))?.rtpTimestamp, 7000);
  assert.equal(match.shown(4000), null, 'what was passed over is forgotten');
});

test('timestamps wrap around', () => {
  const match = new MetadataMatch();
  match.received(withRtp(0xfffffff0));
  match.received(withRtp(100));
  assert.equal(match.shown(0xfffffff0)?.rtpTimestamp, 0xfffffff0);
  assert.equal(match.shown(100)?.rtpTimestamp, 100);
});

test('records without pictures do not pile up', () => {
  const match = new MetadataMatch();
  for (let i = 0; i < 1000; i++) match.received(withRtp(i));
  assert.equal(match.shown(500), null);
  assert.equal(match.shown(999)?.rtpTimestamp, 999);
});

test('a record without a picture is given at once and is no picture’s', () => {
  const match = new MetadataMatch();
  const vector = record(HEX.slice(0, 2) + '09' + HEX.slice(4)).buffer;
  assert.equal(match.received(vector)?.vector, true);
  assert.equal(match.shown(0x89abcdef), null);
});
