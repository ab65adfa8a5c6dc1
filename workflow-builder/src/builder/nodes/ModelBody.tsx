import { useState } from 'react';
import { useApp } from '../hooks/context';
import { valueOf, type Setting } from '../model/types';
import { SettingsForm } from '../parts/SettingsForm';
import { joined, milliseconds, rate } from './facts';
import type { BodyProps } from './FlowNode';

const MOST_CLASSES = 6;

function Counts({ counts }: { counts: Readonly<Record<string, number>> }) {
  const sorted = Object.entries(counts).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return (
    <div className="chips" data-testid="counts">
      {sorted.slice(0, MOST_CLASSES).map(([name, count]) => <span key={name} className="chip"><b>{count}</b> {name}</span>)}
      {sorted.length > MOST_CLASSES && <span className="chip">+{sorted.length - MOST_CLASSES}</span>}
    </div>
  );
}

export function ModelBody({ node, state }: BodyProps) {
  const app = useApp();
  const [open, setOpen] = useState(false);
  const type = app.editor.types.get(node.type);
  const xray = type?.settings.find((setting) => setting.name === 'enableXRay');
  const confidence = type?.settings.find((setting) => setting.name === 'confidence');
  const drawing = type?.settings.filter((setting) => setting.group === 'X-RAY' && setting !== xray) ?? [];
  const value = (setting: Setting | undefined) => (setting === undefined ? undefined : valueOf(node, setting));
  return (
    <div className="body nodrag">
      <p className="facts">{state === null ? `confidence ${String(value(confidence))}` : joined(milliseconds(state.inference_ms), rate(state), `${state.detections ?? 0} seen`)}</p>
      {state?.counts !== undefined && Object.keys(state.counts).length > 0 && <Counts counts={state.counts} />}
      {xray !== undefined && (
        <label className="field switch">
          <span>🔍 X-RAY Mode</span>
          <input type="checkbox" role="switch" checked={value(xray) === true} data-testid="xray-toggle" onChange={(event) => app.set(node.id, 'enableXRay', event.target.checked)} />
        </label>
      )}
      <button type="button" className="button small" aria-expanded={open} data-testid="show-settings" onClick={() => setOpen(!open)}>{open ? 'Hide Settings' : 'Show Settings'}</button>
      {open && type !== undefined && <div className="nowheel"><SettingsForm node={node} type={{ ...type, settings: drawing.map(({ group: _group, ...setting }) => setting) }} /></div>}
    </div>
  );
}
