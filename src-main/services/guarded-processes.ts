import type { EndProcesses } from '../ports/process-runner.ts';

/** Process groups that work under locks held here; each dies before its lock is given up. */
export class GuardedProcesses {
  readonly #groups = new Map<string, Set<number>>();
  readonly #endProcesses: EndProcesses;

  constructor(endProcesses: EndProcesses) {
    this.#endProcesses = endProcesses;
  }

  open(name: string, token: number): void {
    this.#groups.set(keyOf(name, token), new Set());
  }

  /** False when the lock is not held here with this token. */
  add(name: string, token: number, pid: number): boolean {
    const group = this.#groups.get(keyOf(name, token));
    group?.add(pid);
    return group !== undefined;
  }

  /** Asks the processes to end, kills what has not after a grace, and resolves when they are gone. Idempotent. */
  async end(name: string, token: number, graceMs: number): Promise<void> {
    const group = this.#groups.get(keyOf(name, token)) ?? new Set();
    this.#groups.delete(keyOf(name, token));
    await Promise.all([...group].map((pid) => this.#endProcesses(pid, graceMs)));
  }
}

const keyOf = (name: string, token: number): string => `${token} ${name}`;
