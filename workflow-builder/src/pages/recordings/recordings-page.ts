/* /recordings: what was recorded, the latest first; one of them can be opened: its name is the address' #. */
import { errorSentence } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { dayLabel, formatDuration } from '../../ui/time';
import { logo } from '../../ui/icons';
import { pageTools } from '../../ui/page-tools';
import { checkSession } from '../../ui/session';
import { emptyState } from './empty-state';
import { PlayerDialog, sourceOf } from './player-dialog';
import { RecordingCard } from './recording-card';
import { dayOf, filterChoices, filterFrom, filterSearch, libraryFrom, matches, roomText, timeOf, titleOf, type Choice, type Filter, type Library, type RecordingInfo } from './recording-list';
import { Thumbnails } from './thumbnails';

const LIVE_PERIOD_MS = 1_000;
const PERIOD_MS = 4_000;
const TOAST_MS = 6_000;
const SILENT = 'The server does not answer; trying again.';
/* A growing file has pictures to show from then on. */
const FIRST_PICTURES_S = 1.5;

interface Day {
  readonly section: HTMLElement;
  readonly heading: HTMLElement;
  readonly list: HTMLUListElement;
}

export class RecordingsPage {
  readonly element: HTMLElement;
  readonly #views = h('select', { 'aria-label': 'View', 'data-testid': 'filter-view', change: () => this.#choose() });
  readonly #days = h('select', { 'aria-label': 'Day', 'data-testid': 'filter-day', change: () => this.#choose() });
  readonly #summary = h('p', { class: 'summary', 'data-testid': 'summary' });
  readonly #fill = h('i', {});
  readonly #meter = h('div', { class: 'meter', role: 'meter', 'aria-label': 'Room used', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.#fill);
  readonly #roomText = h('span', {});
  readonly #room = h('div', { class: 'room', title: 'When it is full, the oldest recordings go first (--max-recordings-mb)', hidden: true, 'data-testid': 'room' }, this.#meter, this.#roomText);
  readonly #trouble = h('p', { class: 'page-trouble', role: 'alert', hidden: true, 'data-testid': 'trouble' });
  readonly #all = h('button', { type: 'button', class: 'button', click: () => this.#chooseAll() }, 'Show all');
  readonly #filters = h('div', { class: 'filters', hidden: true }, this.#views, this.#days, this.#all, this.#summary);
  readonly #sections = h('div', { class: 'days' });
  readonly #main = h('main', {}, this.#filters, this.#sections);
  readonly #toast = h('div', { class: 'toast', role: 'status', hidden: true });
  readonly #dialog: PlayerDialog;
  readonly #thumbnails = new Thumbnails();
  readonly #cards = new Map<string, RecordingCard>();
  readonly #dayParts = new Map<string, Day>();
  #library: Library | null = null;
  #filter: Filter = filterFrom(location.search);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toastTimer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor() {
    this.#dialog = new PlayerDialog({ closed: (name) => this.#closed(name), remove: (name) => void this.#remove(name), step: (by) => this.#step(by) });
    this.element = h('div', { id: 'app' },
      h('header', { class: 'bar' },
        h('a', { class: 'brand', href: '/', 'aria-label': 'Workflow builder' }, logo()), h('h1', {}, 'Recordings'), this.#room, pageTools()),
      this.#trouble, this.#main, this.#toast, this.#dialog.element);
  }

  start(): void {
    void this.#refresh();
    document.addEventListener('visibilitychange', () => document.hidden || void this.#refresh());
    window.addEventListener('hashchange', () => this.#followAddress());
  }

  /* ---- what the server has ---- */

  async #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    if (!document.hidden) {
      const answer = await this.#ask();
      if (asked !== this.#asked) return; // another one has been asked for meanwhile
      if (typeof answer === 'string') this.#complain(answer);
      else this.#show(answer);
    }
    const live = this.#library?.recordings.some(({ recording }) => recording) === true;
    this.#timer = setTimeout(() => void this.#refresh(), live ? LIVE_PERIOD_MS : PERIOD_MS);
  }

  /** A sentence when there is no list. */
  async #ask(): Promise<Library | string> {
    try {
      const response = await fetch('/api/recordings');
      if (response.status === 401) void checkSession();
      return response.ok ? (libraryFrom(await response.json()) ?? 'The server’s answer has no recordings in it.') : await errorSentence(response);
    } catch {
      return SILENT;
    }
  }

  #complain(text: string): void {
    setText(this.#trouble, text);
    this.#trouble.hidden = text === '';
    setData(this.#main, 'stale', String(text !== ''));
  }

  /* ---- the list ---- */

  #show(library: Library): void {
    const first = this.#library === null;
    this.#library = library;
    this.#complain('');
    const full = library.maxBytes > 0 ? Math.min(100, (100 * library.bytes) / library.maxBytes) : 0;
    this.#room.hidden = library.maxBytes === 0;
    this.#meter.setAttribute('aria-valuenow', full.toFixed(0));
    this.#meter.setAttribute('aria-valuetext', roomText(library));
    this.#fill.style.width = `${full.toFixed(1)}%`;
    setText(this.#roomText, roomText(library));
    this.#render();
    if (first) this.#followAddress();
    const open = library.recordings.find(({ name }) => name === this.#dialog.name);
    if (open !== undefined) this.#dialog.update(open, ...this.#neighbours(open.name));
  }

  get #visible(): readonly RecordingInfo[] {
    return (this.#library?.recordings ?? []).filter((one) => matches(one, this.#filter));
  }

  #render(): void {
    const library = this.#library;
    if (library === null) return;
    const none = library.recordings.length === 0, empty = this.#main.querySelector('.empty');
    this.#filters.hidden = none;
    if (none && empty === null) this.#main.append(emptyState(library.maxBytes > 0));
    else if (!none) empty?.remove();
    const visible = this.#visible, names = new Set(visible.map(({ name }) => name));
    for (const [name, card] of this.#cards) if (!names.has(name)) this.#drop(name, card);
    this.#fillFilters(library);
    const seconds = visible.reduce((sum, one) => sum + one.seconds, 0);
    setText(this.#summary, visible.length === 0 ? 'None here' : `${visible.length === 1 ? '1 recording' : `${visible.length} recordings`}, ${formatDuration(seconds)} in all`);
    this.#place(visible);
  }

  #fillFilters(library: Library): void {
    const { views, days } = filterChoices(library.recordings, this.#filter, new Date());
    const fill = (select: HTMLSelectElement, all: string, list: readonly Choice[], chosen: string) => {
      const rows = [{ value: '', text: all }, ...list.map(({ value, text, count }) => ({ value, text: `${text} (${count})` }))];
      const state = JSON.stringify(rows);
      if (select.dataset['rows'] !== state) {
        select.dataset['rows'] = state;
        select.replaceChildren(...rows.map(({ value, text }) => h('option', { value }, text)));
      }
      if (select.value !== chosen) select.value = chosen;
    };
    fill(this.#views, 'All views', views, this.#filter.view);
    fill(this.#days, 'All days', days, this.#filter.day);
    this.#all.disabled = this.#filter.view === '' && this.#filter.day === '';
  }

  /* Only what is not in its place moves. */
  #place(visible: readonly RecordingInfo[]): void {
    const places = new Map<string, HTMLElement[]>();
    for (const recording of visible) {
      const day = dayOf(recording);
      places.set(day, [...(places.get(day) ?? []), this.#card(recording).element]);
    }
    for (const [day, { section }] of this.#dayParts) {
      if (places.has(day)) continue;
      section.remove();
      this.#dayParts.delete(day);
    }
    const put = (parent: Element, children: readonly Element[]) => children.forEach((child, i) => {
      const there = parent.children[i];
      if (there !== child) parent.insertBefore(child, there ?? null);
    });
    const days = [...places].map(([day, cards]) => {
      const part = this.#day(day);
      setText(part.heading, dayLabel(day, new Date()));
      put(part.list, cards);
      return part.section;
    });
    put(this.#sections, days);
  }

  #day(day: string): Day {
    const known = this.#dayParts.get(day);
    if (known !== undefined) return known;
    const heading = h('h2', { id: `day-${day}` }), list = h('ul', { class: 'cards' });
    const part = { section: h('section', { 'aria-labelledby': heading.id }, heading, list), heading, list };
    this.#dayParts.set(day, part);
    return part;
  }

  #card(recording: RecordingInfo): RecordingCard {
    const { name } = recording;
    let card = this.#cards.get(name);
    if (card === undefined) {
      card = new RecordingCard(recording, { open: (one) => this.#goTo(one), remove: (one) => void this.#remove(one) });
      this.#cards.set(name, card);
    } else {
      card.show(recording);
    }
    if (card.canvas.dataset['drawn'] === undefined && (!recording.recording || recording.seconds > FIRST_PICTURES_S)) {
      card.canvas.dataset['drawn'] = 'false';
      this.#thumbnails.want(card.canvas, sourceOf(recording), recording.seconds);
    }
    return card;
  }

  #drop(name: string, card: RecordingCard): void {
    this.#thumbnails.forget(card.canvas);
    card.element.remove();
    this.#cards.delete(name);
  }

  #chooseAll(): void {
    this.#views.value = this.#days.value = '';
    this.#choose();
    this.#views.focus();
  }

  #choose(): void {
    this.#filter = { view: this.#views.value, day: this.#days.value };
    history.replaceState(null, '', location.pathname + filterSearch(this.#filter) + location.hash);
    this.#render();
  }

  /* ---- one of them ---- */

  /** Is there one before it in the list, and one after it? */
  #neighbours(name: string): [boolean, boolean] {
    const visible = this.#visible, at = visible.findIndex((one) => one.name === name);
    return [at > 0, at >= 0 && at + 1 < visible.length];
  }

  #goTo(name: string): void {
    history.replaceState(null, '', `${location.pathname}${location.search}#${encodeURIComponent(name)}`);
    this.#followAddress();
  }

  #followAddress(): void {
    let name = '';
    try {
      name = decodeURIComponent(location.hash.slice(1));
    } catch {
      /* no name of ours */
    }
    const wanted = this.#library?.recordings.find((one) => one.name === name);
    if (wanted === undefined) {
      if (name !== '' && this.#library !== null) this.#say('This recording is no longer there.');
      this.#dialog.close();
    } else if (this.#dialog.name !== name) {
      this.#dialog.open(wanted, ...this.#neighbours(name));
    }
  }

  #closed(name: string): void {
    history.replaceState(null, '', location.pathname + location.search);
    this.#cards.get(name)?.focus();
  }

  #step(by: number): void {
    const visible = this.#visible;
    const next = visible[visible.findIndex(({ name }) => name === this.#dialog.name) + by];
    if (next !== undefined) this.#goTo(next.name);
  }

  async #remove(name: string): Promise<void> {
    const recording = this.#library?.recordings.find((one) => one.name === name);
    if (recording === undefined || !confirm(`Delete the recording of ${titleOf(recording)}, ${dayLabel(dayOf(recording), new Date())} ${timeOf(recording)}?\n\nThe video and what was seen in it are gone then.`)) return;
    const visible = this.#visible, at = visible.findIndex((one) => one.name === name);
    const next = visible[at + 1] ?? visible[at - 1];
    let refusal = '';
    try {
      const response = await fetch(`/api/recordings/${encodeURIComponent(name)}`, { method: 'DELETE' });
      if (!response.ok && response.status !== 404) refusal = await errorSentence(response);
    } catch {
      refusal = 'The server does not answer. Nothing was deleted.';
    }
    if (refusal !== '') {
      this.#say(refusal);
      return;
    }
    this.#dialog.close();
    await this.#refresh();
    this.#say(`Deleted the recording of ${titleOf(recording)}.`);
    if (next !== undefined) this.#cards.get(next.name)?.focus();
  }

  #say(text: string): void {
    if (this.#dialog.name !== '') {
      this.#dialog.say(text);
      return;
    }
    this.#toast.textContent = text;
    this.#toast.hidden = false;
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => (this.#toast.hidden = true), TOAST_MS);
  }
}
