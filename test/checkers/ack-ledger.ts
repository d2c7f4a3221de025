/** One thing as it is found after everything healed. */
export interface Found {
  readonly id: string;
  /** Accepted ends: 1 when it is done, 0 while it is still live, more when it was done twice. */
  readonly completions: number;
  readonly state: string;
}

/**
 * What clients were promised, kept outside the product: each acknowledged item must be found exactly once when all
 * is healed, live or ended, and ended at most once (P3, T1, T2). Items that were never acknowledged may be there too.
 */
export class AckLedger {
  readonly #acknowledged = new Map<string, number>();

  get size(): number {
    return this.#acknowledged.size;
  }

  get ids(): string[] {
    return [...this.#acknowledged.keys()];
  }

  /** Somebody was told, at this moment, that the swarm has `id`. */
  acknowledge(id: string, at: number): void {
    if (!this.#acknowledged.has(id)) this.#acknowledged.set(id, at);
  }

  /** Answers what is missing, there twice, or completed twice, in words. */
  problems(found: readonly Found[]): string[] {
    const byId = Map.groupBy(found, ({ id }) => id);
    const problems: string[] = [];
    for (const [id, at] of this.#acknowledged) {
      const [one, ...more] = byId.get(id) ?? [];
      if (one === undefined) problems.push(`${id}, acknowledged at ${at.toFixed(0)} ms, is lost`);
      if (more.length > 0) problems.push(`${id} is there ${more.length + 1} times`);
    }
    for (const { id, completions, state } of found)
      if (completions > 1) problems.push(`${id} (${state}) was completed ${completions} times`);
    return problems;
  }
}
