/* The other workflows: open, duplicate, delete, files. */
import { useRef, useState } from 'react';
import { useApp, useAppState, useEditor } from '../hooks/context';
import { server } from '../server';
import { Icon } from './Icon';

export function WorkflowMenu() {
  const app = useApp();
  const { rows, saved } = useAppState();
  const { workflow, dirty } = useEditor();
  const [search, setSearch] = useState('');
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
              <button type="button" className="row" onClick={() => leave(() => void app.open(row.id))}>
                <span className="dot" data-on={row.running} title={row.running ? 'running' : 'stopped'} />
                <span className="title">{row.name}</span>
                <span className="count">{row.saved ? `${row.node_count} nodes` : 'not saved'}</span>
              </button>
              <button type="button" className="tool small" aria-label={`Duplicate ${row.name}`} title="Duplicate" onClick={() => leave(() => void app.duplicateWorkflow(row.id))}><Icon name="copy" /></button>
              <button type="button" className="tool small" aria-label={`Delete ${row.name}`} title="Delete" onClick={() => remove(row.id, row.name)}><Icon name="trash" /></button>
            </li>
          ))}
          {shown.length === 0 && <li className="none">{rows.length === 0 ? 'No workflow yet.' : 'None of this name.'}</li>}
        </ul>
        <footer>
          <button type="button" className="button small" data-testid="new-workflow" onClick={() => leave(() => app.newWorkflow())}>New</button>
          <button type="button" className="button small" onClick={() => leave(() => file.current?.click())}>Import…</button>
          {saved && <a className="button small" href={server.exportAddress(workflow.id)} download>Export</a>}
          <input
            ref={file} type="file" accept="application/json,.json" hidden aria-label="Workflow file"
            onChange={(event) => {
              const chosen = event.target.files?.[0];
              if (chosen !== undefined) void app.importFile(chosen);
              event.target.value = '';
            }}
          />
        </footer>
      </div>
    </>
  );
}
