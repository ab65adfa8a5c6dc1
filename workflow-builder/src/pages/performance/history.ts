/* A figure of the last minutes as a line, with its latest value. */
import { h, setText } from '../../ui/dom';
import { NONE } from '../../ui/format';
import { Sparkline } from '../../ui/sparkline';

const SLOTS = 300; // one a second

export class History {
  readonly element: HTMLElement;
  readonly #line: Sparkline;
  readonly #range = h('span', { class: 'range' });
  readonly #now = h('span', { class: 'now' }, NONE);
  readonly #values: (number | null)[] = [];

  constructor(label: string, readonly unit: string) {
    this.#line = new Sparkline(420, 52, SLOTS, label);
    this.element = h('figure', {}, h('figcaption', {}, h('span', {}, label), this.#now, this.#range), this.#line.element);
  }

  add(value: number | null): void {
    this.#values.push(value);
    if (this.#values.length > SLOTS) this.#values.shift();
    setText(this.#range, `0 to ${this.#line.show(this.#values)} ${this.unit}`);
    setText(this.#now, value === null ? NONE : `${value.toFixed(value < 100 ? 1 : 0)} ${this.unit}`);
  }
}
