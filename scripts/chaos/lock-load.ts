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
    for await (const event of await machine.node.api.locks.hold(input, { signal: leaving.signal })) {
      if (event.type === 'waiting') continue;
      if (event.type === 'lost') break;
      token = event.token;
      story.operations.push({
        client,
        kind: 'acquire',
        key: name,
        arguments: {},
        result: { token },
        start,
        end: story.now,
        index: token,
      });
      await work(load, name, token, start);
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

/** Holds for a moment, writing under the token; ends early with the node, whose closed connection tells it. */
async function work(
  { machine, story, resource, random, client }: Load,
  name: string,
  token: number,
  asked: number,
): Promise<void> {
  const granted = story.now;
  const pid = machine.node.pid;
  const holdMs = random.below(10) === 0 ? random.below(800) : 5 + random.below(60);
  while (story.now - granted < holdMs && machine.node.running && machine.node.pid === pid) {
    resource.write(name, client, token);
    await sleep(Math.min(20, holdMs));
  }
  const killed = !machine.node.running || machine.node.pid !== pid;
  const end = story.now;
  const disturbed = machine.disturbedSince(asked) || killed;
  story.tenures.push({ resource: name, client, token, start: granted, end: disturbed ? granted : end });
  // Nobody is told when a release has taken effect. Where the session may have ended unnoticed, it may have been at once.
  const releaseStart = disturbed ? granted : end;
  story.operations.push({
    client,
    kind: 'release',
    key: name,
    arguments: { token },
    result: null,
    start: releaseStart,
    end: null,
  });
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
