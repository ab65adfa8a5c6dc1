/* Classes of the model, chosen by name. */
import { useEffect, useState } from 'react';
import { useApp, useEditor } from '../hooks/context';
import { feederOf } from '../model/wiring';
import { settingsOf, type Setting, type WorkflowNode } from '../model/types';
import { server, type ClassName } from '../server';

const known = new Map<string, Promise<ClassName[]>>();

function classesOf(model: string): Promise<ClassName[]> {
  const asked = known.get(model) ?? server.classes(model);
  known.set(model, asked);
  asked.catch(() => known.delete(model));
  return asked;
}

interface Props {
  readonly node: WorkflowNode;
  readonly setting: Setting;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

export function ClassPicker({ node, setting, value, onChange }: Props) {
  const { editor } = useApp();
  const { workflow } = useEditor();
  const [classes, setClasses] = useState<readonly ClassName[]>([]);
  const [failure, setFailure] = useState('');
  const [search, setSearch] = useState('');
  const model = node.type === 'model' ? node : feederOf(workflow, editor.types, node.id, 'model');
  const file = model === null ? '' : String(settingsOf(model)['modelId'] ?? '');
  useEffect(() => {
    let stale = false;
    classesOf(file).then(
      (list) => { if (!stale) { setClasses(list); setFailure(''); } },
      (error: Error) => { if (!stale) setFailure(error.message); });
    return () => { stale = true; };
  }, [file]);
  const chosen = (Array.isArray(value) ? value : []) as readonly (string | number)[];
  const isChosen = (one: ClassName) => chosen.includes(one.name) || chosen.includes(one.id);
  const toggle = (one: ClassName) =>
    onChange(isChosen(one) ? chosen.filter((entry) => entry !== one.name && entry !== one.id) : [...chosen, one.name]);
  const shown = classes.filter((one) => one.name.toLowerCase().includes(search.toLowerCase()) && (search !== '' || isChosen(one)));
  return (
    <fieldset className="field stacked classes">
      <legend title={setting.help}>{setting.label}<span className="count">{chosen.length === 0 ? 'all' : chosen.length}</span></legend>
      <input type="search" placeholder={`Search ${classes.length} classes`} aria-label="Search classes" data-testid="search-classes" value={search} onChange={(event) => setSearch(event.target.value)} />
      {failure !== '' && <p className="trouble">{failure}</p>}
      <div className="chips">
        {shown.slice(0, 40).map((one) => (
          <button key={one.id} type="button" className="chip" aria-pressed={isChosen(one)} data-testid={`class-${one.name}`} onClick={() => toggle(one)}>{one.name}</button>
        ))}
      </div>
    </fieldset>
  );
}
