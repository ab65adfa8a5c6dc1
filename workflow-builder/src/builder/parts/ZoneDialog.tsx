/* Drawing a zone on the live picture. */
import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { useApp, useEditor } from '../hooks/context';
import { useNodeState } from '../hooks/live';
import type { WorkflowNode } from '../model/types';
import { feederOf } from '../model/wiring';
import { addPoint, directionOf, handlesOf, inParts, moveAll, moveHandle, type Point, type ZoneKind } from '../model/zone';
import { followSource } from '../snapshots';
import { Dialog } from './Dialog';

const REFRESH_MS = 100, KEY_STEP = 0.005, WIDTH = 960;
const WHOLE = -1; // what is dragged: the whole shape, else a handle

const HINTS: Readonly<Record<ZoneKind, string>> = {
  polygon: 'Click adds a corner; drag corners or the whole. Tab and arrows move one, + adds, Delete takes it away.',
  rectangle: 'Drag from one corner to the other; drag corners or the whole. Tab and arrows move one, Delete takes it away.',
  line: 'Drag from one end to the other. Crossing it the way the arrow points counts as in. Tab and arrows move an end.',
};

function Picture({ sourceId }: { sourceId: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => (canvas.current === null ? undefined : followSource(canvas.current, { id: sourceId, width: WIDTH, periodMs: REFRESH_MS })), [sourceId]);
  return <canvas ref={canvas} />;
}

function Shape({ kind, points, width, height }: { kind: ZoneKind; points: readonly Point[]; width: number; height: number }) {
  const places = points.map(([x, y]) => [x * width, y * height] as const);
  const [a, b] = places;
  if (kind === 'polygon') return <polygon className="shape" points={places.map((place) => place.join(',')).join(' ')} />;
  if (a === undefined || b === undefined) return null;
  if (kind === 'rectangle') return <rect className="shape" x={Math.min(a[0], b[0])} y={Math.min(a[1], b[1])} width={Math.abs(a[0] - b[0])} height={Math.abs(a[1] - b[1])} />;
  const direction = directionOf(points, width, height);
  const reach = width / 16;
  return (
    <>
      <line className="shape" x1={a[0]} y1={a[1]} x2={b[0]} y2={b[1]} />
      {direction !== null && (
        <g className="direction" data-testid="zone-direction" transform={`translate(${direction.middle.join(' ')})`}>
          <line x2={direction.towards[0] * reach} y2={direction.towards[1] * reach} />
          <path d={`M0 0 L${-reach / 3} ${reach / 5} L${-reach / 3} ${-reach / 5}z`} transform={`translate(${direction.towards[0] * reach} ${direction.towards[1] * reach}) rotate(${(Math.atan2(direction.towards[1], direction.towards[0]) * 180) / Math.PI})`} />
          <text x={direction.towards[0] * reach * 1.5} y={direction.towards[1] * reach * 1.5} fontSize={width / 45}>in</text>
        </g>
      )}
    </>
  );
}

interface Props {
  readonly node: WorkflowNode;
  readonly kind: ZoneKind;
  readonly points: readonly Point[];
  readonly onChange: (points: readonly Point[]) => void;
  readonly onEnd: () => void;
  readonly onClose: () => void;
}

