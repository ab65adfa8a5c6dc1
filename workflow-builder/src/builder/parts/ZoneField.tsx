import { useState } from 'react';
import { settingsOf, type WorkflowNode } from '../model/types';
import { ZoneDialog } from './ZoneDialog';

export type Point = readonly [number, number];

/** Points as they may stand in files: pairs or {x, y}. */
export function pointsOf(value: unknown): Point[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((point: unknown): Point[] => {
    const pair = Array.isArray(point) ? point : point !== null && typeof point === 'object' ? [(point as { x?: unknown }).x, (point as { y?: unknown }).y] : [];
    return typeof pair[0] === 'number' && typeof pair[1] === 'number' ? [[pair[0], pair[1]]] : [];
  });
}

export function ZoneField({ node, value, onChange }: { node: WorkflowNode; value: unknown; onChange: (value: unknown) => void }) {
  const [open, setOpen] = useState(false);
  const points = pointsOf(value);
  const kind = String(settingsOf(node)['zoneType'] ?? 'polygon');
  return (
    <div className="field stacked">
      <button type="button" className="button" data-testid="edit-zone" onClick={() => setOpen(true)}>
        {points.length === 0 ? `Draw the ${kind}` : `Edit the ${kind} (${points.length} points)`}
      </button>
      {open && <ZoneDialog node={node} kind={kind} points={points} onChange={onChange} onClose={() => setOpen(false)} />}
    </div>
  );
}
