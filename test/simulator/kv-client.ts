import { kvKey, lockName, slot, type KvKey, type NodeId, type SessionId, type Slot } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { KvCompare, KvOperation } from '../../src-main/core/kv/commands.ts';
import { revisionOf } from '../../src-main/core/kv/records.ts';
import type { NodeMachine } from '../../src-main/core/node/node.ts';
import type { Command } from '../../src-main/core/state-machine/command.ts';
import { chance, pick } from './forks.ts';
import type { World } from './world.ts';

const keyNames = 6;
const changesPerLook = 50;

/** The keys in use, each in turn. */
export const drawnKey = (number: number): KvKey => kvKey(`key/${number % keyNames}`);

/** Draws transactions of one machine, from plain puts to several keys with comparisons that sometimes hold. */
export function drawTransaction(random: Random, node: NodeId, session: SessionId, machine: NodeMachine): Command {
  const { kv, locks } = machine.state;
  const key = (): KvKey => kvKey(`key/${random.below(keyNames)}`);
  const compare = (): KvCompare => {
    const name = key();
    const known = kv.get(name);
    const kind = random.below(5);
    const stale = chance(random, 0.3) ? 1 : 0;
    if (kind === 0) return { type: 'value', key: name, relation: 'equal', value: known?.value ?? '' };
    if (kind === 1) return { type: 'version', key: name, relation: 'less', version: 3 };
    if (kind === 2) {
      const lock = lockName(`lock-${random.below(2)}`);
      const token = locks.get(lock)?.holders[0]?.token;
      if (token !== undefined) return { type: 'lock', name: lock, token };
    }
    return { type: 'revision', key: name, relation: 'equal', revision: slot((known?.revision ?? 0) + stale) };
  };
  const operation = (name: KvKey): KvOperation =>
    pick<() => KvOperation>(random, [
      () => ({ type: 'put', key: name, value: `v${random.below(1_000)}`, session: null }),
      () => ({ type: 'put', key: name, value: `s${random.below(1_000)}`, session }),
      () => ({ type: 'put', key: name, value: 'x'.repeat(random.below(200)), session: null }),
      () => ({ type: 'delete', key: name }),
      () => ({ type: 'get', key: name }),
    ])();
  const branch = (): KvOperation[] =>
    [...new Set(Array.from({ length: random.below(4) }, key))].map((name) => operation(name));
  const compares = Array.from({ length: random.below(3) }, compare);
  return { type: 'kv-transacted', by: node, compares, thenOperations: branch(), elseOperations: branch() };
}

/** Follows all changes from its start on, as a watcher does: it reads on in the replicated history. */
export class KvFollower {
  readonly #world: World;
  readonly #who: string;
  readonly #machine: NodeMachine;
  #next: Slot;

  constructor(world: World, who: string, machine: NodeMachine) {
    this.#world = world;
    this.#who = who;
    this.#machine = machine;
    this.#next = slot(machine.committed + 1);
  }

  look(): void {
    const { kv } = this.#machine.state;
    for (;;) {
      const changes = kv.changesFrom(this.#next, changesPerLook);
      const last = changes?.at(-1);
      if (changes === null) this.#next = kv.oldestRevision;
      else if (last === undefined) return;
      else {
        this.#world.keyValues.watched(this.#who, this.#next, changes);
        this.#next = slot(revisionOf(last) + 1);
      }
    }
  }
}
