/* Which version of the open workflow this page has seen, by the tags that the server gives them. A save
 * names it, so that it replaces nothing that nobody here has seen. Pure. */

export class SeenVersion {
  #tag: string | null = null; // null = the server has none

  get tag(): string | null {
    return this.#tag;
  }

  /** It was read, or is what this page has saved. */
  see(tag: string | null): void {
    this.#tag = tag;
  }

  /** A change by this page made one version into another. If somebody else has changed it before, what
   * they did has still not been seen here. */
  follow(replaced: string | null, tag: string | null): void {
    if (replaced === this.#tag) this.#tag = tag;
  }
}
