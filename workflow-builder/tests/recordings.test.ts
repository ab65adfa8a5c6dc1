import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WHOLE_LOOK } from '../src/player/metadata';
import { eventText, pictureAt, readLines } from '../src/pages/recordings/recorded-lines';
import { allFactsOf, causeOf, dayOf, factsOf, filterChoices, filterFrom, filterSearch, isPlain, libraryFrom, matches, roomText, timeOf, titleOf, type RecordingInfo } from '../src/pages/recordings/recording-list';
import { formatBytes } from '../src/ui/format';

// Days are the browser's: times without a zone are meant so.
const at = (local: string): string => new Date(local).toISOString();

const gate: RecordingInfo = {
  name: 'gate-20261130T140322Z', video: 'gate-20261130T140322Z.mp4', lines: 'gate-20261130T140322Z.jsonl', node_id: 'gate', workflow_name: 'Yard', label: 'Gate 3',
  start: at('2026-11-30T14:03:22'), seconds: 72.4, bytes: 1_240_000, pictures: 2172, events: 0, width: 640, height: 360, layout: 'xray', trigger: 'manual', reason: '', recording: false,
};
const NOW = new Date('2026-11-30T23:30:00');

test('the list is read, the latest first, whatever the server leaves out', () => {
  const library = libraryFrom({ recordings: [{ ...gate, name: 'old', start: at('2026-11-29T10:00:00') }, { name: 'bare' }, gate, { start: 'nameless' }, null], total: 5, max_bytes: 1e10 });
  assert.deepEqual(library?.recordings.map(({ name }) => name), [gate.name, 'old', 'bare']);
  assert.equal(library?.bytes, 2 * 1_240_000);
  assert.equal(library?.maxBytes, 1e10);
  const bare = library?.recordings[2] as RecordingInfo;
  assert.deepEqual([bare.seconds, bare.label, bare.recording, titleOf(bare), dayOf(bare), timeOf(bare), causeOf(bare)], [0, '', false, 'bare', '', '', '']);
  assert.equal(libraryFrom({ detail: 'no' }), null);
  assert.equal(libraryFrom(null), null);
});

test('days and times are those of the browser’s clock', () => {
  assert.equal(dayOf(gate), '2026-11-30');
  assert.equal(timeOf(gate), '14:03:22');
  assert.equal(dayOf({ start: at('2026-11-30T00:00:01') }), '2026-11-30');
});

test('what started it is told, and what happened', () => {
  assert.equal(causeOf({ trigger: 'manual', events: 0 }), 'By hand');
  assert.equal(causeOf({ trigger: 'manual', events: 2 }), 'By hand, 2 events');
  assert.equal(causeOf({ trigger: 'events', events: 1 }), '1 event');
  assert.equal(causeOf({ trigger: 'events', events: 0 }), 'Event');
  assert.equal(causeOf({ trigger: 'always', events: 0 }), 'All the time');
  assert.equal(causeOf({ trigger: 'detections', events: 3 }), 'Something was seen');
  assert.equal(causeOf({ trigger: '', events: 3 }), '3 events');
  assert.equal(factsOf(gate), '14:03:22 · By hand · 1.2 MB');
  assert.equal(allFactsOf(gate, NOW), 'Today 14:03:22 · 1:12 · By hand · 640×360 · 1.2 MB · Yard');
  assert.deepEqual(['xray', 'side-by-side', 'clean', 'original', ''].map((layout) => isPlain({ layout })), [false, false, true, true, false]);
});

test('sizes have two figures', () => {
  assert.deepEqual([0, 400, 999_600, 1_000_000, 1_240_000, 9_960_000, 48_400_000, 999_600_000, 3.24e9, 1e10].map(formatBytes),
    ['0 kB', '0.4 kB', '1 MB', '1 MB', '1.2 MB', '10 MB', '48 MB', '1 GB', '3.2 GB', '10 GB']);
  assert.equal(roomText({ recordings: [], bytes: 3.24e9, maxBytes: 1e10 }), '3.2 GB of 10 GB');
});

