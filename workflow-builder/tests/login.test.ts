import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeOf } from '../src/pages/login/outcome';

test('what the answer to a log-in means', () => {
  assert.deepEqual(outcomeOf(200, null, { next: '/wall' }), { kind: 'welcome', next: '/wall' });
  assert.deepEqual(outcomeOf(200, null, null), { kind: 'welcome', next: '/' });
  assert.deepEqual(outcomeOf(401, null, { detail: 'The password or token is wrong.' }), { kind: 'wrong', text: 'The password or token is wrong.' });
  assert.deepEqual(outcomeOf(502, null, null), { kind: 'wrong', text: 'The server answered 502.' });
  assert.deepEqual(outcomeOf(429, '7', { detail: '' }), { kind: 'wait', seconds: 7 });
  for (const retry of [null, '', 'soon', '-3', '1e9']) assert.deepEqual(outcomeOf(429, retry, null), { kind: 'wait', seconds: 12 });
});
