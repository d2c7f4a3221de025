import type { FencingToken, LockName, SessionId } from '../../../shared/domain/ids.ts';
import type { StateEvent } from '../../../src-main/core/state-machine/events.ts';
import type { AgreedEntry, Broken, Checker } from './checker.ts';
import { otherKinds } from './histories.ts';

interface Tenure {
  readonly session: SessionId;
  readonly token: FencingToken;
}

interface Lease {
  renewal: number;
  readonly ttlMs: number;
  /** When the last renewal was first applied anywhere, in the time of the world. */
  since: number;
}

/**
 * L1: between a grant and its end no other grant. L2: the tokens of a lock strictly grow. L3: a resource that checks
 * tokens sees only tokens that were granted to whoever shows them. L4: no session expires early or after a renewal.
 */
export class Locks implements Checker {
  readonly name = 'locks';
  readonly #broken: Broken;
  readonly #holders = new Map<LockName, Tenure>();
  readonly #highest = new Map<LockName, FencingToken>();
  readonly #granted = new Map<string, SessionId>();
  readonly #leases = new Map<SessionId, Lease>();
  /** The resources: the highest token each has seen. */
  readonly #seen = new Map<LockName, FencingToken>();
  /** Clocks may be this much too fast, relatively. */
  readonly #drift: number;

  constructor(broken: Broken, drift: number) {
    this.#broken = broken;
    this.#drift = drift;
  }

  onAgreed(entry: AgreedEntry, now: number): void {
    this.#followLease(entry, now);
    for (const event of entry.events) this.#onEvent(entry, event, now);
  }

  /** Somebody writes to what the lock protects. Answers whether the resource let it. */
  effect(name: LockName, session: SessionId, token: FencingToken): boolean {
    const highest = this.#seen.get(name);
    if (highest !== undefined && token < highest) return false;
    this.#seen.set(name, token);
    const owner = this.#granted.get(`${name}@${token}`);
    if (owner !== session)
      this.#broken(
        'fenced effects',
        `${session} writes under ${name} with token ${token}, granted to ${owner ?? 'nobody'}`,
      );
    return true;
  }

  #onEvent({ slot }: AgreedEntry, event: StateEvent, now: number): void {
    // Locks with several holders have a checker of their own.
    if ('name' in event && event.name.startsWith(otherKinds)) return;
    if (event.type === 'lock-granted') {
      const holder = this.#holders.get(event.name);
      if (holder !== undefined)
        this.#broken(
          'lock exclusion',
          `slot ${slot} grants ${event.name} to ${event.session}, held by ${holder.session}`,
        );
      const highest = this.#highest.get(event.name) ?? 0;
      if (event.token <= highest)
        this.#broken('token growth', `slot ${slot} grants ${event.name} with ${event.token} after ${highest}`);
      if (!this.#leases.has(event.session))
        this.#broken('lock exclusion', `slot ${slot} grants ${event.name} to ${event.session}, which has ended`);
      this.#holders.set(event.name, event);
      this.#highest.set(event.name, event.token);
      this.#granted.set(`${event.name}@${event.token}`, event.session);
    } else if (event.type === 'lock-ended') {
      const holder = this.#holders.get(event.name);
      if (holder?.token !== event.token)
        this.#broken('lock exclusion', `slot ${slot} ends ${event.name} of token ${event.token}, not held`);
      this.#holders.delete(event.name);
    } else if (event.type === 'session-ended') {
      this.#endSession(event.session, event.expired, now, slot);
    }
  }

  #followLease({ request, result, events }: AgreedEntry, now: number): void {
    const command = request?.command;
    if (command?.type === 'session-opened' && events.some((event) => event.type === 'session-opened')) {
      this.#leases.set(command.session, { renewal: 0, ttlMs: command.ttlMs, since: now });
    } else if (command?.type === 'session-renewed' && result.type === 'done') {
      const lease = this.#leases.get(command.session);
      if (lease === undefined || command.renewal <= lease.renewal) return;
      lease.renewal = command.renewal;
      lease.since = now;
    } else if (command?.type === 'session-expired' && result.type === 'done') {
      const lease = this.#leases.get(command.session);
      if (lease !== undefined && lease.renewal !== command.renewal) {
        this.#broken(
          'expiry safety',
          `${command.session} expires for renewal ${command.renewal}, but was renewed as ${lease.renewal}`,
        );
      }
    }
  }

  #endSession(session: SessionId, expired: boolean, now: number, slot: number): void {
    const lease = this.#leases.get(session);
    if (lease === undefined) this.#broken('expiry safety', `slot ${slot} ends ${session}, which is not open`);
    else if (expired && now - lease.since < lease.ttlMs * (1 - 2 * this.#drift) - 1) {
      this.#broken(
        'expiry safety',
        `${session} expires ${now - lease.since} ms after its renewal, before ${lease.ttlMs} ms`,
      );
    }
    this.#leases.delete(session);
  }
}
