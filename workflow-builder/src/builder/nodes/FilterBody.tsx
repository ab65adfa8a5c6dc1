import { settingsOf } from '../model/types';
import { pointsOf } from '../parts/ZoneField';
import type { BodyProps } from './FlowNode';

export function FilterBody({ node, state }: BodyProps) {
  const settings = settingsOf(node);
  const zone = state?.zone;
  const what = node.type === 'zone' ? `${String(settings['zoneType'] ?? 'polygon')}, ${pointsOf(settings['polygon']).length} points` : `by ${String(settings['filterMode'] ?? 'confidence')}`;
  return (
    <div className="body">
      <p className="facts">{state === null ? what : `${state.passed ?? 0} passed · ${state.held ?? 0} held`}</p>
      {zone !== undefined && (
        <dl className="figures" data-testid="zone-figures">
          <div><dt>inside</dt><dd>{zone.inside}</dd></div>
          <div><dt>in</dt><dd>{zone.entered + zone.crossed_in}</dd></div>
          <div><dt>out</dt><dd>{zone.left + zone.crossed_out}</dd></div>
        </dl>
      )}
    </div>
  );
}
