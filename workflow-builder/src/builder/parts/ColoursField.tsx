/* Colours by class name: { "person": "#ff8800" }. */
import { useState } from 'react';
import { useClasses } from '../hooks/classes';
import type { FieldProps } from './SettingsForm';
import { Icon } from './Icon';

const FIRST = '#ff9500';

function coloursOf(value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

export function ColoursField({ node, setting, value, onChange, onEnd }: FieldProps) {
  const { classes } = useClasses(node);
  const [search, setSearch] = useState('');
  const colours = coloursOf(value);
  const put = (name: string, colour: string) => onChange({ ...Object.fromEntries(colours), [name]: colour });
  const free = classes.filter((one) => !colours.some(([name]) => name === one.name));
  const add = () => {
    const name = search.trim();
    setSearch('');
    if (name === '' || colours.some(([other]) => other === name)) return;
    put(name, FIRST);
    onEnd();
  };
  return (
    <fieldset className="field stacked colours" data-testid={`setting-${setting.name}`}>
      <legend title={setting.help}>{setting.label}<span className="count">{colours.length === 0 ? 'none' : colours.length}</span></legend>
      {colours.map(([name, colour]) => (
        <div key={name} className="field">
          <input type="color" value={colour} aria-label={`Colour of ${name}`} onChange={(event) => put(name, event.target.value)} onBlur={onEnd} />
          <span>{name}</span>
          <button type="button" className="tool small" aria-label={`Remove the colour of ${name}`} title="Remove" onClick={() => { onChange(Object.fromEntries(colours.filter(([other]) => other !== name))); onEnd(); }}><Icon name="close" /></button>
        </div>
      ))}
      <div className="pick">
        <input
          type="text" list={`${node.id}-classes`} value={search} placeholder="Add a class…" aria-label="Class to add a colour for" spellCheck={false} autoComplete="off"
          onChange={(event) => setSearch(event.target.value)} onKeyDown={(event) => event.key === 'Enter' && !event.ctrlKey && add()}
        />
        <button type="button" className="button small" disabled={search.trim() === ''} onClick={add}>Add</button>
      </div>
      <datalist id={`${node.id}-classes`}>{free.map((one) => <option key={one.id} value={one.name} />)}</datalist>
    </fieldset>
  );
}
