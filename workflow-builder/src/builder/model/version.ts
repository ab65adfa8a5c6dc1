/* Which version of the open workflow this page has seen, by the tags that the server gives them. A save
 * names it, so that it replaces nothing that nobody here has seen. Pure. */

import type { Workflow } from './types';

/* As a text that is the same for the same content, in whatever order its keys are. */
const contentOf = (value: unknown): string => JSON.stringify(value, (_key, part: unknown) => (
  part !== null && typeof part === 'object' && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part
));

export class SeenVersion {
  #tag: string | null = null; // null = the server has none
  #unanswered: string | null = null;

  get tag(): string | null {
    return this.#tag;
  }

  /** It was read, or is what this page has saved. */
  see(tag: string | null): void {
    this.#tag = tag;
    this.#unanswered = null;
  }

  /** A save was sent and no answer came: it may have been made all the same. */
  sentInVain(workflow: Workflow): void {
    this.#unanswered = contentOf(workflow);
  }

  /** Has no save gone through since one that may have been made? */
  get isUnsure(): boolean {
    return this.#unanswered !== null;
  }

  /** Is what the server has such a save of this page? */
  isOwn(kept: Workflow): boolean {
    return this.#unanswered === contentOf(kept);
  }

  /** A change by this page made one version into another. If somebody else has changed it before, what
   * they did has still not been seen here. */
  follow(replaced: string | null, tag: string | null): void {
    if (replaced === this.#tag) this.#tag = tag;
  }
}