test('views and days are chosen, each with how many there are beside the other choice', () => {
  const list = [gate, { ...gate, name: 'b', node_id: 'yard', label: '' }, { ...gate, name: 'c', start: at('2026-11-29T08:00:00') }, { ...gate, name: 'd', node_id: 'gate-10', label: 'Gate 10' }];
  const all = filterChoices(list, { view: '', day: '' }, NOW);
  assert.deepEqual(all.views.map(({ text, count }) => [text, count]), [['Gate 3', 2], ['Gate 10', 1], ['yard', 1]]);
  assert.deepEqual(all.days.map(({ value, text, count }) => [value, text, count]), [['2026-11-30', 'Today', 3], ['2026-11-29', 'Yesterday', 1]]);
  const some = filterChoices(list, { view: 'yard', day: '2026-11-29' }, NOW);
  assert.deepEqual(some.views.map(({ value, count }) => [value, count]), [['gate', 1], ['yard', 0]], 'what is chosen stays, without any');
  assert.deepEqual(some.days.map(({ value, count }) => [value, count]), [['2026-11-30', 1], ['2026-11-29', 0]]);
  assert.deepEqual(list.filter((one) => matches(one, { view: 'gate', day: '2026-11-30' })).map(({ name }) => name), [gate.name]);
  for (const filter of [{ view: '', day: '' }, { view: 'a b&c', day: '' }, { view: 'x', day: '2026-11-30' }]) assert.deepEqual(filterFrom(filterSearch(filter)), filter);
  assert.equal(filterSearch({ view: '', day: '' }), '');
});

const LINES = [
  '{"type":"recording","version":1,"node_id":"keep","layout":"clean"}',
  '{"type":"picture","pts":0.000000,"time":"x","capture_us":5,"sequence":1,"width":200,"height":100,"predicted":false,"count":0,"detections":[]}',
  '{"type":"picture","pts":0.100000,"time":"x","capture_us":6,"sequence":2,"width":200,"height":100,"predicted":true,"count":1,"detections":[{"class_id":0,"class_name":"person","confidence":0.8,"bbox":[20,10,120,60],"track_id":7,"mask":{"size":[2,3],"counts":[1,5]},"keypoints":[[20,10,0.9]]}]}',
  '{"type":"zone_event","pts":0.300000,"time":"x","workflow_id":"w","node_id":"yard","event":"enter","track_id":7,"class_name":"person","inside":1}',
  '{"type":"detections_event","pts":0.100000,"time":"x","node_id":"model","count":2}',
  '{"type":"gap","pictures":3}',
  '{"type":"picture","pts":0.2000',
];

test('the lines give what happened in order, and objects in parts of the picture', () => {
  const { events, pictures } = readLines(LINES.join('\n'), true);
  assert.deepEqual(events, [{ at: 0.1, text: '2 seen by model' }, { at: 0.3, text: 'person #7 enters yard' }]);
  assert.deepEqual(pictures.map((one) => one.at), [0, 0.1]);
  const seen = pictures[1]?.seen;
  assert.deepEqual([seen?.predicted, seen?.width, seen?.height, seen?.captureUs], [true, 200, 100, 6]);
  assert.deepEqual(seen?.objects, [{
    classId: 0, className: 'person', trackId: 7, confidence: 0.8, ownColour: null, box: { x: 0.1, y: 0.1, width: 0.5, height: 0.5 },
    keyPoints: [{ x: 0.1, y: 0.1, score: 0.9 }], mask: { width: 3, height: 2, runs: [1, 5] },
  }]);
  assert.deepEqual(seen?.look, WHOLE_LOOK);
  assert.deepEqual([pictures[1]?.scheme, seen?.zones], ['', []], 'as before there were lines that tell more');
  assert.deepEqual(readLines(LINES.join('\n'), false).pictures, []);
  assert.equal(eventText({ event: 'cross_in', node_id: 'line', class_name: '', track_id: 4 }), 'something #4 crosses in line');
  assert.equal(eventText({ event: 'unheard_of', node_id: 'yard', class_name: 'car' }), 'car unheard_of yard');
});

