import { spawn, spawnSync } from 'node:child_process';
import { findProgram } from '../programs.ts';

/** Runs a short command to its end. Throws with what it said when it fails. */
export function run(command: string, ...args: readonly string[]): string {
  const program = findProgram(command);
  if (program === null) throw new Error(`${command} is not installed`);
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/**
 * Namespaces of this run alone: network, mounts and processes. When the first process in them ends, the kernel ends
 * all others and forgets the interfaces and mounts with them, so nothing has to be cleaned up, even after SIGKILL.
 */
const isolate = [
  '--net',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
];

/** Why this system cannot give a run its own namespaces; null when it can. */
export function whyNotIsolated(): string | null {
  if (process.platform !== 'linux') return `network namespaces are of Linux, this is ${process.platform}`;
  for (const [program, from] of [
    ['unshare', 'util-linux'],
    ['nsenter', 'util-linux'],
    ['mount', 'mount'],
    ['ip', 'iproute2'],
  ] as const)
    if (findProgram(program) === null) return `${program} is not installed (Debian: apt-get install ${from})`;
  try {
    const trial = 'mount -t tmpfs tmpfs /tmp && ip link add skein-trial type bridge && ip link add skein-a type veth';
    run('unshare', ...isolate, 'sh', '-c', trial);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Runs this script again inside namespaces of its own and answers its exit code. The shell in between is the first
 * process there: it waits for whatever is orphaned, which Node would not.
 */
export function runIsolated(
  script: string,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  const unshare = findProgram('unshare') ?? 'unshare';
  const shell = ['sh', '-c', '"$@"; exit $?', 'sh', process.execPath, script, ...args];
  const child = spawn(unshare, [...isolate, ...shell], { stdio: 'inherit', env: { ...process.env, ...environment } });
  const forward = (): void => void child.kill('SIGKILL');
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, forward);
  // Ctrl+C reaches the processes inside by themselves: they end the storm early and still judge it.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
