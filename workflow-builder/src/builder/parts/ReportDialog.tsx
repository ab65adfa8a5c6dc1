/* What is wrong with a workflow; each line leads to its node. */
import { useReactFlow } from '@xyflow/react';
import type { Report } from '../app-state';
import { useApp } from '../hooks/context';
import type { Finding } from '../model/types';
import { Dialog } from './Dialog';
import { Icon } from './Icon';

function Findings({ list, kind }: { list: readonly Finding[]; kind: 'error' | 'warning' }) {
  const app = useApp();
  const flow = useReactFlow();
  const show = (id: string) => {
    app.closeReport();
    app.editor.select(new Set([id]));
    void flow.fitView({ nodes: [{ id }], maxZoom: 1.1, duration: 250, padding: 0.6 });
  };
  return list.map((finding, i) => (
    <li key={i} data-kind={kind}>
      <Icon name="warning" />
      <span>{finding.message.charAt(0).toUpperCase() + finding.message.slice(1)}</span>
      {finding.node_id !== null && (
        <button type="button" className="button small" data-testid="show-node" onClick={() => show(finding.node_id as string)}>Show</button>
      )}
    </li>
  ));
}

export function ReportDialog({ report }: { report: Report }) {
  const app = useApp();
  return (
    <Dialog title={report.title} onClose={() => app.closeReport()} testId="report">
      <ul className="findings">
        <Findings list={report.errors} kind="error" />
        <Findings list={report.warnings} kind="warning" />
      </ul>
      {report.canSave && (
        <footer>
          <button type="button" className="button" data-testid="save-draft" onClick={() => void app.save(true)}>Save all the same</button>
        </footer>
      )}
    </Dialog>
  );
}
