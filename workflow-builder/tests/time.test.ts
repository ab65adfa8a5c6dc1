import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dayLabel, fileStamp, formatDay, formatDuration, formatTime, formatUptime } from '../src/ui/time';

test('how long a video is, and how long something has been so', () => {
  assert.deepEqual([0, 7.9, 60, 754, 3723, -1].map(formatDuration), ['0:00', '0:07', '1:00', '12:34', '1:02:03', '0:00']);
  assert.deepEqual([0, 59.9, 61, 4000, 172_799, 260_000].map(formatUptime), ['0 s', '59 s', '1 min', '1 h 6 min', '47 h 59 min', '3 d']);
});

test('days and times are those of the browser’s clock', () => {
  const night = new Date('2026-03-02T00:00:01');
  assert.deepEqual([formatDay(night), formatTime(night)], ['2026-03-02', '00:00:01']);
  assert.deepEqual([formatDay(new Date('')), formatTime(new Date(''))], ['', '']);
});

test('days have names', () => {
  const now = new Date('2026-11-30T23:30:00');
  const names = [['2026-11-30', 'Today'], ['2026-11-29', 'Yesterday'], ['2026-11-28', 'Sat 28 Nov'], ['2025-03-02', 'Sun 2 Mar 2025'], ['', 'Some time']] as const;
  for (const [day, name] of names) assert.equal(dayLabel(day, now), name);
  // Yesterday is so through the change of the clocks, whose day has 23 or 25 hours.
  assert.equal(dayLabel('2026-03-28', new Date('2026-03-29T12:00:00')), 'Yesterday');
  assert.equal(dayLabel('2026-10-25', new Date('2026-10-26T00:30:00')), 'Yesterday');
});

test('names of files have their time in UTC', () => {
  assert.equal(fileStamp(new Date('2026-11-30T15:03:22.480+01:00')), '20261130T140322Z');
});
