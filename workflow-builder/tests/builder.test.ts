import assert from 'node:assert/strict';
import { test } from 'node:test';

import { same, settingChanges } from '../src/builder/model/changes';
import { Editor } from '../src/builder/model/editor';
import { freePlace, layout } from '../src/builder/model/layout';
import { describeModel } from '../src/builder/model/models';
import type { NodeType, Role, TypeTable } from '../src/builder/model/types';
import { addPoint, cornersOf, directionOf, handlesOf, inParts, moveAll, moveHandle, pointsOf } from '../src/builder/model/zone';
import { SeenVersion } from '../src/builder/model/version';
import { copies, feederOf, refusal } from '../src/builder/model/wiring';

const kind = (type: string, role: Role): [string, NodeType] => [type, {
  type, role, label: type, icon: null, help: '', category: '', settings: [],
  input: role === 'source' ? null : 'in', output: role === 'view' || role === 'sink' ? null : 'out',
}];
const types: TypeTable = new Map([kind('camera', 'source'), kind('model', 'model'), kind('zone', 'filter'), kind('debug', 'sink'), kind('view', 'view')]);

function editorWith(...names: string[]): { editor: Editor; ids: string[] } {
  const editor = new Editor();
  editor.setTypes(types);
  const ids = names.map((name, i) => editor.add(name, { x: 100 * i, y: 0 }).id);
  return { editor, ids };
}

test('connections that mean nothing are refused with the reason', () => {
  const { editor, ids: [camera, model, zone, debug, view] } = editorWith('camera', 'model', 'zone', 'debug', 'view') as { editor: Editor; ids: [string, string, string, string, string] };
  const why = (from: string, to: string) => refusal(editor.state.workflow, types, from, to);
  assert.match(why(camera, zone) ?? '', /put a model before it/);
  assert.match(why(camera, debug) ?? '', /put a model before it/);
  assert.match(why(zone, model) ?? '', /from a source/);
  assert.match(why(model, camera) ?? '', /no input/);
  assert.match(why(view, model) ?? '', /no output/);
  assert.match(why(model, model) ?? '', /itself/);
  assert.match(why(model, 'nobody') ?? '', /Connect/);
  for (const [from, to] of [[camera, model], [model, zone], [zone, view]] as const) assert.equal(editor.connect(from, to), null);
  assert.match(why(camera, view) ?? '', /one input already/);
  assert.equal(editor.state.workflow.edges.length, 3);
  assert.equal(feederOf(editor.state.workflow, types, view)?.id, zone);
  assert.equal(feederOf(editor.state.workflow, types, view, 'source')?.id, camera);
  assert.equal(feederOf(editor.state.workflow, types, camera), null);
});

test('circles are refused', () => {
  const { editor, ids: [a, b] } = editorWith('zone', 'zone') as { editor: Editor; ids: [string, string] };
  assert.equal(editor.connect(a, b), null);
  assert.match(refusal(editor.state.workflow, types, b, a) ?? '', /circle/);
});

test('every change can be undone and done again', () => {
  const { editor, ids } = editorWith('camera', 'view');
  const [camera, view] = ids as [string, string];
  editor.connect(camera, view);
  const whole = editor.state.workflow;
  editor.remove(new Set([camera]));
  assert.equal(editor.state.workflow.edges.length, 0);
  editor.undo();
  assert.equal(editor.state.workflow, whole);
  editor.redo();
  assert.equal(editor.state.workflow.nodes.length, 1);
  for (let i = 0; i < 4; i++) editor.undo();
  assert.equal(editor.state.workflow.nodes.length, 0);
  assert.equal(editor.state.canUndo, false);
});

test('a slider that is dragged is one step', () => {
  const { editor, ids: [id] } = editorWith('model') as { editor: Editor; ids: [string] };
  for (const value of [0.1, 0.2, 0.3]) editor.set(id, 'confidence', value);
  assert.equal(editor.state.workflow.nodes[0]?.data['confidence'], 0.3);
  editor.undo();
  assert.equal(editor.state.workflow.nodes[0]?.data['confidence'], undefined);
});

