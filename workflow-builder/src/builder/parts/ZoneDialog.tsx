/* Drawing a zone on the picture: click adds a point, dragging moves it, Delete takes it away. */
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { useApp, useEditor } from '../hooks/context';
import { useNodeState } from '../hooks/live';
import type { WorkflowNode } from '../model/types';
import { feederOf } from '../model/wiring';
import { Dialog } from './Dialog';
import type { Point } from './ZoneField';

const REFRESH_MS = 500, KEY_STEP = 0.005;

/* The source's picture, again and again while the dialog is open. */
function usePicture(sourceId: string | null): string {
  const [address, setAddress] = useState('');
  useEffect(() => {
    if (sourceId === null) return;
    let stale = false, turn = 0;
    const next = () => {
      const image = new Image();
      const url = `/api/video/${encodeURIComponent(sourceId)}/snapshot?width=960&turn=${turn++}`;
      image.onload = () => { if (!stale) setAddress(url); };
      image.src = url;
    };
    next();
    const timer = setInterval(next, REFRESH_MS);
    return () => { stale = true; clearInterval(timer); };
  }, [sourceId]);
  return address;
}

const bounded = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;

interface Props {
  readonly node: WorkflowNode;
  readonly kind: string;
  readonly points: readonly Point[];
  readonly onChange: (points: readonly Point[]) => void;
  readonly onClose: () => void;
}

export function ZoneDialog({ node, kind, points: given, onChange, onClose }: Props) {
  const { editor } = useApp();
  const { workflow } = useEditor();
  const source = feederOf(workflow, editor.types, node.id, 'source');
  const state = useNodeState(source?.id ?? '');
  const picture = usePicture(state === null ? null : (source?.id ?? null));
  const width = state?.width || 960, height = state?.height || 540;
  const inPixels = given.some(([x, y]) => x > 1 || y > 1);
  const points: readonly Point[] = inPixels ? given.map(([x, y]) => [x / width, y / height]) : given;
  const [active, setActive] = useState(-1);
  const drawing = useRef<SVGSVGElement>(null);
  const most = kind === 'polygon' ? 64 : 2;

  const at = (event: PointerEvent): Point => {
    const box = drawing.current?.getBoundingClientRect();
    return [bounded((event.clientX - (box?.left ?? 0)) / (box?.width || 1)), bounded((event.clientY - (box?.top ?? 0)) / (box?.height || 1))];
  };
  const put = (index: number, point: Point) => onChange(points.map((old, i) => (i === index ? point : old)));
  const add = (event: PointerEvent) => {
    const point = at(event);
    const kept = points.length < most ? [...points, point] : kind === 'polygon' ? points : [point];
    onChange(kept);
    setActive(kept.length - 1);
  };
  const onKey = (event: KeyboardEvent, index: number) => {
    const point = points[index];
    const moves: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (point === undefined) return;
    if (move !== undefined) put(index, [bounded(point[0] + move[0] * KEY_STEP), bounded(point[1] + move[1] * KEY_STEP)]);
    else if (event.key === 'Delete' || event.key === 'Backspace') onChange(points.filter((_, i) => i !== index));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const places = points.map(([x, y]) => [x * width, y * height] as const);
  const [a, b] = places;
  return (
    <Dialog title={`Zone: ${kind}`} onClose={onClose} testId="zone-dialog" wide>
      <div className="zone-picture" style={{ aspectRatio: `${width} / ${height}`, maxWidth: `calc((100dvh - 190px) * ${width / height})` }}>
        {picture === '' ? <p>{state === null ? 'Execute the workflow to see its picture here.' : 'Waiting for the picture…'}</p> : <img src={picture} alt="" />}
        <svg
          ref={drawing} viewBox={`0 0 ${width} ${height}`} data-testid="zone-drawing" aria-label="Click to add a point"
          onPointerDown={(event) => event.target === event.currentTarget && add(event)}
          onPointerMove={(event) => active >= 0 && event.buttons === 1 && put(active, at(event))}
        >
          {kind === 'polygon' && <polygon className="shape" points={places.map((place) => place.join(',')).join(' ')} />}
          {kind === 'rectangle' && a !== undefined && b !== undefined && (
            <rect className="shape" x={Math.min(a[0], b[0])} y={Math.min(a[1], b[1])} width={Math.abs(a[0] - b[0])} height={Math.abs(a[1] - b[1])} />
          )}
          {kind === 'line' && a !== undefined && b !== undefined && <line className="shape" x1={a[0]} y1={a[1]} x2={b[0]} y2={b[1]} />}
          {places.map(([x, y], i) => (
            <circle
              key={i} cx={x} cy={y} r={width / 110} tabIndex={0} role="button" aria-label={`Point ${i + 1}`} data-active={i === active}
              onPointerDown={(event) => { setActive(i); event.currentTarget.focus(); }} onKeyDown={(event) => onKey(event, i)}
            />
          ))}
        </svg>
      </div>
      <footer>
        <p className="hint">Click adds a point, drag moves it; Tab and arrow keys too, Delete takes it away.{kind === 'line' ? ' Crossing from the left of the line to its right, seen from the first point, counts as in.' : ''}</p>
        <button type="button" className="button" onClick={() => { onChange([]); setActive(-1); }}>Clear</button>
      </footer>
    </Dialog>
  );
}
