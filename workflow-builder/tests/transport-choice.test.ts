import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { chooseTransport, chosenTransport, transportOfAddress } from '../src/ui/transport-choice';

const KEY = 'overwatch-transport';
let kept: Map<string, string>;

beforeEach(() => {
  kept = new Map();
  (globalThis as { localStorage?: unknown }).localStorage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
});

afterEach(() => {
  delete (globalThis as { localStorage?: unknown }).localStorage;
});

test('a choice is kept for its view, the last one counts', () => {
  assert.equal(chosenTransport('gate'), null);
  chooseTransport('gate', 'websocket');
  chooseTransport('yard', 'webrtc');
  assert.deepEqual([chosenTransport('gate'), chosenTransport('yard'), chosenTransport('street')], ['websocket', 'webrtc', null]);
  chooseTransport('gate', 'auto');
  assert.deepEqual([chosenTransport('gate'), chosenTransport('yard')], ['auto', 'webrtc']);
});

test('names of views are no names of anything else', () => {
  for (const name of ['__proto__', 'constructor', '', '"', 'a"],["b']) {
    assert.equal(chosenTransport(name), null);
    chooseTransport(name, 'websocket');
    assert.equal(chosenTransport(name), 'websocket');
  }
  assert.equal(chosenTransport('b'), null);
});

test('of very many views the ones chosen for first are forgotten', () => {
  for (let i = 0; i < 130; i++) chooseTransport(`view-${i}`, 'webrtc');
  assert.equal(chosenTransport('view-29'), null);
  assert.equal(chosenTransport('view-30'), 'webrtc');
  assert.equal(chosenTransport('view-129'), 'webrtc');
});

test('what others have left there is no choice', () => {
  for (const text of ['{', '{}', 'null', '7', '["gate"]', '[["gate"]]', '[["gate","tin-can"]]', '[null,[1,"webrtc"]]']) {
    kept.set(KEY, text);
    assert.equal(chosenTransport('gate'), null, text);
    chooseTransport('gate', 'webrtc');
    assert.equal(chosenTransport('gate'), 'webrtc', text);
  }
});

test('without storage nothing is kept, and nothing fails', () => {
  delete (globalThis as { localStorage?: unknown }).localStorage;
  chooseTransport('gate', 'webrtc');
  assert.equal(chosenTransport('gate'), null);
});

test('an address names a transport or none', () => {
  assert.equal(transportOfAddress('?transport=webrtc&a=b'), 'webrtc');
  assert.equal(transportOfAddress('?transport=auto'), 'auto');
  assert.equal(transportOfAddress('?transport=tin-can'), null);
  assert.equal(transportOfAddress(''), null);
});
