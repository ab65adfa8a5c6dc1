/* The other workflows: open, duplicate, delete, files. */
import { useRef, useState, type FormEvent } from 'react';
import { useApp, useAppState, useEditor } from '../hooks/context';
import { server, type WorkflowRow } from '../server';
import { Icon } from './Icon';

function Rename({ row, onDone }: { row: WorkflowRow; onDone: () => void }) {
  const app = useApp();
  const [name, setName] = useState(row.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '' && name !== row.name) void app.renameWorkflow(row.id, name.trim());
    onDone();
  };
  return (
    <form className="row" onSubmit={submit}>
      <input
        autoFocus aria-label={`New name of ${row.name}`} value={name} spellCheck={false} data-testid="rename-field" onChange={(event) => setName(event.target.value)}
        onFocus={(event) => event.target.select()} onBlur={onDone} onKeyDown={(event) => { if (event.key === 'Escape') { event.preventDefault(); onDone(); } }}
      />
    </form>
  );
}

export function WorkflowMenu() {
  const app = useApp();
  const { rows } = useAppState();
  const { workflow, dirty } = useEditor();
  const [search, setSearch] = useState('');
  const [renamed, setRenamed] = useState('');
  const popover = useRef<HTMLDivElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const hide = () => popover.current?.hidePopover();
  /* What has not been saved would be lost. */
  const leave = (go: () => void) => {
    if (dirty && workflow.nodes.length > 0 && !confirm('This workflow has changes that are not saved. Leave them?')) return;
    hide();
    go();
  };
  const remove = (id: string, name: string) => {
    if (confirm(`Delete the workflow "${name}"? It is stopped if it runs.`)) void app.removeWorkflow(id);
  };
  const shown = rows.filter((row) => row.name.toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      <button type="button" className="tool" aria-label="Workflows" title="Workflows" popoverTarget="workflow-menu" data-testid="workflows">
        <Icon name="menu" />
      </button>
      <div ref={popover} id="workflow-menu" popover="auto" className="menu" data-testid="workflow-menu" onToggle={() => void app.refreshRows()}>
        <label className="search">
          <Icon name="search" />
          <input type="search" placeholder="Search workflows" aria-label="Search workflows" value={search} onChange={(event) => setSearch(event.target.value)} />
        </label>
        <ul className="rows">
          {shown.map((row) => (
            <li key={row.id} data-open={row.id === workflow.id}>
              {renamed === row.id ? <Rename row={row} onDone={() => setRenamed('')} /> : (
                <button type="button" className="row" title={row.name} onClick={() => leave(() => void app.open(row.id))}>
                  <span className="dot" data-on={row.running} title={row.running ? 'running' : 'stopped'} />
                  <span className="title">{row.name}</span>
                  <span className="count">{row.saved ? `${row.node_count} nodes` : 'not saved'}</span>
                </button>
              )}
              {row.saved && <button type="button" className="tool small" aria-label={`Rename ${row.name}`} title="Rename" onClick={() => setRenamed(row.id)}><Icon name="pen" /></button>}
              <button type="button" className="tool small" aria-label={`Duplicate ${row.name}`} title="Duplicate" onClick={() => leave(() => void app.duplicateWorkflow(row.id))}><Icon name="copy" /></button>
              {row.saved && <a className="tool small" href={server.exportAddress(row.id)} download aria-label={`Export ${row.name}`} title="Export to a file"><Icon name="download" /></a>}
              <button type="button" className="tool small" aria-label={`Delete ${row.name}`} title="Delete" onClick={() => remove(row.id, row.name)}><Icon name="trash" /></button>
            </li>
          ))}
          {shown.length === 0 && <li className="none">{rows.length === 0 ? 'No workflow yet.' : 'None of this name.'}</li>}
        </ul>
        <div className="foot">
          <button type="button" className="button small" data-testid="new-workflow" onClick={() => leave(() => app.newWorkflow())}>New</button>
          <button type="button" className="button small" onClick={() => leave(() => file.current?.click())}>Import…</button>
          <input
            ref={file} type="file" accept="application/json,.json" hidden aria-label="Workflow file"
            onChange={(event) => {
              const chosen = event.target.files?.[0];
              if (chosen !== undefined) void app.importFile(chosen);
              event.target.value = '';
            }}
          />
        </div>
      </div>
    </>
  );
}
