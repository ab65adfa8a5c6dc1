/* Classes of the model, chosen by name. An empty list means all of them, so "none" is only where one
 * begins to choose from. */
import { useState } from 'react';
import { useClasses } from '../hooks/classes';
import type { ClassName } from '../server';
import type { FieldProps } from './SettingsForm';

export function ClassPicker({ node, setting, value, onChange, onEnd }: FieldProps) {
  const { classes, failure } = useClasses(node);
  const [search, setSearch] = useState('');
  const [fromNone, setFromNone] = useState(false);
  const chosen = (Array.isArray(value) ? value : []) as readonly (string | number)[];
  const all = chosen.length === 0 && !fromNone;
  const isChosen = (one: ClassName) => all || chosen.includes(one.name) || chosen.includes(one.id);
  const put = (list: readonly (string | number)[]) => {
    onChange(list);
    onEnd();
  };
  const toggle = (one: ClassName) => {
    setFromNone(false);
    if (!isChosen(one)) return put(chosen.length + 1 === classes.length ? [] : [...chosen, one.name]);
    const rest = all ? classes.map(({ name }) => name).filter((name) => name !== one.name) : chosen.filter((entry) => entry !== one.name && entry !== one.id);
    setFromNone(rest.length === 0);
    put(rest);
  };
  const shown = classes.filter((one) => one.name.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <fieldset className="field stacked classes">
      <legend title={setting.help}>{setting.label}<span className="count">{chosen.length === 0 ? 'all' : `${chosen.length} of ${classes.length}`}</span></legend>
      <div className="pick">
        <input type="search" placeholder={`Search ${classes.length} classes`} aria-label="Search classes" data-testid="search-classes" value={search} onChange={(event) => setSearch(event.target.value)} />
        <button type="button" className="button small" disabled={all} data-testid="classes-all" onClick={() => { setFromNone(false); put([]); }}>All</button>
        <button type="button" className="button small" disabled={fromNone} data-testid="classes-none" onClick={() => { setFromNone(true); if (chosen.length > 0) put([]); }}>None</button>
      </div>
      {failure !== '' && <p className="trouble">{failure}</p>}
      <div className={all ? 'chips scrolls all' : 'chips scrolls'}>
        {shown.map((one) => (
          <button key={one.id} type="button" className="chip" aria-pressed={isChosen(one)} data-testid={`class-${one.name}`} onClick={() => toggle(one)}>{one.name}</button>
        ))}
        {shown.length === 0 && classes.length > 0 && <span className="none">None of this name.</span>}
      </div>
      {fromNone && <p className="hint">Choose the classes to look for; until then it is all of them.</p>}
    </fieldset>
  );
}
