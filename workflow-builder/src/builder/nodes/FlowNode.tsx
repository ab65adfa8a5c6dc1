/* A node on the canvas: a head with its state, a body by its role. */
import { Handle, NodeResizer, Position, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { useApp, useAppState } from '../hooks/context';
import { useNodeState, useRunning } from '../hooks/live';
import { labelOf, type NodeType, type Role, type WorkflowNode } from '../model/types';
import type { NodeState } from '../live';
import type { CanvasNode } from '../parts/Canvas';
import { FilterBody } from './FilterBody';
import { ModelBody } from './ModelBody';
import { SinkBody } from './SinkBody';
import { SourceBody } from './SourceBody';
import { ViewBody } from './ViewBody';

export interface BodyProps {
  readonly node: WorkflowNode;
  readonly state: NodeState | null;
}

const BODIES: Readonly<Record<Role, (props: BodyProps) => React.ReactNode>> = {
  source: SourceBody, model: ModelBody, filter: FilterBody, sink: SinkBody, view: ViewBody,
};

const STATE_NAMES: Readonly<Record<string, string>> = { no_signal: 'no signal' };
const COLOURS: Readonly<Record<string, string>> = {
  running: 'connected', opening: 'connecting', loading: 'connecting', held: 'connecting', error: 'error', no_signal: 'error',
};

/* Every node takes one input, whatever the handle is called in files: views show all that has a picture. */
function takes(type: NodeType): string {
  return type.role === 'view' ? 'a picture, with detections or without' : type.role === 'model' ? 'a picture' : 'detections';
}

export const FlowNode = memo(function FlowNode({ data, selected }: NodeProps<CanvasNode>) {
  const { node } = data;
  const { editor } = useApp();
  const type = editor.types.get(node.type);
  const state = useNodeState(node.id);
  const { connected } = useRunning();
  const known = connected ? (state?.state ?? '') : ''; // nobody knows while the server is away
  const fault = useAppState().faults.get(node.id);
  const Body = type === undefined ? null : BODIES[type.role];
  const resizable = type?.role === 'view';
  const name = labelOf(node, editor.types);
  return (
    <div className="node" data-role={type?.role ?? 'unknown'} data-selected={selected} data-fault={fault === undefined ? undefined : ''} title={fault} data-testid={`node-${node.type}`} data-id={node.id}>
      {resizable && <NodeResizer isVisible={selected} minWidth={240} minHeight={200} />}
      {type?.input != null && <Handle type="target" position={Position.Left} title={takes(type)} />}
      <header data-state={COLOURS[known] ?? 'disconnected'}>
        <span className="dot" />
        <span className="title" title={name}>{name}</span>
        <span className="state" data-testid="node-state">{STATE_NAMES[known] ?? known}</span>
      </header>
      {Body === null ? <p className="body trouble">Unknown type: {node.type}</p> : <Body node={node} state={state} />}
      {state?.reason !== undefined && state.reason !== '' && <p className="trouble" role="alert">{state.reason}</p>}
      {type?.output != null && <Handle type="source" position={Position.Right} title={type.role === 'source' ? 'its picture' : 'its detections'} />}
    </div>
  );
});
