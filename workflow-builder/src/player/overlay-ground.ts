/* What objects stand on where there is no picture. */
import { gridLines, type Rect } from './overlay-geometry';

/* As of the server's schematics (src/xray/panels.c). */
const GROUND = '#0f1319';
const GRID = '#1a2029';

export function paintGround(context: CanvasRenderingContext2D, place: Rect, bounds: { width: number; height: number }): void {
  context.fillStyle = GROUND;
  context.fillRect(0, 0, bounds.width, bounds.height);
  const path = new Path2D();
  for (const { from, to } of gridLines(place)) {
    path.moveTo(from.x, from.y);
    path.lineTo(to.x, to.y);
  }
  context.lineWidth = 1;
  context.strokeStyle = GRID;
  context.stroke(path);
}
