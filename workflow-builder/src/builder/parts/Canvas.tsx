/* The canvas: React Flow over the editor. The editor has the truth; React Flow is told. */
import {
  Background, BackgroundVariant, Controls, ReactFlow, useReactFlow, useStore,
  type Connection, type Edge, type EdgeChange, type FinalConnectionState, type Node, type NodeChange,
} from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, useState, type DragEvent } from 'react';
import { useApp, useAppState, useEditor } from '../hooks/context';
import { useRunning } from '../hooks/live';
import type { Size } from '../model/layout';
import type { WorkflowNode } from '../model/types';
import { refusal } from '../model/wiring';
import { FlowNode } from '../nodes/FlowNode';
import { isModel } from '../uploads';
import { EmptyCanvas } from './EmptyCanvas';
import { DRAG_TYPE } from './Sidebar';

export type CanvasNode = Node<{ node: WorkflowNode }, 'node'>;

type Measured = ReadonlyMap<string, Size>;

const NODE_TYPES = { node: FlowNode };
const SNAP: [number, number] = [10, 10];
/* How the whole workflow is shown. */
export const FIT = { padding: 0.06, maxZoom: 1 };
const MARGIN = 16, FAR = 0.5;
const VIEW_SIZE = { width: 400, height: 320 };

/* A node that has not changed stays the same object, so that only what changed is drawn anew. */
function useCanvasNodes(measured: Measured): CanvasNode[] {
  const { editor } = useApp();
  const { workflow, selected } = useEditor();
  const made = useRef(new Map<string, { from: WorkflowNode; selected: boolean; size: Size | undefined; node: CanvasNode }>());
  return useMemo(() => {
    const before = made.current;
    made.current = new Map();
    return workflow.nodes.map((from) => {
      const isSelected = selected.has(from.id);
      const known = before.get(from.id);
      const size = measured.get(from.id);
      const view = editor.types.get(from.type)?.role === 'view';
      const node = known?.from === from && known.selected === isSelected && known.size === size ? known.node : {
        id: from.id, type: 'node' as const, position: { ...from.position }, data: { node: from }, selected: isSelected,
        ...(size === undefined ? {} : { measured: size }),
        ...(view ? { width: from.width ?? VIEW_SIZE.width, height: from.height ?? VIEW_SIZE.height } : {}),
      };
      made.current.set(from.id, { from, selected: isSelected, size, node });
      return node;
    });
  }, [workflow.nodes, selected, measured, editor.types]);
}

