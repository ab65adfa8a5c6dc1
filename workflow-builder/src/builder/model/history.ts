/* Undo and redo. Changes of one kind in a row, as while a slider is dragged, are one step. Pure. */

const LIMIT = 100;

export class History<T> {
  #past: T[] = [];
  #future: T[] = [];
  #kind: string | null = null;

  /** To be called with what is there before a change; `kind` joins it to the change before. */
  note(before: T, kind: string | null = null): void {
    if (kind === null || kind !== this.#kind) {
      this.#past.push(before);
      if (this.#past.length > LIMIT) this.#past.shift();
    }
    this.#kind = kind;
    this.#future = [];
  }

  /** The next change is a step of its own, whatever its kind. */
  separate(): void {
    this.#kind = null;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  undo(now: T): T | null {
    const before = this.#past.pop();
    if (before === undefined) return null;
    this.#future.push(now);
    this.#kind = null;
    return before;
  }

  redo(now: T): T | null {
    const after = this.#future.pop();
    if (after === undefined) return null;
    this.#past.push(now);
    this.#kind = null;
    return after;
  }

  clear(): void {
    this.#past = [];
    this.#future = [];
    this.#kind = null;
  }
}
