import { compareText } from '../../../shared/domain/ids.ts';
import type { LockName, SessionId } from '../../../shared/domain/ids.ts';
import type { LockOwner } from './commands.ts';

export interface Stake {
  readonly session: SessionId;
  readonly owner: LockOwner;
  readonly name: LockName;
}

/** Which locks a session or one of its owners holds or waits for, so that an end does not search every lock. */
export class Stakes {
  readonly #names = new Map<SessionId, Map<LockOwner, Set<LockName>>>();

  add(session: SessionId, owner: LockOwner, name: LockName): void {
    const owners = this.#names.get(session) ?? new Map<LockOwner, Set<LockName>>();
    const names = owners.get(owner) ?? new Set<LockName>();
    names.add(name);
    owners.set(owner, names);
    this.#names.set(session, owners);
  }

  remove(session: SessionId, owner: LockOwner, name: LockName): void {
    const owners = this.#names.get(session);
    const names = owners?.get(owner);
    if (owners === undefined || names === undefined) return;
    names.delete(name);
    if (names.size === 0) owners.delete(owner);
    if (owners.size === 0) this.#names.delete(session);
  }

  /** Sorted, because the order of insertion does not survive a snapshot. */
  ofOwner(session: SessionId, owner: LockOwner): readonly Stake[] {
    const names = this.#names.get(session)?.get(owner);
    return names === undefined ? [] : [...names].sort(compareText).map((name) => ({ session, owner, name }));
  }

  ofSession(session: SessionId): readonly Stake[] {
    const owners = [...(this.#names.get(session)?.keys() ?? [])].sort(compareText);
    return owners.flatMap((owner) => this.ofOwner(session, owner));
  }
}
