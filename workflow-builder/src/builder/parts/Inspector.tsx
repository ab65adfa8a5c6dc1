/* The settings of the selected node. */
import { useId } from 'react';
import { useApp, useEditor } from '../hooks/context';
import { useNodeState, useRunning } from '../hooks/live';
import { labelOf, type NodeType, type WorkflowNode } from '../model/types';
import { refusal } from '../model/wiring';
import { Icon } from './Icon';
import { SettingsForm } from './SettingsForm';

function Head({ node, type }: { node: WorkflowNode; type: NodeType | undefined }) {
  const app = useApp();
  return (
    <header>
      <input
        className="name" aria-label="Name of the node" data-testid="node-name" spellCheck={false}
        value={typeof node.data['label'] === 'string' ? node.data['label'] : ''} placeholder={type?.label ?? node.type}
        onChange={(event) => app.set(node.id, 'label', event.target.value)} onBlur={() => app.editor.endGesture()}
      />
      <button type="button" className="tool" aria-label={`Delete ${labelOf(node, app.editor.types)}`} title="Delete (Del)" onClick={() => app.editor.remove(new Set([node.id]))}><Icon name="trash" /></button>
      <button type="button" className="tool" aria-label="Close" title="Close" onClick={() => app.editor.select(new Set())}><Icon name="close" /></button>
    </header>
  );
}

/* What can be drawn with the mouse can be chosen here, too. */
function Input({ node }: { node: WorkflowNode }) {
  const app = useApp();
  const id = useId();
  const { editor } = app;
  const { workflow } = useEditor();
  const fedBy = workflow.edges.find((edge) => edge.target === node.id)?.source ?? '';
  const others = { ...workflow, edges: workflow.edges.filter((edge) => edge.target !== node.id) };
  const possible = workflow.nodes.filter((other) => other.id === fedBy || refusal(others, editor.types, other.id, node.id) === null);
  const choose = (source: string) => {
    const reason = editor.feed(source, node.id);
    if (reason !== null) app.tell(reason, 'error');
  };
  return (
    <div className="field">
      <label htmlFor={id}>Input from</label>
      <div className="control">
        <select id={id} value={fedBy} data-testid="input-from" onChange={(event) => choose(event.target.value)}>
          <option value="">nothing</option>
          {possible.map((other) => <option key={other.id} value={other.id}>{labelOf(other, editor.types)}</option>)}
        </select>
      </div>
    </div>
  );
}

function Body({ node, type }: { node: WorkflowNode; type: NodeType | undefined }) {
  const { running } = useRunning();
  const state = useNodeState(node.id);
  const reason = state?.reason ?? '';
  return (
    <>
      <p className="help">{type?.help ?? 'This server does not know nodes of this type; they are kept as they are.'}</p>
      {reason !== '' && <p className="trouble" role="alert">{reason}</p>}
      {type?.input != null && <Input node={node} />}
      {type !== undefined && <SettingsForm node={node} type={type} />}
      <p className="hint">{running && state !== null ? 'Changes show on the running picture at once.' : `Id: ${node.id}`}</p>
    </>
  );
}

export function Inspector() {
  const { editor } = useApp();
  const { workflow, selected } = useEditor();
  const nodes = workflow.nodes.filter((node) => selected.has(node.id));
  const node = nodes.length === 1 ? nodes[0] : undefined;
  if (node === undefined) return null;
  const type = editor.types.get(node.type);
  return (
    <aside className="inspector" aria-label="Settings" data-testid="inspector" key={node.id}>
      <Head node={node} type={type} />
      <Body node={node} type={type} />
    </aside>
  );
}
