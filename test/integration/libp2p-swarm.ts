import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../../shared/domain/failure.ts';
import { wallTime } from '../../shared/domain/ids.ts';
import { createIdentity } from '../../src-main/adapters/libp2p/identity.ts';
import type { Identity } from '../../src-main/adapters/libp2p/identity.ts';
import { createSkeinNetwork } from '../../src-main/adapters/libp2p/network.ts';
import type { SkeinNetwork } from '../../src-main/adapters/libp2p/network.ts';
import type { Logger } from '../../src-main/ports/logger.ts';
import { decodeMembership } from '../../src-main/swarm/membership-set.ts';
import type { MembershipSet } from '../../src-main/swarm/membership-set.ts';
import { foundSwarm } from '../../src-main/swarm/swarm-file.ts';

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface TestMember {
  readonly identity: Identity;
  readonly membership: MembershipSet;
  readonly home: string;
  readonly network: SkeinNetwork;
}

/** Takes the value out of a result that has to be good. */
export function must<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}

/** Waits for a condition by looking again, for a bounded time. */
export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Networks and folders of one test, all gone afterwards. */
export class TestSwarm {
  readonly members: TestMember[] = [];
  readonly #homes: string[] = [];

  async identities(count: number): Promise<readonly [Identity, ...Identity[]]> {
    const made = await Promise.all(Array.from({ length: count }, createIdentity));
    // In the order of their ids, so that a test knows which side opens streams.
    const [first, ...rest] = made.sort((left, right) => (left.id < right.id ? -1 : 1));
    if (first === undefined) throw new Error('a swarm needs a founder');
    return [first, ...rest];
  }

  /** A founded set in which all of these are members; the first is the founder. */
  found(identities: readonly [Identity, ...Identity[]]): MembershipSet {
    const [founder, ...others] = identities;
    const set = must(foundSwarm(founder, { name: 'home', founderName: 'founder', now: wallTime(1_000) }));
    for (const [index, { id }] of others.entries()) {
      must(set.grant(founder, { member: id, name: `machine ${String(index)}`, role: 'worker', now: wallTime(2_000) }));
    }
    return set;
  }

  async add(
    identity: Identity,
    membership: MembershipSet,
    options: { readonly port?: number; readonly home?: string; readonly listenHost?: string } = {},
  ): Promise<TestMember> {
    const home = options.home ?? (await mkdtemp(join(tmpdir(), 'skein-net-')));
    this.#homes.push(home);
    // Every machine has its own copy, or they would agree without any network.
    const own = must(decodeMembership(membership.encode()));
    const network = createSkeinNetwork({
      home,
      identity,
      membership: own,
      listenHost: options.listenHost ?? '127.0.0.1',
      mdns: false,
      topics: ['news'],
      logger: quiet,
      ...(options.port === undefined ? {} : { port: options.port }),
    });
    const member = { identity, membership: own, home, network };
    this.members.push(member);
    return member;
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ network }) => network.stop()));
    await Promise.all(this.#homes.map((home) => rm(home, { recursive: true, force: true })));
  }
}
