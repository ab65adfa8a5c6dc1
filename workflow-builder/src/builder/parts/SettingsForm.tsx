/* The form of a node, made of its table of settings. */
import { useId, useState, type ReactNode } from 'react';
import { useApp } from '../hooks/context';
import { valueOf, type NodeType, type Setting, type WorkflowNode } from '../model/types';
import { ClassPicker } from './ClassPicker';
import { ColoursField } from './ColoursField';
import { PickField, useKnown } from './PickField';
import { ZoneField } from './ZoneField';

export interface FieldProps {
  readonly node: WorkflowNode;
  readonly setting: Setting;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly onEnd: () => void;
}

/* Which settings mean something only with a certain value of another. */
const SHOWN_WHEN: Readonly<Record<string, { readonly setting: string; readonly values: readonly unknown[] }>> = {
  'detectionFilter.minDetections': { setting: 'filterMode', values: ['count', 'advanced'] },
  'detectionFilter.maxDetections': { setting: 'filterMode', values: ['count', 'advanced'] },
  'detectionFilter.selectedClasses': { setting: 'filterMode', values: ['class', 'advanced'] },
  'detectionFilter.classMode': { setting: 'filterMode', values: ['class', 'advanced'] },
  'detectionFilter.minConfidence': { setting: 'filterMode', values: ['confidence', 'advanced'] },
  'videoPreviewWebRTC.minBitrate': { setting: 'bitratePreset', values: ['custom'] },
  'videoPreviewWebRTC.startBitrate': { setting: 'bitratePreset', values: ['custom'] },
  'videoPreviewWebRTC.maxBitrate': { setting: 'bitratePreset', values: ['custom'] },
};

function NumberField({ setting, value, onChange, onEnd }: FieldProps) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const { min, max } = setting;
  const number = typeof value === 'number' ? value : Number(value ?? 0);
  const slides = min !== undefined && max !== undefined && (max - min <= 1 || (setting.step ?? 0) > 0) && max <= 100;
  const step = setting.step ?? (setting.type === 'int' ? 1 : 'any');
  const type = (text: string) => {
    setTyped(text);
    const wanted = Number(text);
    const fits = text.trim() !== '' && Number.isFinite(wanted) && (min === undefined || wanted >= min) && (max === undefined || wanted <= max);
    if (fits) onChange(setting.type === 'int' ? Math.round(wanted) : wanted);
  };
  return (
    <div className="field">
      <label htmlFor={id} title={setting.help}>{setting.label}</label>
      <div className="control">
        {slides && (
          <input
            type="range" aria-label={`${setting.label}, slider`} min={min} max={max} step={step} value={number} tabIndex={-1}
            onChange={(event) => { setTyped(null); onChange(Number(event.target.value)); }} onPointerUp={onEnd}
          />
        )}
        <input
          id={id} type="number" min={min} max={max} step={step} value={typed ?? String(Number(number.toFixed(4)))} data-testid={`setting-${setting.name}`}
          onChange={(event) => type(event.target.value)} onBlur={() => { setTyped(null); onEnd(); }}
        />
        {setting.unit !== undefined && <span className="unit">{setting.unit}</span>}
      </div>
    </div>
  );
}

function BoolField({ setting, value, onChange, onEnd }: FieldProps) {
  return (
    <label className="field switch" title={setting.help}>
      <span>{setting.label}</span>
      <input type="checkbox" role="switch" checked={value === true} data-testid={`setting-${setting.name}`} onChange={(event) => { onChange(event.target.checked); onEnd(); }} />
    </label>
  );
}

function ChoiceField({ setting, value, onChange, onEnd }: FieldProps) {
  const id = useId();
  const choices = setting.choices ?? [];
  const text = String(value);
  return (
    <div className="field">
      <label htmlFor={id} title={setting.help}>{setting.label}</label>
      <div className="control">
        <select id={id} value={text} data-testid={`setting-${setting.name}`} onChange={(event) => { onChange(event.target.value); onEnd(); }}>
          {!choices.includes(text) && <option value={text}>{text}</option>}
          {choices.map((choice) => <option key={choice} value={choice}>{choice}</option>)}
        </select>
        {setting.unit !== undefined && <span className="unit">{setting.unit}</span>}
      </div>
    </div>
  );
}

function TextField(props: FieldProps) {
  const { node, setting, value, onChange, onEnd } = props;
  const id = useId();
  const known = useKnown(node, setting.name);
  if (known !== null) return <PickField {...props} {...known} />;
  return (
    <div className="field stacked">
      <label htmlFor={id} title={setting.help}>{setting.label}</label>
      <input
        id={id} type="text" value={String(value ?? '')} spellCheck={false} autoComplete="off"
        placeholder={setting.help} data-testid={`setting-${setting.name}`} onChange={(event) => onChange(event.target.value)} onBlur={onEnd}
      />
    </div>
  );
}

function ListField(props: FieldProps) {
  if (/^(classes|selectedClasses)$/.test(props.setting.name)) return <ClassPicker {...props} />;
  if (props.setting.name === 'polygon') return <ZoneField {...props} />;
  return <JsonField {...props} />;
}

/* What has no form of its own is edited as text. */
function JsonField({ setting, value, onChange, onEnd }: FieldProps) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const type = (text: string) => {
    setTyped(text);
    try {
      onChange(JSON.parse(text));
    } catch { /* not yet */ }
  };
  return (
    <div className="field stacked">
      <label htmlFor={id} title={setting.help}>{setting.label}</label>
      <textarea id={id} rows={3} value={typed ?? JSON.stringify(value)} spellCheck={false} data-testid={`setting-${setting.name}`} onChange={(event) => type(event.target.value)} onBlur={() => { setTyped(null); onEnd(); }} />
    </div>
  );
}

/* A kind that a newer server has and this page does not is edited as text, too. */
const FIELDS: Readonly<Record<string, (props: FieldProps) => ReactNode>> = {
  bool: BoolField, int: NumberField, number: NumberField, choice: ChoiceField, text: TextField, list: ListField, object: JsonField, colors: ColoursField,
};

export function SettingsForm({ node, type }: { node: WorkflowNode; type: NodeType }) {
  const app = useApp();
  const isShown = (setting: Setting) => {
    const rule = SHOWN_WHEN[`${type.type}.${setting.name}`];
    const other = type.settings.find(({ name }) => name === rule?.setting);
    return rule === undefined || other === undefined || rule.values.includes(valueOf(node, other));
  };
  const groups = new Map<string, Setting[]>();
  for (const setting of type.settings.filter(isShown)) groups.set(setting.group ?? '', [...(groups.get(setting.group ?? '') ?? []), setting]);
  const field = (setting: Setting) => {
    const Field = FIELDS[setting.type] ?? JsonField;
    return (
      <Field
        key={setting.name} node={node} setting={setting} value={valueOf(node, setting)}
        onChange={(value) => app.set(node.id, setting.name, value)} onEnd={() => app.editor.endGesture()}
      />
    );
  };
  return (
    <form className="settings" onSubmit={(event) => event.preventDefault()}>
      {(groups.get('') ?? []).map(field)}
      {[...groups].filter(([name]) => name !== '').map(([name, settings]) => (
        <details key={name} open={name === 'X-RAY' || name === 'Custom bitrate'}>
          <summary>{name}</summary>
          {settings.map(field)}
        </details>
      ))}
    </form>
  );
}
