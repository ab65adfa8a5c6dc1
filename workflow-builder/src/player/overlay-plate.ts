/* What text stands on over a picture. */
import type { Rect } from './overlay-geometry';

/** Of tags of zones and of the legend; labels have the colour of their object. */
export const PLATE_GROUND = 'rgb(11 14 18 / .75)';

/** Its outline stays the context's path. */
export function fillRounded(context: CanvasRenderingContext2D, { x, y, width, height }: Rect, radius: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}
