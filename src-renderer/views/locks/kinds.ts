import type { Lock } from '../../../shared/contract/locks.ts';

export type Holder = Lock['holders'][number];
type Mode = Holder['mode'];

const modes: Readonly<Record<Mode, string>> = { exclusive: 'writes', shared: 'reads', permit: 'has a permit' };

/** What a holder or waiter may do with the lock, in a word; nothing where a lock has only one holder at a time. */
export const modeWord = (mode: Mode, lock: Lock): string =>
  mode === 'exclusive' && !hasReaders(lock) ? '' : modes[mode];

const hasReaders = ({ holders, waiters }: Lock): boolean =>
  [...holders, ...waiters].some((claim) => claim.mode === 'shared');

/** How the lock is used now: "one at a time", "2 readers", "3 of 5 permits". */
export function kindWords(lock: Lock): string {
  const { holders, permits } = lock;
  if (permits !== null) return `${holders.length} of ${permits} ${permits === 1 ? 'permit' : 'permits'}`;
  const readers = holders.filter((holder) => holder.mode === 'shared').length;
  if (readers > 0) return readers === 1 ? '1 reader' : `${readers} readers`;
  return hasReaders(lock) ? 'one writer' : 'one at a time';
}

/** Why the first in line does not have it: who everybody waits for. */
export function waitWords(lock: Lock): string {
  const [first] = lock.waiters;
  if (first === undefined) return '';
  const names = [...new Set(lock.holders.map((holder) => holder.node.name))];
  const others = first.names.filter((name) => name !== lock.name);
  const also = others.length === 0 ? '' : `; it asks for ${others.join(' and ')} at the same time`;
  if (lock.state === 'uncertain') return `No majority is heard, so nobody can be given the lock${also}.`;
  if (lock.delays.length > 0 && names.length === 0)
    return `${first.node.name} waits until the place of ${lock.delays[0]?.node.name ?? 'the one who lost it'} is given free${also}.`;
  return names.length === 0 ? '' : `${first.node.name} waits for ${names.join(', ')}${also}.`;
}
