import { lockName, type FencingToken, type LockName, type SessionId } from '../../shared/domain/ids.ts';
import type { Result } from '../../shared/domain/failure.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { LockMode } from '../../src-main/core/locks/commands.ts';
import type { NodeMachine } from '../../src-main/core/node/node.ts';
import type { Command, CommandResult } from '../../src-main/core/state-machine/command.ts';
import { otherKinds } from './checkers/histories.ts';
import { chance, exponential, pick } from './forks.ts';

export interface LockClientOptions {
  readonly random: Random;
  readonly machine: NodeMachine;
  readonly session: () => SessionId;
  readonly ask: (command: Command, answer?: (result: Result<CommandResult>) => void) => void;
  readonly later: (delayMs: number, act: () => void) => void;
}

const named = (name: string): LockName => lockName(`${otherKinds}${name}`);
const looksMax = 40;

/** Readers and writers, semaphores and several locks at once, as people and scripts of one machine use them. */
export class LockClient {
  readonly #options: LockClientOptions;
  #owner = 0;

  constructor(options: LockClientOptions) {
    this.#options = options;
  }

  want(): void {
    const { random, session, ask } = this.#options;
    if (chance(random, 0.05)) return this.#force();
    const { names, mode } = this.#draw();
    const claim = { session: session(), owner: `kinds:${++this.#owner}` };
    const wishes = names.map((name) => ({ name, mode }));
    const delayMs = random.below(4) * 2_000;
    const wait = chance(random, 0.8);
    ask({ type: 'locks-requested', ...claim, label: '', wait, wishes, delayMs, keeps: false }, (result) => {
      if (result.ok && result.value.type === 'lock-granted') this.#hold(claim, names, result.value.token);
      else if (result.ok) this.#await(claim, names, looksMax);
      else if (result.failure.code !== 'precondition-failed') this.#giveUp(claim, names);
    });
  }

  #draw(): { names: readonly LockName[]; mode: LockMode } {
    const { random } = this.#options;
    return pick<() => { names: readonly LockName[]; mode: LockMode }>(random, [
      () => ({ names: [named('book')], mode: { type: 'shared' } }),
      () => ({ names: [named('book')], mode: { type: 'shared' } }),
      () => ({ names: [named('book')], mode: { type: 'exclusive' } }),
      () => ({ names: [named('seats')], mode: { type: 'permit', permits: 2 } }),
      () => ({ names: [named('left'), named('right')], mode: { type: 'exclusive' } }),
      () => ({ names: [named('right'), named('book')], mode: { type: 'exclusive' } }),
      () => ({ names: [named('left')], mode: { type: 'permit', permits: 2 } }),
    ])();
  }

  #await(claim: Claim, names: readonly LockName[], looks: number): void {
    const { machine, later, session } = this.#options;
    if (claim.session !== session()) return;
    const [first = named('')] = names;
    const holder = machine.state.locks.holderOf(first, claim);
    if (holder !== null) this.#hold(claim, names, holder.token);
    else if (looks === 0) this.#giveUp(claim, names);
    else later(250, () => this.#await(claim, names, looks - 1));
  }

  #hold(claim: Claim, names: readonly LockName[], token: FencingToken): void {
    const { random, ask, later } = this.#options;
    later(exponential(random, 1_000), () => {
      const [first = named('')] = names;
      if (chance(random, 0.3)) ask({ type: 'lock-downgraded', name: first, ...claim, token });
      ask({ type: 'locks-released', ...claim, names, token });
    });
  }

  #giveUp(claim: Claim, names: readonly LockName[]): void {
    for (const name of names) this.#options.ask({ type: 'lock-abandoned', name, ...claim });
  }

  /** A person takes away what looks stuck; sometimes with a token that has passed. */
  #force(): void {
    const { random, machine, ask } = this.#options;
    const name = named(pick(random, ['book', 'seats', 'left', 'right']));
    const token = machine.state.locks.get(name)?.holders[0]?.token;
    if (token !== undefined)
      ask({ type: 'lock-force-released', name, expectedToken: token, by: 'someone', reason: 'it looks stuck' });
  }
}

interface Claim {
  readonly session: SessionId;
  readonly owner: string;
}
