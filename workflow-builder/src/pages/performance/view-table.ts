/* The times of each view as stacked bars, under the name of its workflow. */
import { h } from '../../ui/dom';
import { formatMs, NONE } from '../../ui/format';
import { PARTS, type ViewTimes } from './view-times';

/* The parts' medians need not add up to the median of the whole: the line begins where they end. */
function bar({ parts, p95 }: ViewTimes, longest: number): HTMLElement {
  const end = parts.reduce((sum, { p50 }) => sum + p50, 0);
  const share = (ms: number) => `${((ms / longest) * 100).toFixed(2)}%`;
  return h('div', { class: 'stack' },
    ...parts.map(({ name, label, p50: middle, p95: late }) =>
      h('span', { 'data-part': name, style: `width:${share(middle)}`, title: `${label}: p50 ${formatMs(middle)}, p95 ${formatMs(late)}` })),
    h('i', { style: `left:${share(end)};width:${share(Math.max(0, p95 - end))}` }));
}

function row(times: ViewTimes, longest: number): HTMLElement {
  const { view, parts, p50, p95 } = times;
  const watched = parts.length > 0;
  const beside = view.model_id && view.model_ms && !parts.some(({ name }) => name === 'model') ? formatMs(view.model_ms) : NONE;
  return h('tr', { 'data-testid': `times-${view.node_id}` },
    h('th', { scope: 'row' }, h('a', { href: `/view/${encodeURIComponent(view.node_id)}` }, view.label || view.node_id)),
    h('td', {}, watched ? bar(times, longest) : h('span', { class: 'rest' }, 'at rest: nobody watches')),
    ...[watched ? formatMs(p50) : NONE, watched ? formatMs(p95) : NONE, beside].map((text) => h('td', { class: 'number' }, text)));
}

export class ViewTable {
  readonly element: HTMLElement;
  readonly #bodies = h('table', { class: 'views' });
  readonly #legend = h('ul', { class: 'legend' }, ...PARTS.map(({ name, label }) => h('li', {}, h('span', { 'data-part': name }), label)),
    h('li', {}, h('span', { class: 'whisker' }), 'to p95'));
  readonly #empty = h('p', { class: 'rest' }, 'No view is running.');

  constructor() {
    this.element = h('div', {}, this.#empty, this.#bodies, this.#legend);
    this.show([]);
  }

  show(all: readonly ViewTimes[]): void {
    this.#empty.hidden = all.length > 0;
    this.#bodies.hidden = this.#legend.hidden = all.length === 0;
    const longest = Math.max(0.1, ...all.map(({ p95 }) => p95));
    const groups = new Map<string, ViewTimes[]>();
    for (const times of all) {
      const name = times.view.workflow_name || times.view.workflow_id || 'Views';
      groups.set(name, [...(groups.get(name) ?? []), times]);
    }
    const head = h('thead', {}, h('tr', {}, ...['View', '', 'p50', 'p95', 'Model beside'].map((text) => (text === '' ? h('td') : h('th', { scope: 'col' }, text)))));
    this.#bodies.replaceChildren(head, ...[...groups].map(([name, members]) =>
      h('tbody', {}, h('tr', { class: 'workflow' }, h('th', { colspan: '5', scope: 'rowgroup' }, name)), ...members.map((times) => row(times, longest)))));
  }
}
