import { settingsOf, valueOf } from '../model/types';
import { useApp } from '../hooks/context';
import { pointsOf } from '../model/zone';
import type { BodyProps } from './FlowNode';

export function FilterBody({ node, state }: BodyProps) {
  const type = useApp().editor.types.get(node.type);
  const settings = settingsOf(node);
  const chosen = (name: string) => {
    const setting = type?.settings.find((candidate) => candidate.name === name);
    return setting === undefined ? '' : String(valueOf(node, setting));
  };
  const points = pointsOf(settings['polygon']).length;
  const what = node.type === 'zone' ? `${chosen('zoneType')}, ${points === 0 ? 'not drawn yet' : `${points} points`}` : `by ${chosen('filterMode')}`;
  const zone = state?.zone;
  return (
    <div className="body">
      <p className="facts">{what}</p>
      <p className="facts">{state === null ? '\u00a0' : `${state.passed ?? 0} passed · ${state.held ?? 0} held`}</p>
      {node.type === 'zone' && (
        <dl className="figures" data-testid={zone === undefined ? undefined : 'zone-figures'}>
          <div><dt>inside</dt><dd>{zone?.inside ?? '–'}</dd></div>
          <div><dt>in</dt><dd>{zone === undefined ? '–' : zone.entered + zone.crossed_in}</dd></div>
          <div><dt>out</dt><dd>{zone === undefined ? '–' : zone.left + zone.crossed_out}</dd></div>
        </dl>
      )}
    </div>
  );
}
