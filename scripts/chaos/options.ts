import { parseArgs } from 'node:util';

/** What can be done to a node process or its surroundings. */
export const faultKinds = [
  'kill',
  'outage',
  'stop',
  'cut',
  'partition',
  'loss',
  'flap',
  'full-disk',
  'disk-error',
  'clock',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly nodes: number;
  readonly faults: readonly FaultKind[];
  /** Histories and logs are kept here; null keeps them only when something is wrong. */
  readonly keep: string | null;
  /** Everything on loopback, even where namespaces are possible. */
  readonly loopback: boolean;
  readonly sessionTtlMs: number;
}

export const usage = `usage: npm run test:chaos -- [OPTIONS]
  --minutes N    how long the storm lasts (default 2, at most 240)
  --nodes N      node processes, 3 or 5 (default 3)
  --faults LIST  of ${faultKinds.join(', ')} (default: all that this system allows)
  --seed N       of every random choice; the system's own timing stays what it is
  --keep DIR     keep the clients' histories and the nodes' logs there
  --loopback     do not use network namespaces`;

/** Reads the flags; answers a complaint for people instead when one is wrong. */
export function parseOptions(args: readonly string[], now: number): ChaosOptions | string {
  const text = { type: 'string' } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { minutes: text, nodes: text, faults: text, seed: text, keep: text, loopback: { type: 'boolean' } },
    }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const minutes = Number(values.minutes ?? 2);
  const nodes = Number(values.nodes ?? 3);
  const seed = Number(values.seed ?? now % 1_000_000);
  const wanted = values.faults?.split(',').map((name) => name.trim()) ?? [...faultKinds];
  const faults = faultKinds.filter((kind) => wanted.includes(kind));
  if (!(minutes > 0 && minutes <= 240)) return `--minutes cannot be “${String(values.minutes)}”`;
  if (nodes !== 3 && nodes !== 5) return `--nodes cannot be “${String(values.nodes)}”`;
  if (!Number.isSafeInteger(seed) || seed < 0) return `--seed cannot be “${String(values.seed)}”`;
  if (faults.length !== new Set(wanted).size) return `--faults cannot be “${String(values.faults)}”`;
  return {
    seed,
    minutes,
    nodes,
    faults,
    keep: values.keep ?? null,
    loopback: values.loopback === true,
    sessionTtlMs: 4_000,
  };
}
