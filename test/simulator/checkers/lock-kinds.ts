import type { LockName } from '../../../shared/domain/ids.ts';
import type { LockCommand, LockMode } from '../../../src-main/core/locks/commands.ts';
import type { Command } from '../../../src-main/core/state-machine/command.ts';
import type { StateEvent } from '../../../src-main/core/state-machine/events.ts';
import type { AgreedEntry, Broken, Checker } from './checker.ts';
import { otherKinds } from './histories.ts';
import { LockModel, type LockDeed } from './lock-model.ts';

interface Inside {
  readonly who: string;
  readonly token: number;
  mode: LockMode;
}

/**
 * L1, L2 and L5 for locks of every kind: each entry does to them what a plain model does, a writer is alone, a semaphore
 * has no more holders than permits, tokens never shrink, and no delay ends early. After a release nothing is delayed:
 * the model grants in the same entry.
 */
export class LockKinds implements Checker {
  readonly name = 'lock-kinds';
  readonly #broken: Broken;
  readonly #drift: number;
  readonly #model = new LockModel();
  readonly #seen = new Set<string>();
  readonly #inside = new Map<LockName, Inside[]>();
  readonly #highest = new Map<LockName, number>();
  readonly #delays = new Map<string, { readonly from: number; readonly delayMs: number }>();

  constructor(broken: Broken, drift: number) {
    this.#broken = broken;
    this.#drift = drift;
  }

  onAgreed({ slot, request, result, events }: AgreedEntry, now: number): void {
    const expected: LockDeed[] = [];
    if (request !== null && !this.#isRepeat(request)) {
      const { command } = request;
      const isRefused = result.type === 'refused';
      if (isOfOtherKind(command)) expected.push(...this.#command(slot, command, isRefused));
      for (const event of events) {
        if (event.type === 'session-ended')
          expected.push(...this.#model.endSession(slot, event.session, command.type !== 'session-closed'));
      }
    }
    const done = events.flatMap(deedOf).sort();
    if (done.join() !== expected.sort().join())
      this.#broken('locks as modelled', `slot ${slot} does ${done.join()}, not ${expected.join()}`);
    for (const event of events) this.#follow(slot, event, now);
  }

  #isRepeat({ client, sequence }: { readonly client: string; readonly sequence: number }): boolean {
    const name = `${client}/${sequence}`;
    if (sequence > 0 && this.#seen.has(name)) return true;
    this.#seen.add(name);
    return false;
  }

  /** A refusal for a session that is over changes nothing, whatever the model would do. */
  #command(slot: number, command: LockCommand, isRefused: boolean): LockDeed[] {
    if (isRefused && 'session' in command && !this.#mayAct(command)) return [];
    const deeds = this.#model.apply(slot, command);
    if ((deeds === null) !== isRefused)
      this.#broken(
        'locks as modelled',
        `slot ${slot}: ${JSON.stringify(command)} is ${isRefused ? '' : 'not '}refused`,
      );
    return deeds ?? [];
  }

  readonly #open = new Set<string>();
  #mayAct(command: { readonly session: string }): boolean {
    return this.#open.has(command.session);
  }

  #follow(slot: number, event: StateEvent, now: number): void {
    if (event.type === 'session-opened') this.#open.add(event.session);
    if (event.type === 'session-ended') this.#open.delete(event.session);
    if (event.type === 'lock-ended' && event.delayMs > 0) this.#noteDelay(slot, event, now);
    if (event.type === 'lock-delay-ended') this.#endDelay(event, now);
    if (!('name' in event) || !event.name.startsWith(otherKinds)) return;
    const inside = this.#inside.get(event.name) ?? [];
    this.#inside.set(event.name, inside);
    if (event.type === 'lock-granted') this.#enter(event, inside);
    else if (event.type === 'lock-ended')
      this.#inside.set(
        event.name,
        inside.filter((each) => each.who !== `${event.session}/${event.owner}`),
      );
    else if (event.type === 'lock-downgraded')
      for (const each of inside) if (each.who === `${event.session}/${event.owner}`) each.mode = { type: 'shared' };
  }

  #enter(event: Extract<StateEvent, { type: 'lock-granted' }>, inside: Inside[]): void {
    const { mode, name, token } = event;
    const isWrong =
      mode.type === 'exclusive'
        ? inside.length > 0
        : mode.type === 'shared'
          ? inside.some((each) => each.mode.type !== 'shared')
          : inside.length >= mode.permits;
    if (isWrong) this.#broken('lock exclusion', `${name} (${mode.type}) is granted beside ${JSON.stringify(inside)}`);
    const highest = this.#highest.get(name) ?? 0;
    if (token < highest || (token === highest && inside.every((each) => each.token !== token)))
      this.#broken('token growth', `${name} is granted with ${token} after ${highest}`);
    this.#highest.set(name, token);
    inside.push({ who: `${event.session}/${event.owner}`, token, mode });
  }

  #noteDelay(slot: number, event: Extract<StateEvent, { type: 'lock-ended' }>, now: number): void {
    const key = `${event.name}@${slot}`;
    const known = this.#delays.get(key);
    this.#delays.set(key, { from: now, delayMs: Math.max(event.delayMs, known?.delayMs ?? 0) });
  }

  #endDelay(event: Extract<StateEvent, { type: 'lock-delay-ended' }>, now: number): void {
    const delay = this.#delays.get(`${event.name}@${event.since}`);
    if (delay === undefined) this.#broken('lock delay', `${event.name} has no delay since ${event.since}`);
    else if (now - delay.from < delay.delayMs * (1 - 2 * this.#drift) - 1)
      this.#broken(
        'lock delay',
        `${event.name} is free ${now - delay.from} ms after its loss, before ${delay.delayMs} ms`,
      );
  }
}

function isOfOtherKind(command: Command): command is LockCommand {
  if (command.type === 'locks-requested') return true;
  if (command.type === 'locks-released') return true;
  return 'name' in command && command.type.startsWith('lock-') && command.name.startsWith(otherKinds);
}

function deedOf(event: StateEvent): LockDeed[] {
  if ((event.type !== 'lock-granted' && event.type !== 'lock-ended') || !event.name.startsWith(otherKinds)) return [];
  const verb = event.type === 'lock-granted' ? 'grant' : 'end';
  return [`${verb} ${event.name} ${event.session}/${event.owner}@${event.token}`];
}