test('settings stay where the old page put them', () => {
  const editor = new Editor();
  editor.open({ id: 'w', name: 'w', nodes: [{ id: 'm', type: 'model', position: { x: 0, y: 0 }, data: { config: { fps: 5 } } }], edges: [] });
  editor.set('m', 'fps', 7);
  assert.deepEqual(editor.state.workflow.nodes[0]?.data, { config: { fps: 7 } });
  editor.set('m', 'label', 'Mine');
  assert.deepEqual(editor.state.workflow.nodes[0]?.data, { config: { fps: 7 }, label: 'Mine' });
});

test('what is saved is not dirty, what is changed is', () => {
  const { editor, ids: [id] } = editorWith('model') as { editor: Editor; ids: [string] };
  assert.equal(editor.state.dirty, true);
  editor.markSaved('w1');
  assert.equal(editor.state.dirty, false);
  assert.equal(editor.state.workflow.id, 'w1');
  editor.select(new Set([id]));
  assert.equal(editor.state.dirty, false);
  editor.set(id, 'fps', 3);
  assert.equal(editor.state.dirty, true);
  editor.markSettingsSaved(id, { fps: 3 });
  assert.equal(editor.state.dirty, false);
  editor.undo();
  assert.equal(editor.state.dirty, true);
  editor.redo();
  assert.equal(editor.state.dirty, false);
});

test('what is changed while a save is under way is not saved', () => {
  const { editor, ids: [id] } = editorWith('model') as { editor: Editor; ids: [string] };
  const sent = editor.state.workflow;
  editor.set(id, 'fps', 3);
  editor.markSaved('w1', sent);
  assert.equal(editor.state.workflow.id, 'w1');
  assert.equal(editor.state.dirty, true);
  editor.undo();
  assert.equal(editor.state.dirty, false);
});

test('a setting that went out by itself does not take other changes with it', () => {
  const { editor, ids: [id] } = editorWith('model') as { editor: Editor; ids: [string] };
  editor.markSaved('w1');
  editor.set(id, 'fps', 3);
  editor.move(new Map([[id, { x: 50, y: 50 }]]));
  editor.markSettingsSaved(id, { fps: 3 });
  assert.equal(editor.state.dirty, true);
});

test('steps back past the first save keep the id', () => {
  const { editor } = editorWith('model', 'view');
  editor.markSaved('w1');
  editor.undo();
  assert.equal(editor.state.workflow.id, 'w1');
  assert.equal(editor.state.workflow.nodes.length, 1);
  assert.equal(editor.state.dirty, true);
  editor.redo();
  assert.equal(editor.state.workflow.id, 'w1');
  assert.equal(editor.state.dirty, false);
});

test('a change by this page leads from a version seen to one seen, never past what others did', () => {
  const seen = new SeenVersion();
  assert.equal(seen.tag, null);
  seen.see('"1"');
  seen.follow('"1"', '"2"');
  assert.equal(seen.tag, '"2"');
  seen.follow('"3"', '"4"'); // somebody has made 3 of 2
  assert.equal(seen.tag, '"2"');
  seen.follow('"4"', '"5"');
  assert.equal(seen.tag, '"2"');
  seen.see('"5"');
  assert.equal(seen.tag, '"5"');
});

test('a save whose answer was lost is known again, and only that', () => {
  const seen = new SeenVersion();
  const sent = { id: 'w', name: 'Sent', version: '1.0', nodes: [{ id: 'n', type: 'camera', position: { x: 1, y: 2 }, data: { url: 'a' } }], edges: [] };
  const kept = { edges: [], nodes: [{ data: { url: 'a' }, position: { y: 2, x: 1 }, type: 'camera', id: 'n' }], version: '1.0', name: 'Sent', id: 'w' };
  assert.equal(seen.isUnsure, false);
  assert.equal(seen.isOwn(kept), false, 'nothing was sent');
  seen.sentInVain(sent);
  assert.equal(seen.isOwn(kept), true, 'in whatever order');
  assert.equal(seen.isOwn({ ...kept, name: 'Theirs' }), false);
  seen.see('"2"');
  assert.equal(seen.isOwn(kept), false, 'it is seen by its tag now');
});

