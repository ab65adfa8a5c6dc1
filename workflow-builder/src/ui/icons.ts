/* Icons and the mark: a detection box with an eye in it. */
import { svg } from './dom';

const LOGO = `<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
<path d="M3.5 10V6A2.5 2.5 0 0 1 6 3.5h4M22 3.5h4A2.5 2.5 0 0 1 28.5 6v4M28.5 22v4a2.5 2.5 0 0 1-2.5 2.5h-4M10 28.5H6A2.5 2.5 0 0 1 3.5 26v-4"/>
<path class="eye" d="M7 16c2.3-4 5.4-6 9-6s6.7 2 9 6c-2.3 4-5.4 6-9 6s-6.7-2-9-6z"/><circle class="pupil" cx="16" cy="16" r="2.6"/></svg>`;

const PATHS = {
  back: '<path d="M9.5 3.5 5 8l4.5 4.5"/>',
  snapshot: '<path d="M2 5.5h2.6L5.7 4h4.6l1.1 1.5H14v7.2H2z"/><circle cx="8" cy="8.8" r="2.3"/>',
  plain: '<path d="M2.5 3.5h11v9h-11zM3 11l3.2-3.4L8.6 10l1.7-1.6L13 11"/>',
  legend: '<path d="M2.5 4h2M7.5 4h6M2.5 8h2M7.5 8h6M2.5 12h2M7.5 12h6"/>',
  record: '<circle cx="8" cy="8" r="6"/><circle class="light" cx="8" cy="8" r="3"/>',
  fullscreen: '<path d="M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10"/>',
  chevron: '<path d="m4 10 4-4 4 4"/>',
  warning: '<path d="M8 2.5 14.5 13.5h-13z"/><path d="M8 6.5v3.2M8 11.6v.1"/>',
  copy: '<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M3.5 10.5h-1v-8h8v1"/>',
  system: '<rect x="2" y="3" width="12" height="8" rx="1"/><path d="M5.5 13.5h5M8 11v2.5"/>',
  light: '<circle cx="8" cy="8" r="2.8"/><path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1"/>',
  dark: '<path d="M13.3 9.9A5.8 5.8 0 0 1 6.1 2.7a5.8 5.8 0 1 0 7.2 7.2z"/>',
  logout: '<path d="M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3"/>',
  builder: '<path d="M2 3h4.5v3.5H2zM9.5 9.5H14V13H9.5zM4.2 6.5v4.8h5.3"/>',
  wall: '<path d="M2 3h5v4H2zM9 3h5v4H9zM2 9h5v4H2zM9 9h5v4H9z"/>',
  bars: '<path d="M3 13V9M6.5 13V5M10 13V7.5M13.5 13V3"/>',
  close: '<path d="m4 4 8 8m0-8-8 8"/>',
  hide: '<path d="M2.5 3h11M8 13V6.5M5 9l3-3 3 3"/>',
  film: '<path d="M2 3h12v10H2zM5 3v10M11 3v10M2 6.3h3M2 9.7h3M11 6.3h3M11 9.7h3"/>',
  play: '<path class="light" d="M5 3v10l8-5z"/>',
  download: '<path d="M8 2.5v8M5 7.5l3 3 3-3M2.5 13.5h11"/>',
  lines: '<path d="M3.5 1.8h6l3 3v9.4h-9zM6 7.5h4M6 10.5h4"/>',
  trash: '<path d="M2.5 4.5h11M6.5 4.5v-2h3v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4"/>',
  boxes: '<path d="M2.5 3.5h6v6h-6zM10.5 7.5h3v6h-7v-2"/>',
  done: '<path d="m3 8.5 3.5 3.5L13 4.5"/>',
} as const;

export function logo(): SVGSVGElement {
  return svg(LOGO);
}

export function icon(name: keyof typeof PATHS): SVGSVGElement {
  return svg(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${PATHS[name]}</svg>`);
}
