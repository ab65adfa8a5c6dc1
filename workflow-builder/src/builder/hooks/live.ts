import { useCallback, useSyncExternalStore } from 'react';
import type { DebugMessage, DetectionData, NodeState } from '../live';
import type { Upload } from '../uploads';
import { useApp } from './context';

function useLive<T>(key: string, read: () => T): T {
  const { live } = useApp();
  const subscribe = useCallback((listener: () => void) => live.listen(key, listener), [live, key]);
  return useSyncExternalStore(subscribe, read);
}

/** The state of a node of the open workflow; null while it does not run. */
export function useNodeState(nodeId: string): NodeState | null {
  const { live, editor } = useApp();
  return useLive(nodeId, () => live.state(editor.state.workflow.id, nodeId));
}

export function useDetections(nodeId: string): DetectionData | null {
  const { live } = useApp();
  return useLive(nodeId, () => live.detections(nodeId));
}

export function useMessages(nodeId: string): readonly DebugMessage[] {
  const { live } = useApp();
  return useLive(nodeId, () => live.messages(nodeId));
}

/** Does the open workflow run, and is the server there? */
export function useRunning(): { running: boolean; connected: boolean } {
  const app = useApp();
  const text = useLive('', () => `${app.isRunning} ${app.live.connected}`);
  return { running: text.startsWith('true'), connected: text.endsWith('true') };
}

export function useUploads(): readonly Upload[] {
  const { uploads } = useApp();
  return useSyncExternalStore(uploads.subscribe, () => uploads.list);
}