test('what others have made of a workflow is taken over; what was there is one step back', () => {
  const editor = new Editor();
  editor.open({ id: 'w', name: 'Read', version: '1.0', nodes: [], edges: [] });
  editor.rename('Mine');
  const { document } = editor;
  editor.takeOver({ id: 'w', name: 'Theirs', version: '1.0', nodes: [], edges: [] });
  assert.deepEqual([editor.state.workflow.name, editor.state.dirty], ['Theirs', false]);
  assert.notEqual(editor.document, document, 'answers to what was sent before are of another document');
  editor.undo();
  assert.deepEqual([editor.state.workflow.name, editor.state.dirty], ['Mine', true]);
  editor.redo();
  assert.deepEqual([editor.state.workflow.name, editor.state.dirty], ['Theirs', false]);
});

test('changes of settings are found, an absent one is null', () => {
  const { editor, ids: [model, view] } = editorWith('model', 'view') as { editor: Editor; ids: [string, string] };
  const before = editor.state.workflow;
  editor.set(model, 'fps', 3);
  editor.set(view, 'label', 'Door');
  editor.add('zone', { x: 0, y: 0 });
  assert.deepEqual([...settingChanges(before, editor.state.workflow)], [[model, { fps: 3 }]]);
  assert.deepEqual([...settingChanges(editor.state.workflow, before)], [[model, { fps: null }]]);
  assert.ok(same({ a: null, b: [{ c: 1 }] }, { b: [{ c: 1 }] }));
  assert.ok(!same({ b: [{ c: 1 }] }, { b: [{ c: 2 }] }));
});

test('copies have ids of their own and their edges with them', () => {
  const { editor, ids } = editorWith('camera', 'model', 'view');
  const [camera, model, view] = ids as [string, string, string];
  editor.connect(camera, model);
  editor.connect(model, view);
  const made = copies({ nodes: editor.state.workflow.nodes.slice(0, 2), edges: editor.state.workflow.edges }, 10);
  assert.equal(made.nodes.length, 2);
  assert.equal(made.edges.length, 1);
  assert.equal(new Set([...ids, ...made.nodes.map((node) => node.id)]).size, 5);
  editor.select(new Set([camera, model]));
  editor.duplicate();
  assert.equal(editor.state.workflow.nodes.length, 5);
  assert.equal(editor.state.workflow.edges.length, 3);
  assert.deepEqual([...editor.state.selected].length, 2);
});

test('the layout runs from left to right and nothing overlaps', () => {
  const nodes = Array.from({ length: 30 }, (_, i) => ({ id: `n${i}`, type: 'x', position: { x: 0, y: 0 }, data: {} }));
  const edges = nodes.slice(10).map((node, i) => ({ id: `e${i}`, source: `n${i % 10}`, target: node.id }));
  const size = { width: 200, height: 90 };
  const places = layout({ nodes, edges }, () => size);
  for (const edge of edges) {
    const from = places.get(edge.source), to = places.get(edge.target);
    assert.ok(from && to && from.x + size.width < to.x);
  }
  const all = [...places.values()];
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(i + 1)) assert.ok(Math.abs(a.x - b.x) >= size.width || Math.abs(a.y - b.y) >= size.height);
  }
});

test('chains are laid out in rows of their own', () => {
  const nodes = Array.from({ length: 9 }, (_, i) => ({ id: `n${i}`, type: 'x', position: { x: 0, y: i }, data: {} }));
  const edges = [0, 3, 6].flatMap((i) => [i, i + 1].map((from) => ({ id: `e${from}`, source: `n${from}`, target: `n${from + 1}` })));
  const places = layout({ nodes, edges }, (id) => ({ width: 100, height: Number(id.slice(1)) % 3 === 2 ? 300 : 80 }));
  for (const i of [0, 3, 6]) assert.equal(new Set([i, i + 1, i + 2].map((at) => places.get(`n${at}`)?.y)).size, 1);
});

