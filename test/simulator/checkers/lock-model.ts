import type { LockName, SessionId } from '../../../shared/domain/ids.ts';
import type { LockCommand, LockMode, LockWish } from '../../../src-main/core/locks/commands.ts';

interface Wish {
  readonly session: SessionId;
  readonly owner: string;
  readonly wishes: readonly LockWish[];
  readonly delayMs: number;
  readonly keeps: boolean;
}

interface Place {
  readonly name: LockName;
  readonly claim: Wish;
  readonly token: number;
  mode: LockMode;
  /** The slot at which it was lost; null while it is held. */
  lostAt: number | null;
}

/** `grant x a#1/client:1@7` and the like: what one entry does to locks, in any order. */
export type LockDeed = string;

const who = ({ session, owner }: { readonly session: SessionId; readonly owner: string }): string =>
  `${session}/${owner}`;

/**
 * A plain model of the lock table, built otherwise: one line of everyone who waits, in the order of the log, and one
 * list of places. Somebody comes in when nobody before them in the line wants any of the same locks and all have room.
 */
export class LockModel {
  #line: Wish[] = [];
  #places: Place[] = [];

  /** What the entry does, or null when it is refused. */
  apply(slot: number, command: LockCommand): LockDeed[] | null {
    switch (command.type) {
      case 'lock-requested': {
        const wishes = [{ name: command.name, mode: { type: 'exclusive' as const } }];
        return this.#ask(slot, { ...command, wishes, delayMs: 15_000, keeps: false }, command.wait);
      }
      case 'locks-requested':
        return this.#ask(slot, command, command.wait);
      case 'lock-abandoned': {
        this.#line = this.#line.filter(
          (each) => who(each) !== who(command) || !each.wishes.some(({ name }) => name === command.name),
        );
        return this.#end(slot, (place) => place.name === command.name && who(place.claim) === who(command), false);
      }
      case 'lock-released': {
        const held = this.#held(command.name).find(
          ({ claim, token }) => claim.session === command.session && token === command.token,
        );
        return held === undefined ? null : this.#end(slot, (place) => place === held, false);
      }
      case 'locks-released': {
        const held = command.names.map((name) =>
          this.#held(name).find(({ claim, token }) => who(claim) === who(command) && token === command.token),
        );
        return held.includes(undefined) ? null : this.#end(slot, (place) => held.includes(place), false);
      }
      case 'lock-downgraded': {
        const held = this.#held(command.name).find(
          ({ claim, token }) => who(claim) === who(command) && token === command.token,
        );
        if (held === undefined || held.mode.type === 'permit') return null;
        held.mode = { type: 'shared' };
        return this.#admit(slot);
      }
      case 'lock-force-released': {
        const held = this.#held(command.name).filter(({ token }) => token === command.expectedToken);
        return held.length === 0 ? null : this.#end(slot, (place) => held.includes(place), true);
      }
      case 'lock-delay-ended': {
        const over = this.#places.filter(({ name, lostAt }) => name === command.name && lostAt === command.since);
        this.#places = this.#places.filter((place) => !over.includes(place));
        return over.length === 0 ? null : this.#admit(slot);
      }
    }
  }

  endSession(slot: number, session: SessionId, isLost: boolean): LockDeed[] {
    this.#line = this.#line.filter((each) => each.session !== session);
    return this.#end(slot, ({ claim }) => claim.session === session && !claim.keeps, isLost);
  }

  endOwner(slot: number, session: SessionId, owner: string): LockDeed[] {
    this.#line = this.#line.filter((each) => who(each) !== who({ session, owner }));
    return this.#end(slot, ({ claim }) => who(claim) === who({ session, owner }), false);
  }

  #held(name: LockName): Place[] {
    return this.#places.filter((place) => place.name === name && place.lostAt === null);
  }

  #ask(slot: number, wish: Wish, wait: boolean): LockDeed[] | null {
    const own = this.#places.filter(({ claim, lostAt }) => lostAt === null && who(claim) === who(wish));
    const names = wish.wishes.map(({ name }) => name);
    const isKnown =
      own.some(({ name }) => names.includes(name)) ||
      this.#line.some((each) => who(each) === who(wish) && each.wishes.some(({ name }) => names.includes(name)));
    // Asking again gets an answer and changes nothing; whether it is the same answer is checked elsewhere.
    if (isKnown) return [];
    if (!this.#isSameKind(wish.wishes)) return null;
    this.#line.push(wish);
    const deeds = this.#admit(slot);
    if (!wait && this.#line.includes(wish)) {
      this.#line = this.#line.filter((each) => each !== wish);
      return null;
    }
    return deeds;
  }

  #isSameKind(wishes: readonly LockWish[]): boolean {
    const used = [...this.#places, ...this.#line.flatMap((each) => each.wishes)];
    return wishes.every(({ name, mode }) =>
      used.every((other) => other.name !== name || kind(other.mode) === kind(mode)),
    );
  }

  #end(slot: number, isEnded: (place: Place) => boolean, isLost: boolean): LockDeed[] {
    const ended = this.#places.filter((place) => place.lostAt === null && isEnded(place));
    for (const place of ended) if (isLost && place.claim.delayMs > 0) place.lostAt = slot;
    this.#places = this.#places.filter((place) => !ended.includes(place) || place.lostAt !== null);
    return [...ended.map((place) => `end ${place.name} ${who(place.claim)}@${place.token}`), ...this.#admit(slot)];
  }

  #admit(slot: number): LockDeed[] {
    const deeds: LockDeed[] = [];
    const wanted = new Set<LockName>();
    for (const wish of [...this.#line]) {
      const isIn = wish.wishes.every(({ name, mode }) => !wanted.has(name) && this.#hasRoom(name, mode));
      if (!isIn) {
        for (const { name } of wish.wishes) wanted.add(name);
        continue;
      }
      this.#line = this.#line.filter((each) => each !== wish);
      for (const { name, mode } of wish.wishes) {
        this.#places.push({ name, claim: wish, token: slot, mode, lostAt: null });
        deeds.push(`grant ${name} ${who(wish)}@${slot}`);
      }
    }
    return deeds;
  }

  #hasRoom(name: LockName, mode: LockMode): boolean {
    const inside = this.#places.filter((place) => place.name === name);
    if (mode.type === 'exclusive') return inside.length === 0;
    if (mode.type === 'shared') return inside.every((place) => place.mode.type === 'shared');
    return inside.length < mode.permits;
  }
}

const kind = (mode: LockMode): string => (mode.type === 'permit' ? `semaphore ${mode.permits}` : 'lock');
