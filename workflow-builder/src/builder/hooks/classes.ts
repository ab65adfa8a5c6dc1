/* The classes of the model that a node is, or is fed by. */
import { useEffect, useState } from 'react';
import { settingsOf, type WorkflowNode } from '../model/types';
import { feederOf } from '../model/wiring';
import { server, type ClassName } from '../server';
import { useApp, useEditor } from './context';

const known = new Map<string, Promise<ClassName[]>>();
const NONE: readonly ClassName[] = [];

function classesOf(model: string): Promise<ClassName[]> {
  const asked = known.get(model) ?? server.classes(model);
  known.set(model, asked);
  asked.catch(() => known.delete(model));
  return asked;
}

export function useClasses(node: WorkflowNode): { classes: readonly ClassName[]; failure: string } {
  const { editor } = useApp();
  const { workflow } = useEditor();
  const [answer, setAnswer] = useState({ classes: NONE, failure: '' });
  const model = node.type === 'model' ? node : feederOf(workflow, editor.types, node.id, 'model');
  const file = model === null ? '' : String(settingsOf(model)['modelId'] ?? '');
  useEffect(() => {
    let stale = false;
    classesOf(file).then(
      (classes) => { if (!stale) setAnswer({ classes, failure: '' }); },
      (error: Error) => { if (!stale) setAnswer({ classes: NONE, failure: error.message }); });
    return () => { stale = true; };
  }, [file]);
  return answer;
}
