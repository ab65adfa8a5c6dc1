import { useReactFlow } from '@xyflow/react';
import { mountPageTools } from '../../ui/page-tools';
import { useApp, useAppState, useEditor } from '../hooks/context';
import { useRunning } from '../hooks/live';
import { FIT } from './Canvas';
import { Icon, type IconName } from './Icon';
import { WorkflowMenu } from './WorkflowMenu';

function Tool({ icon, label, onClick, disabled = false, testId }: { icon: IconName; label: string; onClick: () => void; disabled?: boolean; testId?: string }) {
  return (
    <button type="button" className="tool" aria-label={label} title={label} disabled={disabled} data-testid={testId} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3.5 10V6A2.5 2.5 0 0 1 6 3.5h4M22 3.5h4A2.5 2.5 0 0 1 28.5 6v4M28.5 22v4a2.5 2.5 0 0 1-2.5 2.5h-4M10 28.5H6A2.5 2.5 0 0 1 3.5 26v-4" />
      <path d="M7 16c2.3-4 5.4-6 9-6s6.7 2 9 6c-2.3 4-5.4 6-9 6s-6.7-2-9-6z" />
      <circle className="pupil" cx="16" cy="16" r="2.6" />
    </svg>
  );
}

function Status() {
  const { busy } = useAppState();
  const { running, connected } = useRunning();
  const state = !connected ? 'error' : busy !== '' ? 'connecting' : running ? 'connected' : 'disconnected';
  const text = !connected ? 'Server not reachable' : busy === 'saving' ? 'Saving…' : busy === 'starting' ? 'Starting…' : busy === 'stopping' ? 'Stopping…' : running ? 'Running' : 'Stopped';
  return (
    <div className="run-state" data-state={state} role="status" data-testid="run-state">
      <span className="dot" />
      <span>{text}</span>
    </div>
  );
}

export function TopBar({ onHelp }: { onHelp: () => void }) {
  const app = useApp();
  const { busy, saved } = useAppState();
  const { workflow, dirty, canUndo, canRedo } = useEditor();
  const { running } = useRunning();
  const flow = useReactFlow();
  const arrange = () => {
    app.editor.arrange((id) => {
      const node = flow.getInternalNode(id);
      return { width: node?.measured.width ?? 220, height: node?.measured.height ?? 120 };
    });
    requestAnimationFrame(() => void flow.fitView({ ...FIT, duration: 250 }));
  };
  return (
    <header className="topbar">
      <h1><a className="brand" href="/" aria-label="Overwatch X-RAY"><Logo /></a></h1>
      <WorkflowMenu />
      <input
        className="name" aria-label="Name of the workflow" value={workflow.name} data-testid="workflow-name" spellCheck={false}
        onChange={(event) => app.editor.rename(event.target.value)} onBlur={() => app.editor.endGesture()}
      />
      <span className="unsaved" data-testid="unsaved">{dirty || !saved ? 'not saved' : ''}</span>
      <Status />
      <div className="tools">
        <Tool icon="undo" label="Undo (Ctrl Z)" disabled={!canUndo} testId="undo" onClick={() => app.undo()} />
        <Tool icon="redo" label="Redo (Ctrl Y)" disabled={!canRedo} testId="redo" onClick={() => app.redo()} />
        <Tool icon="layout" label="Arrange the nodes" testId="arrange" onClick={arrange} />
        <Tool icon="check" label="Look for mistakes" testId="validate" onClick={() => void app.validate()} />
        <Tool icon="help" label="Keyboard (?)" onClick={onHelp} />
        <div ref={mountPageTools} />
        <button type="button" className="button" disabled={busy !== '' || (!dirty && saved)} data-testid="save" title="Save (Ctrl S)" onClick={() => void app.save()}>Save</button>
        <button type="button" className="button" disabled={busy !== '' || !running} data-testid="stop" onClick={() => void app.stop()}>Stop</button>
        <button
          type="button" className="button primary" disabled={busy !== '' || workflow.nodes.length === 0 || (running && !dirty)} data-testid="execute"
          title={running && !dirty ? 'What runs is what is shown' : 'Save and execute (Ctrl Enter)'} onClick={() => void app.execute()}
        >
          {running ? 'Deploy' : 'Execute ▶️'}
        </button>
      </div>
    </header>
  );
}
