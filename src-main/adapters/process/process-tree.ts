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

/** Processes alive now, zombies apart. Linux only; empty elsewhere. */
export function liveProcesses(): readonly LiveProcess[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name): LiveProcess[] => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const stat = readQuietly(`/proc/${name}/stat`);
    if (stat === null) return [];
    // The program's name, in brackets, may hold anything: fields are counted from its last bracket.
    const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return [];
    const mark = markOf(readQuietly(`/proc/${name}/environ`));
    return [{ pid, group: Number(group), session: Number(session), mark }];
  });
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
  for (const tree of trees) {
    if (process.platform === 'win32') spawnSync('taskkill', ['/T', '/F', '/PID', String(tree.pid)], { stdio: 'ignore' });
    else signalTree(tree, 'SIGKILL', liveProcesses());
  }
}
