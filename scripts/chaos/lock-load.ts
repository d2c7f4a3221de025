import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { Machine } from './machines.ts';
import type { Story } from './story.ts';

const lockNames = ['ledger', 'printer'];
const waitMs = 8_000;
/** Longer than any call should take: a process that is stopped answers nothing. */
const giveUpMs = 40_000;

/** What a lock protects: it remembers the highest token it saw and lets no lower one in. */
export class FencedResource {
  readonly #story: Story;
  readonly #highest = new Map<string, number>();

  constructor(story: Story) {
    this.#story = story;
  }

  write(resource: string, client: string, token: number): boolean {
    const accepted = token >= (this.#highest.get(resource) ?? 0);
    if (accepted) this.#highest.set(resource, token);
    this.#story.effects.push({ resource, client, token, at: this.#story.now, accepted });
    return accepted;
  }
}

/** Takes a lock, writes under it, gives it back, for as long as the storm lasts. */
export async function useLocks(options: {
  machine: Machine;
  story: Story;
  resource: FencedResource;
  random: Random;
  client: string;
  running: () => boolean;
}): Promise<void> {
  const { machine, random, running } = options;
  while (running()) {
    if (machine.awake) await holdOnce(options, lockNames[random.below(lockNames.length)] ?? 'ledger');
    await sleep(20 + random.below(60));
  }
}

type Load = Parameters<typeof useLocks>[0];

async function holdOnce(load: Load, name: string): Promise<void> {
  const { machine, story, client } = load;
  const start = story.now;
  const leaving = new AbortController();
  const tooLong = setTimeout(() => leaving.abort(), giveUpMs);
  let token: number | null = null;
  try {
    const input = { name, label: client, waitMs };
    const events = await machine.node.api.locks.hold(input, { signal: leaving.signal });
    const iterator = events[Symbol.asyncIterator]();
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      if (next.value.type === 'waiting') continue;
      if (next.value.type === 'lost') break;
      token = next.value.token;
      const [granted, result] = [story.now, { token }];
      story.operations.push({
        client,
        kind: 'acquire',
        key: name,
        arguments: {},
        result,
        start,
        end: granted,
        index: token,
      });
      await work(load, name, token, start, heardOf(iterator.next(), story));
      break;
    }
  } catch (error) {
    // Refused, or cut off before anything was granted: a grant that nobody hears of ends with its session.
    if (token === null) story.tell(`${client} did not get ${name}: ${String(error).slice(0, 150)}`);
  } finally {
    clearTimeout(tooLong);
    leaving.abort();
  }
}

interface Loss {
  /** When the holder was told that the lock is no longer its own, or that the call is over; null until then. */
  at: number | null;
  readonly told: Promise<void>;
}

/** Whatever comes after the grant ends it: the news of a loss, or the end of the call with its node. */
function heardOf(next: Promise<unknown>, story: Story): Loss {
  const heard = (): void => {
    loss.at ??= story.now;
  };
  const loss: Loss = { at: null, told: next.then(heard, heard) };
  return loss;
}

/** Holds for a moment, writing under the token, and stops at once when the lock is lost. */
async function work(load: Load, name: string, token: number, asked: number, loss: Loss): Promise<void> {
  const { machine, story, resource, random, client } = load;
  const granted = story.now;
  const pid = machine.node.pid;
  const holdMs = random.below(10) === 0 ? random.below(800) : 5 + random.below(60);
  while (story.now - granted < holdMs && loss.at === null) {
    resource.write(name, client, token);
    await Promise.race([sleep(Math.min(20, holdMs)), loss.told]);
  }
  const end = loss.at ?? story.now;
  if (loss.at !== null) story.tell(`${client} lost ${name}#${token}`);
  const disturbed = machine.disturbedSince(asked) || !machine.node.running || machine.node.pid !== pid;
  story.tenures.push({ resource: name, client, token, start: granted, end: disturbed ? granted : end });
  // Nobody is told when a release has taken effect. Where the session may have ended unnoticed, it may have been at once.
  const release = { client, kind: 'release', key: name, arguments: { token }, result: null, end: null };
  story.operations.push({ ...release, start: disturbed ? granted : end });
}

/** After the storm: the lock can be had through this machine. Throws when not within the time. */
export async function probeLock(machine: Machine, withinMs: number): Promise<number> {
  const signal = AbortSignal.timeout(withinMs);
  for await (const event of await machine.node.api.locks.hold({ name: `probe-${machine.name}` }, { signal })) {
    if (event.type === 'granted') return event.token;
    if (event.type === 'lost') throw new Error(`the probe's lock was lost: ${event.reason}`);
  }
  throw new Error('the call ended without a grant');
}
