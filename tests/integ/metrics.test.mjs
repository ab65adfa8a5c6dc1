// /metrics, read by a strict reader of Prometheus' text format, and by promtool where it is installed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, runPython, startServer, testPattern } from './server.mjs';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SUFFIXES = { histogram: ['_bucket', '_sum', '_count'] };

function readLabels(text, line) {
  const labels = {};
  let rest = text;
  while (rest) {
    const [all, name, value, end] = rest.match(/^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/) ?? [];
    assert.ok(all !== undefined && !(name in labels), `labels: ${line}`);
    labels[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    rest = rest.slice(all.length);
    assert.ok(end === '' || rest, `labels: ${line}`);
  }
  return labels;
}

function readValue(text, line) {
  if (text === '+Inf') return Infinity;
  assert.match(text, /^-?(\d+(\.\d+)?(e[+-]?\d+)?|NaN)$/, line);
  return Number(text);
}

/** Fails on whatever a collector might stumble on; { family: { type, samples: [{ name, labels, value }] } }. */
export function readMetrics(text) {
  assert.ok(text.endsWith('\n') && !text.includes('\n\n'), 'lines');
  const families = new Map(), seen = new Set();
  let family, help;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = line.match(/^# (HELP|TYPE) (\S+) (.+)$/);
    if (comment?.[1] === 'HELP') {
      help = comment[2];
      assert.match(help, NAME);
      assert.ok(!families.has(help), `${help} begins twice`);
    } else if (comment) {
      assert.equal(comment[2], help, 'TYPE follows HELP');
      assert.match(comment[3], /^(counter|gauge|histogram)$/);
      if (comment[3] === 'counter') assert.match(help, /_total$/);
      else assert.doesNotMatch(help, /_total$/);
      family = { name: help, type: comment[3], samples: [] };
      families.set(help, family);
    } else {
      const [, name, braces, inside, value] = line.match(/^([^\s{]+)(\{(.*)\})? (\S+)$/) ?? assert.fail(line);
      const names = (SUFFIXES[family.type] ?? ['']).map((suffix) => family.name + suffix);
      assert.ok(names.includes(name), `${line} in ${family.name}`);
      const labels = braces ? readLabels(inside, line) : {};
      const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
      assert.ok(!seen.has(key), `twice: ${line}`);
      seen.add(key);
      family.samples.push({ name, labels, value: readValue(value, line) });
      if (family.type === 'counter') assert.ok(family.samples.at(-1).value >= 0, line);
    }
  }
  for (const one of families.values()) if (one.type === 'histogram') checkHistogram(one);
  return families;
}

function checkHistogram({ name, samples }) {
  const groups = Map.groupBy
    ? Map.groupBy(samples, ({ labels: { le, ...others } }) => JSON.stringify(others))
    : samples.reduce((map, sample) => {
      const { le, ...others } = sample.labels, key = JSON.stringify(others);
      return map.set(key, [...(map.get(key) ?? []), sample]);
    }, new Map());
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    let bound = -Infinity, count = 0;
    for (const { labels, value } of buckets) {
      const le = labels.le === '+Inf' ? Infinity : Number(labels.le);
      assert.ok(le > bound && value >= count, `${name} ${key}: ${labels.le}`);
      [bound, count] = [le, value];
    }
    assert.equal(bound, Infinity);
    assert.equal(group.find((sample) => sample.name === `${name}_count`).value, count);
    assert.ok(group.find((sample) => sample.name === `${name}_sum`).value >= 0);
  }
}

async function ask(server) {
  const answer = await fetch(`${server.url}/metrics`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await answer.text();
  const families = readMetrics(text);
  const value = (name, labels = {}) => families.get(name)?.samples.find((sample) => (
    Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted)))?.value;
  return { text, families, value };
}

test('the reader finds fault with what is wrong', () => {
  const head = '# HELP a_total A.\n# TYPE a_total counter\n';
  readMetrics(`${head}a_total{b="c\\"d"} 1\n`);
  for (const wrong of [`${head}a_total 1`, `${head}b 1\n`, `${head}a_total{b="c} 1\n`, `${head}a_total 1\na_total 2\n`,
    `${head}a_total x\n`, `${head}a_total -1\n`, '# HELP a A.\n# TYPE a counter\na 1\n', `${head}a_total{b="1",} 1\n`,
    '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n']) {
    assert.throws(() => readMetrics(wrong), wrong);
  }
});

test('recordings are counted', { timeout: 60000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-metrics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // No file may grow beyond 200 kB, so that the recording fails after a while.
  const server = await startServer(testPattern({ width: 640, height: 360, fps: 30, objects: 8 }),
    ['--data-folder', folder, '--max-recordings-mb', '50'], 'ignore', ['bash', '-c', 'ulimit -f 200; trap "" XFSZ; exec "$0" "$@"']);
  t.after(server.stop);
  const names = ['overwatch_recordings_running', 'overwatch_recordings_bytes', 'overwatch_recorded_bytes_total', 'overwatch_recorded_frames_total',
    'overwatch_recording_dropped_frames_total', 'overwatch_recording_failures_total'];
  const before = await ask(server);
  assert.deepEqual(names.map((name) => before.value(name)), names.map(() => 0));
  assert.equal(before.value('overwatch_recordings_max_bytes'), 50e6);
  await fetch(`${server.url}/api/views/view/recording`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"recording": true}' });
  const during = await eventually('a second is counted', 20, async () => {
    const metrics = await ask(server);
    return metrics.value('overwatch_recorded_frames_total') >= 20 && metrics;
  });
  assert.equal(during.value('overwatch_recordings_running'), 1);
  assert.ok(during.value('overwatch_recordings_bytes') > 10000);
  const failed = await eventually('a failure is counted', 20, async () => {
    const metrics = await ask(server);
    return metrics.value('overwatch_recording_failures_total') > 0 && metrics;
  });
  // All that was written is in one file and its lines, which stay.
  const { recordings: [recording] } = await (await fetch(`${server.url}/api/recordings`)).json();
  assert.equal(failed.value('overwatch_recordings_running'), 0);
  assert.deepEqual(['overwatch_recordings_bytes', 'overwatch_recorded_bytes_total', 'overwatch_recorded_frames_total'].map((name) => failed.value(name)),
    [recording.bytes, recording.bytes, recording.pictures]);
  const nowhere = await startServer(testPattern());
  t.after(nowhere.stop);
  assert.equal((await ask(nowhere)).value('overwatch_recordings_running'), undefined);
});

test('the figures are those of what runs', { timeout: 120000 }, async (t) => {
  // A name that has to be escaped.
  const pattern = testPattern();
  pattern.id = 'a "quoted\\ name';
  const server = await startServer(pattern);
  t.after(server.stop);
  const view = { workflow: pattern.id, node: 'view' }, source = { workflow: pattern.id, node: 'pattern' };
  const viewer = runPython('aiortc_receiver.py', [server.url, 'view', 90]);
  const during = await eventually('a viewer is counted', 20, async () => {
    const metrics = await ask(server);
    return metrics.value('overwatch_viewers', { transport: 'webrtc' }) === 1
      && metrics.value('overwatch_sent_frames_total', { transport: 'webrtc' }) > 30
      && metrics.value('overwatch_view_fps', view) > 5 && metrics; // over a whole second
  });
  await viewer;
  assert.equal(during.value('overwatch_workflows_running'), 1);
  assert.equal(during.value('overwatch_source_state', { ...source, state: 'playing' }), 1);
  assert.equal(during.value('overwatch_source_state', { ...source, state: 'ended' }), 0);
  assert.ok(during.value('process_resident_memory_bytes') > 10e6);
  assert.ok(Math.abs(during.value('process_start_time_seconds') - Date.now() / 1000) < 60);
  const later = await ask(server);
  for (const [name, labels] of [['overwatch_view_frames_total', view], ['overwatch_source_frames_total', source],
    ['overwatch_sent_bytes_total', { transport: 'webrtc' }], ['process_cpu_seconds_total', {}]]) {
    assert.ok(later.value(name, labels) > during.value(name, labels), name);
  }
  // As many as the other report says, which is read a moment later.
  const count = ({ families }, stage) => families.get('overwatch_stage_duration_seconds').samples
    .find(({ name, labels }) => name.endsWith('_count') && labels.stage === stage).value;
  const report = await (await fetch(`${server.url}/api/workflow-builder/performance`)).json();
  assert.ok(count(later, 'h264_encoding') >= 90);
  assert.ok(report.operations.h264_encoding.count >= count(later, 'h264_encoding'));
  await fetch(`${server.url}/api/workflow-builder/performance/reset`, { method: 'POST' });
  const after = await ask(server);
  assert.ok(count(after, 'h264_encoding') >= count(later, 'h264_encoding')); // counters never fall
  const tool = spawnSync('promtool', ['check', 'metrics'], { input: after.text, encoding: 'utf8' });
  if (tool.error) t.diagnostic('promtool is not installed (Debian: prometheus)');
  else assert.equal(tool.status, 0, tool.stdout + tool.stderr);
});
