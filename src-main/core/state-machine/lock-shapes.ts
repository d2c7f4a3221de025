import type { FencingToken, LockName, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';
import type { LockMode } from '../locks/commands.ts';
import { lockEndCauses } from '../locks/records.ts';
import type { Lock, LockDelay, LockHolder, LockTenure, LockWaiter } from '../locks/records.ts';
import { lockDelayDefaultMs } from '../machine/limits.ts';
import { anyOf, branded, isCount, isFlag, isNumber, isText, listOf, objectOf, oneOf, orNull } from './shape.ts';

const isName = branded<LockName>(isText);
const isTime = branded<WallTime>(isNumber);
const isToken = branded<FencingToken>(isCount);
const claim = { session: branded<SessionId>(isText), node: branded<NodeId>(isText), owner: isText, label: isText };

const modeShape = anyOf<LockMode>(
  objectOf({ type: oneOf(['exclusive']) }),
  objectOf({ type: oneOf(['shared']) }),
  objectOf({ type: oneOf(['permit']), permits: isCount }),
);

const terms = { mode: modeShape, delayMs: isCount, keeps: isFlag };
const holderShape = objectOf<LockHolder>({ ...claim, ...terms, token: isToken, since: isTime });
const tenure = {
  ...claim,
  token: isToken,
  grantedAt: isTime,
  endedAt: orNull(isTime),
  cause: orNull(oneOf(lockEndCauses)),
};

export const lockShape = objectOf<Lock>({
  name: isName,
  holders: listOf(holderShape),
  delays: listOf(
    objectOf<LockDelay>({ holder: holderShape, since: branded<Slot>(isCount), at: isTime, delayMs: isCount }),
  ),
  waiters: listOf(objectOf<LockWaiter>({ ...claim, ...terms, since: isTime, names: listOf(isName) })),
  history: listOf(objectOf<LockTenure>({ ...tenure, mode: modeShape, remark: isText })),
});

type Former<Value> = Omit<Value, 'mode' | 'delayMs' | 'keeps' | 'names' | 'remark'>;

/** A lock as snapshots up to version 2 have it: exclusive, with one holder, without delays. */
export interface FormerLock {
  readonly name: LockName;
  readonly holder: Former<LockHolder> | null;
  readonly waiters: readonly Former<LockWaiter>[];
  readonly history: readonly Former<LockTenure>[];
}

export const formerLockShape = objectOf<FormerLock>({
  name: isName,
  holder: orNull(objectOf<Former<LockHolder>>({ ...claim, token: isToken, since: isTime })),
  waiters: listOf(objectOf<Former<LockWaiter>>({ ...claim, since: isTime })),
  history: listOf(objectOf<Former<LockTenure>>(tenure)),
});

export function lockFrom(lock: Lock | FormerLock): Lock {
  if (!('holder' in lock)) return lock;
  const { name, holder, waiters, history } = lock;
  const mode = { type: 'exclusive' } as const;
  const then = { mode, delayMs: lockDelayDefaultMs, keeps: false };
  return {
    name,
    holders: holder === null ? [] : [{ ...holder, ...then }],
    delays: [],
    waiters: waiters.map((waiter) => ({ ...waiter, ...then, names: [name] })),
    history: history.map((each) => ({ ...each, mode, remark: '' })),
  };
}
