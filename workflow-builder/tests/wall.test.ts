import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitGrid } from '../src/pages/wall/fit';
import { jpegRate } from '../src/pages/wall/load';
import { inOrder, Roster, shownViews } from '../src/pages/wall/view-list';
import type { ViewInfo } from '../src/player/server-types';
import { recordLabel, videoAddress } from '../src/ui/recording';

const same = (count: number, ratio = 16 / 9) => new Array<number>(count).fill(ratio);

test('any number of views fits into the window', () => {
  for (const [width, height] of [[1280, 668], [1920, 1080], [3840, 2160], [700, 1400], [844, 344]] as const) {
    for (let count = 1; count <= 64; count++) {
      for (const ratio of [16 / 9, 4 / 3, 9 / 16]) {
        const fit = fitGrid(same(count, ratio), width, height, 4);
        assert.ok(fit !== null && !fit.scrolls && fit.width > 0 && fit.height > 0);
        assert.ok(fit.columns * fit.rows >= count);
        assert.ok(fit.columns * fit.width + (fit.columns - 1) * 4 <= width, `${count} in ${width}x${height}: too wide`);
        assert.ok(fit.rows * fit.height + (fit.rows - 1) * 4 <= height, `${count} in ${width}x${height}: too high`);
      }
    }
  }
});

test('the columns are those that show the most of the pictures', () => {
  const columns = (ratios: number[], width: number, height: number) => fitGrid(ratios, width, height, 0)?.columns;
  assert.equal(columns(same(1), 1600, 900), 1);
  assert.equal(columns(same(4), 1600, 900), 2);
  assert.equal(columns(same(9), 1600, 900), 3);
  assert.equal(columns(same(12), 1600, 900), 4);
  assert.equal(columns(same(2), 1600, 900), 2);
  assert.equal(columns(same(2), 900, 1600), 1);
  assert.equal(columns(same(3, 9 / 16), 1600, 900), 3);
  assert.equal(columns([], 1600, 900), undefined);
});

test('cells are as wide and high as their pictures, not more', () => {
  const one = fitGrid(same(1, 4 / 3), 1600, 900, 0);
  assert.deepEqual([one?.width, one?.height], [1200, 900]);
  const mixed = fitGrid([4 / 3, 16 / 9], 1000, 2000, 0);
  assert.deepEqual([mixed?.width, mixed?.height], [1000, 750]);
});

test('a phone has one column or two, and scrolls', () => {
  assert.deepEqual([1, 4, 5, 40].map((count) => fitGrid(same(count), 390, 700, 4)?.columns), [1, 1, 2, 2]);
  assert.equal(fitGrid(same(40), 390, 700, 4)?.scrolls, true);
  assert.deepEqual([fitGrid(same(2), 390, 700, 4)?.width, fitGrid(same(2), 390, 700, 4)?.height], [390, 219]);
});

test('more JPEGs come less often, within bounds', () => {
  const rates = [1, 8, 16, 40, 64].map(jpegRate);
  assert.deepEqual(rates, [...rates].sort((a, b) => b - a));
  assert.ok(rates.every((rate) => rate >= 2 && rate <= 10));
});

test('views stand by workflow, both in the order of their names', () => {
  const views: ViewInfo[] = [
    { node_id: '1', label: 'Gate 10', workflow_id: 'b' },
    { node_id: '2', label: 'Gate 2', workflow_id: 'b' },
    { node_id: '3', workflow_id: 'x', workflow_name: 'a' },
    { node_id: '4', label: 'Gate 2', workflow_id: 'b' },
  ];
  assert.deepEqual(inOrder(views).map(({ node_id }) => node_id), ['3', '2', '4', '1']);
});

test('a view that has gone keeps its place for a while', () => {
  const roster = new Roster(5_000);
  const a: ViewInfo = { node_id: 'a' }, b: ViewInfo = { node_id: 'b' };
  const shown = (views: ViewInfo[], now: number) => roster.update(views, now).map(({ view, running }) => `${view.node_id}${running ? '' : '-'}`).join(' ');
  assert.equal(shown([b, a], 0), 'a b');
  assert.equal(shown([b], 1_000), 'a- b');
  assert.equal(shown([b, a], 4_000), 'a b');
  assert.equal(shown([b], 8_999), 'a- b');
  assert.equal(shown([b], 9_000), 'b');
  roster.hold(60_000); // the server was away since
  assert.equal(shown([], 61_000), 'b-');
  assert.equal(shown([], 65_000), '');
});

test('a recorder is shown where nothing else of its workflow is', () => {
  const recorder = { node_id: 'keep', workflow_id: 'a', is_recorder: true }, view = { node_id: 'live', workflow_id: 'a' };
  assert.deepEqual(shownViews([recorder, view]), [view]);
  assert.deepEqual(shownViews([recorder, { ...view, workflow_id: 'b' }]), [recorder, { ...view, workflow_id: 'b' }]);
});

test('what is recorded has names', () => {
  const recording = { state: 'recording', by_hand: false, name: 'a', seconds: 1, error: '' } as const;
  assert.equal(recordLabel(undefined), 'Record');
  assert.equal(recordLabel({ ...recording, state: 'off' }), 'Record');
  assert.equal(recordLabel({ ...recording, by_hand: true }), 'End the recording');
  assert.match(recordLabel(recording), /^Go on/);
  assert.equal(videoAddress('a b'), '/api/recordings/a%20b.mp4');
});