export function ZoneDialog({ node, kind, points: given, onChange, onEnd, onClose }: Props) {
  const { editor } = useApp();
  const { workflow } = useEditor();
  const source = feederOf(workflow, editor.types, node.id, 'source');
  const state = useNodeState(source?.id ?? '');
  const width = state?.width || 960, height = state?.height || 540;
  const points = inParts(given, width, height);
  const drawing = useRef<SVGSVGElement>(null);
  const drag = useRef<{ handle: number; from: Point; points: readonly Point[] } | null>(null);
  const handles = handlesOf(kind, points);

  const at = (event: PointerEvent): Point => {
    const box = drawing.current?.getBoundingClientRect();
    return [(event.clientX - (box?.left ?? 0)) / (box?.width || 1), (event.clientY - (box?.top ?? 0)) / (box?.height || 1)];
  };
  const put = (next: readonly Point[]) => {
    onChange(next);
    onEnd();
  };
  const grab = (event: PointerEvent, handle: number, from: readonly Point[]) => {
    drag.current = { handle, from: at(event), points: from };
    drawing.current?.setPointerCapture(event.pointerId);
  };
  const press = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const { handle } = (event.target as SVGElement).dataset;
    if (handle !== undefined) {
      (event.target as SVGElement).focus(); // the drawing has the pointer; Delete and arrows are for the point
      return grab(event, Number(handle), points);
    }
    if (event.target !== event.currentTarget) return grab(event, WHOLE, points);
    const added = addPoint(kind, points, at(event));
    if (added.index < 0) return;
    /* The first point of two is where a drag begins; the second follows it. */
    const both = kind !== 'polygon' && added.points.length === 1 ? [...added.points, ...added.points] : added.points;
    onChange(both);
    grab(event, both.length > added.points.length ? 1 : added.index, both);
  };
  const move = (event: PointerEvent) => {
    const held = drag.current;
    if (held === null) return;
    const to = at(event);
    onChange(held.handle === WHOLE ? moveAll(held.points, [to[0] - held.from[0], to[1] - held.from[1]]) : moveHandle(kind, held.points, held.handle, to));
  };
  /* Only a click: the other end is where the next one goes. */
  const release = () => {
    if (drag.current === null) return;
    drag.current = null;
    const [a, b] = points;
    if (kind !== 'polygon' && a !== undefined && b !== undefined && Math.hypot(a[0] - b[0], a[1] - b[1]) < 0.01) onChange([a]);
    onEnd();
  };
  const onKey = (event: KeyboardEvent, index: number) => {
    const point = handles[index];
    const moves: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = moves[event.key];
    const step = event.shiftKey ? 10 * KEY_STEP : KEY_STEP;
    if (point === undefined) return;
    if (way !== undefined) put(moveHandle(kind, points, index, [point[0] + way[0] * step, point[1] + way[1] * step]));
    else if (event.key === 'Delete' || event.key === 'Backspace') put(points.filter((_, i) => i !== index));
    else if (event.key === '+' && kind === 'polygon') addBehind(index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const addBehind = (index: number) => {
    const a = points[index] ?? [0.25, 0.25], b = points[(index + 1) % Math.max(1, points.length)] ?? a;
    const between: Point = points.length < 2 ? [a[0] + 0.2, a[1] + 0.2 * points.length] : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    put(addPoint(kind, points, points.length === 0 ? a : between).points);
  };

  return (
    <Dialog title={`Zone: ${kind}`} onClose={onClose} testId="zone-dialog" wide>
      <div className="zone-picture" style={{ aspectRatio: `${width} / ${height}`, maxWidth: `calc((100dvh - 190px) * ${width / height})` }}>
        {state === null || source === null ? <p>Execute the workflow to see its picture here.</p> : <Picture sourceId={source.id} />}
        <svg
          ref={drawing} viewBox={`0 0 ${width} ${height}`} data-testid="zone-drawing" aria-label="The zone on the picture"
          onPointerDown={press} onMouseDown={(event) => event.preventDefault() /* would take the focus from the point */} onPointerMove={move} onPointerUp={release} onPointerCancel={release}
        >
          <Shape kind={kind} points={points} width={width} height={height} />
          {handles.map(([x, y], i) => (
            <circle
              key={i} cx={x * width} cy={y * height} r={width / 110} tabIndex={0} role="button" data-handle={i} data-first={i === 0}
              aria-label={`Point ${i + 1} of ${handles.length}, ${Math.round(x * 100)} % from the left, ${Math.round(y * 100)} % from the top`}
              onKeyDown={(event) => onKey(event, i)}
            />
          ))}
        </svg>
      </div>
      <footer>
        <p className="hint">{HINTS[kind]}</p>
        {kind === 'line' && <button type="button" className="button" disabled={points.length < 2} data-testid="zone-turn" onClick={() => put([...points].reverse())}>Turn round</button>}
        {kind === 'polygon' || points.length < 2 ? <button type="button" className="button" data-testid="zone-add" onClick={() => addBehind(points.length - 1)}>Add a point</button> : null}
        <button type="button" className="button" disabled={points.length === 0} onClick={() => put([])}>Clear</button>
      </footer>
    </Dialog>
  );
}
