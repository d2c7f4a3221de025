import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

/** What Linux says of one process so far. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** Linux counts CPU time of processes in hundredths of a second. */
const ticksPerSecond = 100;

/** Null for a process that is gone, and where there is no /proc. */
export async function usage(pid: number): Promise<Usage | null> {
  try {
    const [text, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024,
    };
  } catch {
    return null;
  }
}

/** CPU seconds of several processes together. */
export async function cpuSecondsOf(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(usage));
  return all.reduce((sum, one) => sum + (one?.cpuSeconds ?? 0), 0);
}

/** CPU seconds that the whole machine has worked; null where there is no /proc. */
async function machineBusySeconds(): Promise<number | null> {
  try {
    const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
    const ticks = first.trim().split(/\s+/).slice(1).map(Number);
    const all = ticks.slice(0, 8).reduce((sum, one) => sum + one, 0);
    return (all - (ticks[3] ?? 0) - (ticks[4] ?? 0)) / ticksPerSecond;
  } catch {
    return null;
  }
}

/** What a stretch of work cost. */
export interface Cost {
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
  /** Share of the machine that programs used which are no part of what is measured; null where it is not told. */
  readonly foreignPercent: number | null;
}

/** Starts counting; the function it answers ends the count. The client is this process. */
export async function meter(serverPids: readonly number[]): Promise<() => Promise<Cost>> {
  const from = performance.now();
  const own = process.cpuUsage();
  const [servers, busy] = await Promise.all([cpuSecondsOf(serverPids), machineBusySeconds()]);
  return async () => {
    const [serversNow, busyNow] = await Promise.all([cpuSecondsOf(serverPids), machineBusySeconds()]);
    const { user, system } = process.cpuUsage(own);
    const serverCpuSeconds = serversNow - servers;
    const clientCpuSeconds = (user + system) / 1e6;
    const capacity = ((performance.now() - from) / 1_000) * availableParallelism();
    const foreign = busy === null || busyNow === null ? null : busyNow - busy - serverCpuSeconds - clientCpuSeconds;
    return {
      serverCpuSeconds,
      clientCpuSeconds,
      foreignPercent: foreign === null ? null : Math.max(0, Math.round((100 * foreign) / capacity)),
    };
  };
}
