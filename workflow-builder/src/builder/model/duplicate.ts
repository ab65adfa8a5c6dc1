/* A workflow as the beginning of another one. Pure. */
import type { Workflow } from './types';
import { copies } from './wiring';

/** The same nodes under new ids: two workflows must not have views of the same id. */
export function newWorkflowFrom(workflow: Workflow): Workflow {
  return { ...workflow, ...copies(workflow, 0), id: '', name: `${workflow.name} (copy)` };
}
