/* The page: bar, sidebar, canvas, inspector, and what lies above them. */
import { ReactFlowProvider } from '@xyflow/react';
import { useEffect, useState } from 'react';
import { useApp, useAppState, useEditor } from '../hooks/context';
import { useRunning } from '../hooks/live';
import { Canvas } from './Canvas';
import { ConflictDialog } from './ConflictDialog';
import { Inspector } from './Inspector';
import { ReportDialog } from './ReportDialog';
import { ShortcutsDialog } from './ShortcutsDialog';
import { Sidebar } from './Sidebar';
import { Toasts } from './Toasts';
import { TopBar } from './TopBar';

/* Whoever leaves with changes is asked. */
function useLeaveGuard(dirty: boolean): void {
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [dirty]);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function useShortcuts(showHelp: () => void): void {
  const app = useApp();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      const { editor } = app;
      const always: Record<string, () => void> = { s: () => void app.save(), enter: () => void app.execute() };
      const onCanvas: Record<string, () => void> = {
        z: () => (event.shiftKey ? app.redo() : app.undo()),
        y: () => app.redo(),
        c: () => void editor.copy(),
        v: () => editor.paste(),
        d: () => editor.duplicate(),
        a: () => editor.selectAll(),
      };
      const action = command ? (always[key] ?? (isTyping(event.target) ? undefined : onCanvas[key])) : undefined;
      if (action !== undefined && !(key === 'c' && getSelection()?.toString())) {
        event.preventDefault();
        action();
      } else if (!command && !isTyping(event.target) && event.key === '?') {
        showHelp();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [app, showHelp]);
}

export function Builder() {
  const { loading, failure, report, conflict } = useAppState();
  const { dirty } = useEditor();
  const { connected } = useRunning();
  const [help, setHelp] = useState(false);
  useLeaveGuard(dirty);
  useShortcuts(() => setHelp(true));
  return (
    <ReactFlowProvider>
      <div className="builder" data-testid="builder" data-offline={connected || loading ? undefined : ''}>
        <TopBar onHelp={() => setHelp(true)} />
        {failure === '' ? (
          <div className="workspace">
            <Sidebar />
            <main className="canvas">{!loading && <Canvas />}</main>
            <Inspector />
          </div>
        ) : (
          <div className="failure" role="alert">
            <p>{failure}</p>
            <button type="button" className="button" onClick={() => location.reload()}>Try again</button>
          </div>
        )}
        {report !== null && <ReportDialog report={report} />}
        {conflict !== null && <ConflictDialog />}
        {help && <ShortcutsDialog onClose={() => setHelp(false)} />}
        <Toasts />
      </div>
    </ReactFlowProvider>
  );
}
