import type { KvEntry } from '../../../shared/contract/kv.ts';
import { nodes, type Variant } from './demo-swarm.ts';

/** A few values of the demonstration swarm. */
export function demoValues(variant: Variant, now: number): { entries: KvEntry[]; total: number; next: null } {
  const entry = (key: string, value: string, change: Partial<KvEntry> = {}): KvEntry => ({
    key,
    value,
    created: 31_004,
    revision: 48_020,
    version: 7,
    endsWith: null,
    by: nodes.desk,
    at: now - 240_000,
    ...change,
  });
  const entries =
    variant === 'empty'
      ? []
      : [
          entry('on-call', 'ben', { endsWith: nodes.laptop, by: nodes.laptop, version: 1 }),
          entry('release/current', 'trailer-7', { revision: 47_881 }),
          entry('render/quality', 'high', { version: 3 }),
        ];
  return { entries, total: entries.length, next: null };
}
