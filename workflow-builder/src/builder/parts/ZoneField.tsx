import { useState } from 'react';
import { settingsOf } from '../model/types';
import { cornersOf, pointsOf, type ZoneKind } from '../model/zone';
import type { FieldProps } from './SettingsForm';
import { ZoneDialog } from './ZoneDialog';

export function ZoneField({ node, value, onChange, onEnd }: FieldProps) {
  const [open, setOpen] = useState(false);
  const kind = String(settingsOf(node)['zoneType'] ?? 'polygon') as ZoneKind;
  const points = cornersOf(kind, pointsOf(value));
  return (
    <div className="field stacked">
      <button type="button" className="button" data-testid="edit-zone" onClick={() => setOpen(true)}>
        {points.length === 0 ? `Draw the ${kind}` : `Edit the ${kind} (${points.length} points)`}
      </button>
      {open && <ZoneDialog node={node} kind={kind} points={points} onChange={onChange} onEnd={onEnd} onClose={() => setOpen(false)} />}
    </div>
  );
}
