/* Icons and the mark: a detection box with an eye in it. */
import { svg } from './dom';

const LOGO = `<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
<path d="M3.5 10V6A2.5 2.5 0 0 1 6 3.5h4M22 3.5h4A2.5 2.5 0 0 1 28.5 6v4M28.5 22v4a2.5 2.5 0 0 1-2.5 2.5h-4M10 28.5H6A2.5 2.5 0 0 1 3.5 26v-4"/>
<path class="eye" d="M7 16c2.3-4 5.4-6 9-6s6.7 2 9 6c-2.3 4-5.4 6-9 6s-6.7-2-9-6z"/><circle class="pupil" cx="16" cy="16" r="2.6"/></svg>`;

const PATHS = {
  back: '<path d="M9.5 3.5 5 8l4.5 4.5"/>',
  snapshot: '<path d="M2 5.5h2.6L5.7 4h4.6l1.1 1.5H14v7.2H2z"/><circle cx="8" cy="8.8" r="2.3"/>',
  fullscreen: '<path d="M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10"/>',
  chevron: '<path d="m4 10 4-4 4 4"/>',
  warning: '<path d="M8 2.5 14.5 13.5h-13z"/><path d="M8 6.5v3.2M8 11.6v.1"/>',
  copy: '<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M3.5 10.5h-1v-8h8v1"/>',
  done: '<path d="m3 8.5 3.5 3.5L13 4.5"/>',
} as const;

export function logo(): SVGSVGElement {
  return svg(LOGO);
}

export function icon(name: keyof typeof PATHS): SVGSVGElement {
  return svg(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${PATHS[name]}</svg>`);
}
