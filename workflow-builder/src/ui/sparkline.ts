/* Latency of the last minute as a line: geometry is pure, drawing is one SVG path. */
import { svg } from './dom';

export interface SparklineShape {
  readonly path: string;
  readonly top: number;
}

/** A round value at or above every sample, so that the scale does not jitter. */
export function scaleTop(values: readonly (number | null)[]): number {
  const highest = Math.max(1, ...values.filter((value): value is number => value !== null));
  const steps = [10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000];
  return steps.find((step) => step >= highest) ?? Math.ceil(highest / 5000) * 5000;
}

/** Newest sample at the right edge; gaps where there was no picture. */
export function sparklineShape(values: readonly (number | null)[], slots: number, width: number, height: number): SparklineShape {
  const top = scaleTop(values);
  const offset = slots - values.length;
  let pen = 'M';
  let path = '';
  values.forEach((value, index) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    const x = ((offset + index) / (slots - 1)) * width;
    const y = height - (Math.min(Math.max(value, 0), top) / top) * height;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return { path, top };
}

export class Sparkline {
  readonly element: SVGSVGElement;
  readonly #line: SVGPathElement;

  constructor(readonly width: number, readonly height: number, readonly slots: number, label = 'Latency of the last minute') {
    this.element = svg(`<svg class="sparkline" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">
<path class="rule" d="M0 ${height / 2}H${width}M0 .5H${width}M0 ${height - 0.5}H${width}"/><path class="line" d=""/></svg>`);
    this.#line = this.element.querySelector('.line') as SVGPathElement;
  }

  /** Returns the value at the top of the scale. */
  show(values: readonly (number | null)[]): number {
    const { path, top } = sparklineShape(values, this.slots, this.width, this.height);
    this.#line.setAttribute('d', path);
    return top;
  }
}
