/** What one slice of load came to. Times are milliseconds. */
export interface Slice {
  readonly latencies: readonly number[];
  readonly elapsedMs: number;
}

/** Several slices of one row put together. */
export interface Summary {
  readonly operations: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Median over the slices. */
  readonly perSecond: number;
}

export const note = (line: string): void => void process.stderr.write(`${line}\n`);
export const round = (value: number, digits = 3): number => Number(value.toFixed(digits));

/** The value below which `fraction` of them lie. NaN when there are none. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN);
}

/** Ends a slice that made no progress at all: a system that hangs must not hang the bench. */
const sliceOverdueMs = 30_000;

/** Runs `operation` for `forMs` with `clients` under way at a time; each client starts its next when its last has ended. */
export async function load(
  forMs: number,
  clients: number,
  operation: (client: number) => Promise<unknown>,
): Promise<Slice> {
  const latencies: number[] = [];
  const from = performance.now();
  const client = async (number: number): Promise<void> => {
    for (let before = performance.now(); before - from < forMs;) {
      await operation(number);
      const after = performance.now();
      latencies.push(after - before);
      before = after;
    }
  };
  await within(
    forMs + sliceOverdueMs,
    'a slice of load to end',
    Promise.all(Array.from({ length: clients }, (_, number) => client(number))),
  );
  return { latencies, elapsedMs: performance.now() - from };
}

export function summarise(slices: readonly Slice[]): Summary {
  const latencies = slices.flatMap((slice) => slice.latencies);
  return {
    operations: latencies.length,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    perSecond: Math.round(
      quantile(
        slices.map((slice) => (slice.latencies.length * 1_000) / slice.elapsedMs),
        0.5,
      ),
    ),
  };
}

/** Waits for `promise`, but no longer than `ms`; then it throws saying what was awaited. */
export async function within<Value>(ms: number, awaited: string, promise: Promise<Value>): Promise<Value> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${awaited}`)), ms);
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
