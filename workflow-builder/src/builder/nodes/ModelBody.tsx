import { useState } from 'react';
import { useApp } from '../hooks/context';
import { settingsOf, valueOf } from '../model/types';
import { SettingsForm } from '../parts/SettingsForm';
import { joined, milliseconds, rate } from './facts';
import type { BodyProps } from './FlowNode';

const MOST_CLASSES = 6;

/* Two lines high whatever is seen, and before: the node does not grow and shrink with the street. */
function Counts({ counts }: { counts: Readonly<Record<string, number>> }) {
  const sorted = Object.entries(counts).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return (
    <div className="chips counts" data-testid={sorted.length > 0 ? 'counts' : undefined} title={sorted.map(([name, count]) => `${count} ${name}`).join(', ')}>
      {sorted.slice(0, MOST_CLASSES).map(([name, count]) => <span key={name} className="chip"><b>{count}</b> {name}</span>)}
      {sorted.length > MOST_CLASSES && <span className="chip">+{sorted.length - MOST_CLASSES}</span>}
    </div>
  );
}

export function ModelBody({ node, state }: BodyProps) {
  const app = useApp();
  const [open, setOpen] = useState(false);
  const type = app.editor.types.get(node.type);
  if (type === undefined) return null;
  const xray = type.settings.find((setting) => setting.name === 'enableXRay');
  const main = type.settings.filter((setting) => setting.name === 'confidence');
  const drawing = type.settings.filter((setting) => setting.group?.startsWith('X-RAY') && setting !== xray);
  const name = String(settingsOf(node)['modelId'] || 'default detector');
  const plain = (settings: typeof drawing) => ({ ...type, settings: settings.map(({ group: _group, ...setting }) => setting) });
  return (
    <div className="body nodrag">
      <p className="facts">{state === null ? name : joined(milliseconds(state.inference_ms), rate(state), `${state.detections ?? 0} seen`)}</p>
      <Counts counts={state?.counts ?? {}} />
      <SettingsForm node={node} type={plain(main)} />
      {xray !== undefined && (
        <label className="field switch" title={xray.help}>
          <span>🔍 X-RAY Mode</span>
          <input type="checkbox" role="switch" checked={valueOf(node, xray) === true} data-testid="xray-toggle" onChange={(event) => app.set(node.id, 'enableXRay', event.target.checked)} />
        </label>
      )}
      <button type="button" className="button small" aria-expanded={open} data-testid="show-settings" onClick={() => setOpen(!open)}>{open ? 'Hide Settings' : 'Show Settings'}</button>
      {open && <div className="drawing nowheel"><SettingsForm node={node} type={plain(drawing)} /></div>}
    </div>
  );
}
