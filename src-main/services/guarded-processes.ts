import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

const graceMs = 2_000;
const lookMs = 50;

/** Process groups that work under locks held here; each dies before its lock is given up. */
export class GuardedProcesses {
  readonly #groups = new Map<string, Set<number>>();

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
  async end(name: string, token: number): Promise<void> {
    const group = this.#groups.get(keyOf(name, token)) ?? new Set();
    this.#groups.delete(keyOf(name, token));
    await Promise.all([...group].map((pid) => (process.platform === 'win32' ? endTree(pid) : endGroup(pid))));
  }
}

async function endGroup(pid: number): Promise<void> {
  if (!signalGroup(pid, 'SIGTERM')) return;
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += lookMs) {
    if (!signalGroup(pid, 0)) return;
    await pause(lookMs);
  }
  signalGroup(pid, 'SIGKILL');
}

/** False when the group is gone, or is none of ours. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

function endTree(pid: number): Promise<void> {
  return new Promise((resolve) => {
    // It fails when the process is gone already, which is what is wanted.
    execFile('taskkill', ['/pid', String(pid), '/t', '/f'], () => resolve());
  });
}

const keyOf = (name: string, token: number): string => `${token} ${name}`;