const ZONES = '{"type":"zones","pts":0,"zones":[{"node_id":"y","name":"Yard","zone_type":"polygon","points":[[0,0],[1,0],[0.5,1]]},{"node_id":"g","name":"","zone_type":"line","points":[[0.2,0.5],[0.8,0.5]]}]}';
const counting = (zones: string, detections = '') => `{"type":"picture","pts":0,"width":10,"height":10,"detections":[${detections}],"zones":${zones}}`;
const COUNTS = '[{"node_id":"y","name":"Yard","inside":2,"happened_ms":40},{"node_id":"g","name":"","crossed_in":3,"crossed_out":1}]';
const picturesOf = (...lines: string[]) => readLines(lines.join('\n'), true).pictures;

test('zones stand where they were told to be, with what each picture counts', () => {
  const [before, first, odd, moved, none] = picturesOf(counting(COUNTS), ZONES, counting(COUNTS), counting('[{"inside":1}]'),
    '{"type":"zones","pts":1,"zones":[{"node_id":"y","zone_type":"rectangle","points":[]}]}', counting('[{"inside":4}]'),
    '{"type":"zones","pts":2,"zones":[]}', counting('[]'));
  assert.deepEqual(before?.seen.zones, [], 'where they are is not known yet');
  assert.deepEqual(first?.seen.zones, [
    { name: 'Yard', line: false, points: [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 0.5, y: 1 }], inside: 2, crossedIn: 0, crossedOut: 0, happenedMs: 40 },
    { name: '', line: true, points: [{ x: 0.2, y: 0.5 }, { x: 0.8, y: 0.5 }], inside: 0, crossedIn: 3, crossedOut: 1, happenedMs: null }]);
  assert.deepEqual(odd?.seen.zones, [], 'counts of other zones');
  assert.deepEqual(moved?.seen.zones, [{ name: '', line: false, points: [], inside: 4, crossedIn: 0, crossedOut: 0, happenedMs: null }]);
  assert.deepEqual(none?.seen.zones, []);
});

test('events name zones as they are called', () => {
  const events = ['y', 'g', 'gone'].map((id) => `{"type":"zone_event","pts":1,"node_id":"${id}","event":"enter","class_name":"car"}`);
  assert.deepEqual(readLines([ZONES, '{"type":"zones","zones":[]}', ...events].join('\n'), false).events.map(({ text }) => text), ['car enters Yard', 'car enters g', 'car enters gone']);
});

test('pictures look as they were told to from there on', () => {
  const seen = ['{"class_id":2,"class_name":"car"}', '{"class_id":7,"class_name":"truck"}', '{"class_id":0,"class_name":"person"}'].join();
  const [plain, chosen, hidden] = picturesOf(ZONES, counting(COUNTS, seen),
    '{"type":"look","pts":0,"look":{"color_scheme":"class_specific","colors":[["car","#ff8800"],["7","#00ff00"],["2","#000000"],["person","red"]],"hides":[],"min_confidence":0}}',
    counting(COUNTS, seen),
    '{"type":"look","pts":0,"look":{"color_scheme":"neon","colors":[],"hides":["boxes","zones","wings"],"min_confidence":0.5}}', counting(COUNTS, seen));
  const colours = (picture: typeof plain) => picture?.seen.objects.map(({ ownColour }) => ownColour);
  assert.deepEqual([plain?.scheme, colours(plain), plain?.seen.look], ['', [null, null, null], WHOLE_LOOK]);
  assert.deepEqual([chosen?.scheme, colours(chosen), chosen?.seen.look], ['class_specific', ['#ff8800', '#00ff00', null], WHOLE_LOOK]);
  assert.deepEqual([hidden?.scheme, colours(hidden), hidden?.seen.zones], ['neon', [null, null, null], []]);
  assert.deepEqual(hidden?.seen.look, { parts: new Set(['names', 'confidence', 'tracks', 'masks']), confidence: 0.5 });
  assert.equal(chosen?.seen.zones.length, 2);
});

test('the picture shown is the last one that has begun', () => {
  const { pictures } = readLines(LINES.join('\n'), true);
  assert.equal(pictureAt(pictures, -1), null);
  assert.equal(pictureAt(pictures, 0)?.at, 0);
  assert.equal(pictureAt(pictures, 0.09)?.at, 0);
  assert.equal(pictureAt(pictures, 0.0999995)?.at, 0.1, 'times are rounded');
  assert.equal(pictureAt(pictures, 9)?.at, 0.1);
  assert.equal(pictureAt([], 1), null);
});