export function Canvas() {
  const app = useApp();
  const { editor, live } = app;
  const flow = useReactFlow();
  const { workflow, selected } = useEditor();
  const { types } = useAppState();
  const { running } = useRunning();
  const [drafts, setDrafts] = useState<ReadonlyMap<string, { x: number; y: number }>>(new Map());
  const [measured, setMeasured] = useState<Measured>(new Map());
  const nodes = useCanvasNodes(measured);
  const shownDocument = editor.document;
  const far = useStore((state) => state.transform[2] < FAR);
  const refused = useRef('');
  const place = useRef<HTMLDivElement>(null);

  /* While a node is dragged it moves here only; the editor hears where it ends up. */
  const shown = useMemo(
    () => (drafts.size === 0 ? nodes : nodes.map((node) => (drafts.has(node.id) ? { ...node, position: drafts.get(node.id) as { x: number; y: number } } : node))),
    [nodes, drafts]);
  const edges = useMemo<Edge[]>(
    () => workflow.edges.map(({ id, source, target }) => ({ id, source, target, className: running ? 'running' : '', selected: selected.has(id) })),
    [workflow.edges, running, selected]);

  /* An empty one stays where it is: fitting would wait for the first node and move that. */
  useEffect(() => {
    if (editor.state.workflow.nodes.length === 0) return;
    const id = requestAnimationFrame(() => void flow.fitView(FIT));
    return () => cancelAnimationFrame(id);
  }, [flow, editor, shownDocument, types]);

  /* Only data previews and debug nodes need what the models see. */
  const watched = workflow.nodes.filter((node) => editor.types.get(node.type)?.role === 'sink').map((node) => node.id).join('\n');
  useEffect(() => live.watch(watched === '' ? [] : watched.split('\n')), [live, watched]);

  const onNodesChange = useCallback((changes: NodeChange<CanvasNode>[]) => {
    const moved = new Map<string, { x: number; y: number }>(), ended = new Map<string, { x: number; y: number }>();
    const removed = new Set<string>(), sizes = new Map<string, Size>();
    let selection: Set<string> | null = null;
    for (const change of changes) {
      if (change.type === 'position' && change.position !== undefined) (change.dragging ? moved : ended).set(change.id, { ...change.position });
      else if (change.type === 'remove') removed.add(change.id);
      else if (change.type === 'dimensions' && change.dimensions !== undefined) {
        sizes.set(change.id, { ...change.dimensions });
        if (change.setAttributes) editor.resize(change.id, change.dimensions);
      } else if (change.type === 'select') {
        selection ??= new Set(editor.state.selected);
        if (change.selected) selection.add(change.id);
        else selection.delete(change.id);
      }
    }
    if (sizes.size > 0) setMeasured((before) => new Map([...before, ...sizes]));
    if (moved.size > 0) setDrafts((before) => new Map([...before, ...moved]));
    if (ended.size > 0) {
      const really = new Map([...ended].filter(([id, at]) => {
        const node = editor.state.workflow.nodes.find((candidate) => candidate.id === id);
        return node !== undefined && (node.position.x !== at.x || node.position.y !== at.y);
      }));
      if (really.size > 0) editor.move(really);
      setDrafts(new Map());
    }
    if (removed.size > 0) editor.remove(removed);
    if (selection !== null) editor.select(selection);
  }, [editor]);

  const onEdgesChange = useCallback((changes: EdgeChange[]) => {
    const removed = new Set(changes.filter((change) => change.type === 'remove').map((change) => change.id));
    if (removed.size > 0) editor.remove(removed);
    let selection: Set<string> | null = null;
    for (const change of changes) {
      if (change.type !== 'select') continue;
      selection ??= new Set(editor.state.selected);
      if (change.selected) selection.add(change.id);
      else selection.delete(change.id);
    }
    if (selection !== null) editor.select(selection);
  }, [editor]);

  /* The settings open beside the canvas: what was clicked stays in sight. */
  const onNodeClick = useCallback((_event: unknown, { id }: CanvasNode) => {
    requestAnimationFrame(() => {
      const canvas = place.current?.getBoundingClientRect();
      const node = place.current?.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.getBoundingClientRect();
      if (canvas === undefined || node === undefined) return;
      const hidden = Math.min(node.right - (canvas.right - MARGIN), node.left - (canvas.left + MARGIN));
      const { x, y, zoom } = flow.getViewport();
      if (hidden > 0) void flow.setViewport({ x: x - hidden, y, zoom }, { duration: 150 });
    });
  }, [flow]);

  const isValid = useCallback((edge: Edge | Connection) => {
    refused.current = refusal(editor.state.workflow, editor.types, edge.source, edge.target) ?? '';
    return refused.current === '';
  }, [editor]);

  const onConnect = useCallback((connection: Connection) => {
    const reason = editor.connect(connection.source, connection.target);
    if (reason !== null) app.tell(reason, 'error');
  }, [app, editor]);

  /* Dropped on a handle that did not want it: say why. Beside every handle: changed one's mind. */
  const onConnectEnd = useCallback((_event: unknown, state: FinalConnectionState) => {
    if (state.isValid === false && state.toHandle !== null && refused.current !== '') app.tell(refused.current, 'error');
    refused.current = '';
  }, [app]);

  /* An entry of the sidebar, or video files from the desktop: each becomes a source. */
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const place = (i: number) => ({ x: Math.round(at.x / 10) * 10 + 40 * i, y: Math.round(at.y / 10) * 10 + 40 * i });
    const dragged = event.dataTransfer.getData(DRAG_TYPE);
    if (dragged !== '') {
      const { type, data } = JSON.parse(dragged) as { type: string; data: Record<string, unknown> };
      editor.add(type, place(0), data);
      return;
    }
    for (const [i, file] of [...event.dataTransfer.files].entries()) void app.upload(file, editor.add(isModel(file.name) ? 'model' : 'videoInput', place(i), { label: file.name }).id);
  };

  return (
    <div ref={place} className="flow" data-far={far ? '' : undefined} data-testid="canvas" onDrop={onDrop} onDragOver={(event) => event.preventDefault()}>
      <ReactFlow<CanvasNode>
        nodes={shown} edges={edges} nodeTypes={NODE_TYPES} onNodesChange={onNodesChange} onNodeClick={onNodeClick} onEdgesChange={onEdgesChange}
        onConnect={onConnect} onConnectEnd={onConnectEnd} isValidConnection={isValid} snapToGrid snapGrid={SNAP}
        deleteKeyCode={['Delete', 'Backspace']} selectionKeyCode="Shift" multiSelectionKeyCode={['Control', 'Meta']}
        minZoom={0.1} maxZoom={2} onlyRenderVisibleElements={false} proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} />
        <Controls showInteractive={false} />
      </ReactFlow>
      {workflow.nodes.length === 0 && <EmptyCanvas />}
    </div>
  );
}