test('a circle in a saved file does not hang the layout', () => {
  const nodes = ['a', 'b'].map((id) => ({ id, type: 'x', position: { x: 0, y: 0 }, data: {} }));
  const edges = [{ id: '1', source: 'a', target: 'b' }, { id: '2', source: 'b', target: 'a' }];
  assert.equal(layout({ nodes, edges }, () => ({ width: 1, height: 1 })).size, 2);
});

test('a new node covers no other', () => {
  const size = { width: 100, height: 50 };
  const others = [{ ...size, x: 0, y: 0 }, { ...size, x: 20, y: 70 }, { ...size, x: 500, y: 0 }];
  const place = freePlace({ ...size, x: 10, y: 10 }, others);
  assert.equal(place.x, 10);
  assert.ok(place.y >= 120);
  assert.deepEqual(freePlace({ ...size, x: 200, y: 0 }, others), { x: 200, y: 0 });
});

test('zones: points of files, handles, corners in the middle of an edge', () => {
  assert.deepEqual(pointsOf([[0, 1], { x: 2, y: 3 }, 'no', [4]]), [[0, 1], [2, 3]]);
  assert.deepEqual(cornersOf('rectangle', [[0.5, 0.1], [0.5, 0.9], [0.2, 0.9], [0.2, 0.1]]), [[0.2, 0.1], [0.5, 0.9]]);
  assert.deepEqual(cornersOf('polygon', [[0, 0], [1, 0], [1, 1]]), [[0, 0], [1, 0], [1, 1]]);
  assert.deepEqual(inParts([[320, 120], [640, 480]], 640, 480), [[0.5, 0.25], [1, 1]]);
  assert.deepEqual(handlesOf('rectangle', [[0, 0], [1, 0.5]]), [[0, 0], [1, 0.5], [0, 0.5], [1, 0]]);
  assert.deepEqual(moveHandle('rectangle', [[0.1, 0.1], [0.9, 0.9]], 2, [0.2, 0.8]), [[0.2, 0.1], [0.9, 0.8]]);
  assert.deepEqual(moveHandle('polygon', [[0, 0], [1, 1]], 1, [2, -1]), [[0, 0], [1, 0]]);
  const square = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]] as const;
  assert.equal(addPoint('polygon', square, [0.9, 0.5]).index, 2);
  assert.equal(addPoint('polygon', square, [0.1, 0.5]).index, 4);
  assert.deepEqual(addPoint('line', [[0, 0], [1, 1]], [0.5, 0.5]), { points: [[0.5, 0.5]], index: 0 });
  assert.deepEqual(moveAll(square, [0.5, 0]), [[0.4, 0.2], [1, 0.2], [1, 0.8], [0.4, 0.8]]);
});

test('the direction of a line is to its right, in pixels', () => {
  assert.deepEqual(directionOf([[0, 0.5], [1, 0.5]], 200, 100), { middle: [100, 50], towards: [-0, 1] });
  assert.equal(directionOf([[0.5, 0.5], [0.5, 0.5]], 200, 100), null);
  assert.equal(directionOf([[0.5, 0.5]], 200, 100), null);
});

test('a model is described in words, or what is wrong with it', () => {
  const model = { id: 'a', name: 'a', default: false, task: 'detect', class_count: 80, input_width: 416, input_height: 416, ms: 21.7 };
  assert.equal(describeModel(model), '80 classes · 416×416 · 22 ms');
  assert.equal(describeModel({ ...model, default: true, class_count: 1, ms: 3.14 }), 'The default · 1 class · 416×416 · 3.1 ms');
  assert.equal(describeModel({ ...model, task: 'pose', input_height: 256 }), 'pose · 416×256 · 22 ms');
  assert.equal(describeModel({ id: 'b', name: 'b', default: false, error: 'no model' }), 'Cannot be used: no model');
});
