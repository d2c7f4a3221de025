/**
 * Finding and ending every process that grew from one started program. On Linux a tree is: whoever carries the
 * tree's mark in its environment, is in its process group, or in its session; so one that starts a group or session of
 * its own is found by its mark, and one that wipes its environment by its group or session.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Environment variable that names the tree. Its value is `<owner>.<run>.<number>`. */
export const treeVariable = 'SKEIN_TREE';

export interface Tree {
  /** The program's own process, which leads its group and session. */
  readonly pid: number;
  readonly mark: string;
}

interface LiveProcess {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  readonly mark: string;
}

function readQuietly(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process ended meanwhile, or belongs to somebody else: either way it is none of ours to end.
    return null;
  }
}

function markOf(environment: string | null): string {
  if (environment === null) return '';
  const prefix = `${treeVariable}=`;
  const found = environment.startsWith(prefix) ? 0 : environment.indexOf(`\0${prefix}`) + 1;
  if (found === 0 && !environment.startsWith(prefix)) return '';
  const from = found + prefix.length;
  const end = environment.indexOf('\0', from);
  return environment.slice(from, end === -1 ? undefined : end);
}

function lookAt(pid: number): LiveProcess | null {
  const stat = readQuietly(`/proc/${String(pid)}/stat`);
  if (stat === null) return null;
  // The program's name, in brackets, may hold anything: fields are counted from its last bracket.
  const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  const mark = markOf(readQuietly(`/proc/${String(pid)}/environ`));
  return { pid, group: Number(group), session: Number(session), mark };
}

function listedPids(): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
}

/** Processes alive now, zombies apart. Linux only; empty elsewhere. */
export function liveProcesses(): readonly LiveProcess[] {
  return listedPids().flatMap((pid) => lookAt(pid) ?? []);
}

/** Between two looks this far apart a process id may have gone to somebody else. */
const strangersKeptMs = 500;
/** In the middle of its exec a process shows no environment: only one that looked strange this often is left alone. */
const strangeLooks = 2;

/**
 * Looks at the process table often and cheaply, by not reading again about strangers: a process without a mark, in nobody's
 * group and session, can never become part of a tree. Reading about one process takes 60 microseconds.
 */
export class ProcessTable {
  /** How many looks in succession saw this process as a stranger. */
  #strangers: ReadonlyMap<number, number> = new Map();
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** Processes that may belong to one of `trees`, which must be all trees that are alive. */
  look(trees: Iterable<Tree>): readonly LiveProcess[] {
    const now = performance.now();
    const before = now - this.#lookedMs < strangersKeptMs ? this.#strangers : new Map<number, number>();
    const leaders = new Set([...trees].map((tree) => tree.pid));
    const strangers = new Map<number, number>();
    const found: LiveProcess[] = [];
    for (const pid of listedPids()) {
      const looks = before.get(pid) ?? 0;
      const one = looks < strangeLooks ? lookAt(pid) : null;
      if (one !== null && (one.mark !== '' || leaders.has(one.group) || leaders.has(one.session))) found.push(one);
      else if (one !== null || looks >= strangeLooks) strangers.set(pid, Math.min(looks + 1, strangeLooks));
    }
    this.#strangers = strangers;
    this.#lookedMs = now;
    return found;
  }
}

/** Members of `tree` among `processes`. */
export function membersOf(tree: Tree, processes: readonly LiveProcess[]): readonly number[] {
  return processes
    .filter((one) => one.mark === tree.mark || one.group === tree.pid || one.session === tree.pid)
    .map((one) => one.pid);
}

/** Sends a signal; false when nobody is there (or nobody of ours). */
export function signal(target: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch {
    // Gone already: what the caller wanted, or another user's, whom nobody here can signal.
    return false;
  }
}

/** Sends `name` to the whole tree. Windows knows only the end: `taskkill` ends the program and its descendants. */
export function signalTree(tree: Tree, name: NodeJS.Signals, processes: readonly LiveProcess[]): void {
  if (process.platform === 'win32') {
    const killer = spawn('taskkill', ['/T', '/F', '/PID', String(tree.pid)], { stdio: 'ignore', windowsHide: true });
    killer.on('error', () => signal(tree.pid, 'SIGKILL'));
    return;
  }
  signal(-tree.pid, name);
  for (const pid of membersOf(tree, processes)) signal(pid, name);
}

/** Scans at most this often for stragglers that fork faster than they can be ended. */
const sweepsMax = 50;

/** Ends, at once, every process whose mark begins with `prefix`. Linux only. Returns how many it ended. */
export function endMarked(prefix: string): number {
  const ended = new Set<number>();
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    const found = liveProcesses().filter((one) => one.mark.startsWith(prefix));
    if (found.length === 0) break;
    for (const one of found) {
      signal(one.pid, 'SIGKILL');
      ended.add(one.pid);
    }
  }
  return ended.size;
}

/** Ends trees at once and waits for the system's command to do so: for the last moment of a process. */
export function endTreesNow(trees: readonly Tree[]): void {
  const processes = liveProcesses();
  for (const tree of trees) {
    if (process.platform === 'win32')
      spawnSync('taskkill', ['/T', '/F', '/PID', String(tree.pid)], { stdio: 'ignore' });
    else signalTree(tree, 'SIGKILL', processes);
  }
}
