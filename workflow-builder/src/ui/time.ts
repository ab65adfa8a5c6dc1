/* Dates, times and durations as people read them, and as names of files have them. Days and times are
 * those of the browser's clock. Pure. */

const two = (number: number): string => String(number).padStart(2, '0');
const isKnown = (date: Date): boolean => !Number.isNaN(date.getTime());

/** Of a video: "0:07", "12:34", "1:02:03". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** How long something has been so: "59 s", "12 min", "1 h 6 min", "3 d". */
export function formatUptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

/** "14:03:22"; '' when it is not known. */
export function formatTime(date: Date): string {
  return isKnown(date) ? [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':') : '';
}

/** "2026-11-30"; '' when it is not known. */
export function formatDay(date: Date): string {
  return isKnown(date) ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}` : '';
}

/** Of such a day: "Today", "Yesterday", "Sat 28 Nov", with the year when it is another one. */
export function dayLabel(day: string, now: Date): string {
  if (day === '') return 'Some time';
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const daysAgo = Math.round((new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime() - new Date(year, month - 1, date).getTime()) / 86_400_000);
  if (daysAgo === 0) return 'Today';
  if (daysAgo === 1) return 'Yesterday';
  const part = (what: 'weekday' | 'month') => new Date(year, month - 1, date).toLocaleDateString('en', { [what]: 'short' });
  return `${part('weekday')} ${date} ${part('month')}${year === now.getFullYear() ? '' : ` ${year}`}`;
}

/** "20261130T140322Z": in the name of a file, in UTC, as the server has it in those of recordings. */
export const fileStamp = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');
