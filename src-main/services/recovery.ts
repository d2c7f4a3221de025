import { FailureError, fail, type Failure } from '../../shared/domain/failure.ts';
import { slot, type NodeId, type Slot } from '../../shared/domain/ids.ts';
import type { NodeInput } from '../core/node/messages.ts';
import type { SetAside } from '../core/paxos/epochs.ts';
import type { Advance } from '../core/paxos/recovery.ts';
import { quorumOf, type Voter, type VoterConfig } from '../core/paxos/voters.ts';
import { newSeatRank } from '../core/membership/voter-choice.ts';
import type { LoggedRequest } from '../core/state-machine/command.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ByteStream, ByteStreams } from '../ports/streams.ts';
import type { MembershipSet } from '../swarm/membership-set.ts';
import { parseRecovery, signRecovery } from '../swarm/recovery-record.ts';
import type { SignedRecord } from '../swarm/records.ts';
import type { Signer } from '../swarm/signature.ts';
import { memberNamed, nodeRef } from './names.ts';
import type { Replica } from './replica.ts';
import { valueOf } from './running-peer.ts';
import { isRecord, malformed, StreamReader, writeMessage } from './stream-messages.ts';

const recoveryService = 'recovery';
const messageBytesMax = 64 * 1_024;
const askMs = 5_000;
/** How long the machine that opens the epoch may take to catch up and begin. */
const openMs = 20_000;
const lookMs = 100;

/** What one machine would bring along. */
export interface Survivor {
  readonly node: NodeId;
  readonly incarnation: string;
  readonly epochPromised: number;
  readonly epoch: number;
  readonly config: number;
  readonly voters: readonly NodeId[];
  readonly committed: Slot;
  readonly votedThrough: Slot;
}

export interface RecoveryPlan {
  /** Why there is nothing to recover, or why this machine may not; null when it may go ahead. */
  readonly obstacle: Failure | null;
  /** Most advanced first. */
  readonly survivors: readonly Survivor[];
  /** Voters that cannot be reached and would be given up. */
  readonly abandon: readonly NodeId[];
  readonly epoch: number;
}

export interface RecoveryOptions {
  readonly signer: Signer;
  readonly membership: MembershipSet;
  readonly replica: Replica;
  readonly streams: ByteStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connected: () => readonly NodeId[];
  readonly advance: () => Advance;
  readonly setAside: () => readonly SetAside<LoggedRequest>[];
  readonly input: (input: NodeInput) => void;
}

/**
 * A forced new quorum (docs/protocols/recovery.md), for when a majority of the voters is gone for good. A person starts it;
 * machines only check the signature of an admin, promise, and report.
 */
export class Recovery {
  readonly #options: RecoveryOptions;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.streams.handle(recoveryService, (stream) => this.#answer(stream));
  }

  /** Asks everyone who can be reached how much they know. */
  async plan(): Promise<RecoveryPlan> {
    const { signer, connected, membership, logger } = this.#options;
    const others = connected().filter((node) => membership.isMember(node));
    const answers = await Promise.all(
      others.map((node) =>
        this.#ask(node, { ask: 'status' }).then(
          (answer) => readSurvivor(node, answer),
          (error: unknown) => {
            logger.warn('a machine did not say how much it knows', { node, reason: String(error) });
            return null;
          },
        ),
      ),
    );
    const own = readSurvivor(signer.id, statusOf(this.#options.advance()));
    const survivors = [own, ...answers].filter((survivor) => survivor !== null).sort(byAdvance);
    const voters = survivors[0]?.voters ?? [];
    const abandon = voters.filter((voter) => !survivors.some(({ node }) => node === voter));
    const epoch = 1 + Math.max(0, ...survivors.map(({ epochPromised }) => epochPromised));
    return { survivors, abandon, epoch, obstacle: this.#obstacle(abandon, voters) };
  }

  #obstacle(abandon: readonly NodeId[], voters: readonly NodeId[]): Failure | null {
    const { membership, signer, replica } = this.#options;
    const { config } = replica.status();
    if (config === null)
      return fail('precondition-failed', 'This machine has not heard from the swarm yet: it has nothing to go on with.')
        .failure;
    if (membership.member(signer.id)?.role !== 'admin')
      return fail('not-authorised', 'Only an admin can force a new quorum.', 'Run this on a machine of an admin.')
        .failure;
    const quorum = quorumOf({ ...config, voters: voters.map((node) => ({ node, incarnation: '', rank: 0 })) });
    if (voters.length - abandon.length < quorum || voters.length === 0) return null;
    return fail(
      'precondition-failed',
      'Enough voters can be reached: there is nothing to recover.',
      'If no coordinator is elected within a minute, look at “skein status” on each machine.',
    ).failure;
  }

  /**
   * Forces a new quorum without the machines named, which must be exactly the voters that cannot be reached. Answers
   * the new configuration. Throws a FailureError that says what is in the way; until the epoch opens nothing is lost.
   */
  async recover(names: readonly string[]): Promise<VoterConfig> {
    const plan = await this.plan();
    if (plan.obstacle !== null) throw new FailureError(plan.obstacle);
    const named = this.#checkNames(names, plan.abandon);
    const { signer, membership, clock, input } = this.#options;
    const record = signRecovery(signer, {
      swarm: membership.swarm,
      epoch: plan.epoch,
      opener: signer.id,
      abandoned: named,
      issuedAt: clock.wall(),
    });
    await this.#collectPromises(plan, record);
    const from = plan.survivors.map(({ node }) => node);
    input({ type: 'open-epoch', epoch: plan.epoch, voters: votersOf(plan.survivors, signer.id), from });
    return this.#opened(plan.epoch);
  }

  /** Typing the names is how a person shows to know which machines are meant. */
  #checkNames(names: readonly string[], abandon: readonly NodeId[]): NodeId[] {
    const { membership } = this.#options;
    const named = names.map((name) => valueOf(memberNamed(membership, name)));
    const missing = abandon.filter((node) => !named.includes(node));
    const present = named.filter((node) => !abandon.includes(node));
    const words = (nodes: readonly NodeId[]): string => nodes.map((node) => nodeRef(membership, node).name).join(', ');
    if (present.length > 0)
      throw new FailureError(
        fail(
          'precondition-failed',
          `${words(present)} can be reached or has no vote.`,
          'Name only what “skein recover” lists.',
        ).failure,
      );
    if (missing.length > 0)
      throw new FailureError(
        fail(
          'precondition-failed',
          `To go on, ${words(missing)} must be given up, too.`,
          `Add: --abandon ${words(missing)}`,
        ).failure,
      );
    return named;
  }

  /** Everyone who can be reached promises first: a machine left out could still help the old quorum. */
  async #collectPromises({ survivors }: RecoveryPlan, record: SignedRecord): Promise<void> {
    const { signer, membership } = this.#options;
    this.#promise(record);
    for (const { node } of survivors) {
      if (node === signer.id) continue;
      const answer = await this.#ask(node, { ask: 'promise', record });
      if (isRecord(answer) && answer['promised'] === true) continue;
      const why = isRecord(answer) && typeof answer['message'] === 'string' ? answer['message'] : 'it did not say why';
      throw new FailureError(
        fail(
          'precondition-failed',
          `${nodeRef(membership, node).name} does not promise the new epoch: ${why}`,
          'Try again.',
        ).failure,
      );
    }
  }

  async #opened(epoch: number): Promise<VoterConfig> {
    const { clock, replica } = this.#options;
    const deadline = clock.now() + openMs;
    while (clock.now() < deadline) {
      const { config, coordinator } = replica.status();
      if (config !== null && config.epoch >= epoch && coordinator !== null) return config;
      await new Promise<void>((resolve) => clock.setTimer(lookMs, resolve));
    }
    throw new FailureError(
      fail('timed-out', `Epoch ${epoch} is not open after ${openMs / 1_000} s.`, 'Run “skein recover” again.').failure,
    );
  }

  /** Requests that this machine had when its epoch ended and that the swarm has not. */
  review(): readonly { readonly epoch: number; readonly request: LoggedRequest }[] {
    const { setAside, replica } = this.#options;
    const { clients } = replica.state();
    return setAside().flatMap(({ epoch, entries }) =>
      entries.flatMap((entry) => {
        if (entry.type !== 'payload') return [];
        const { client, sequence } = entry.payload.request;
        return clients.knows(client, sequence) ? [] : [{ epoch, request: entry.payload }];
      }),
    );
  }

  /** The review is over: what was set aside need not be kept. */
  reviewed(): void {
    this.#options.input({ type: 'reviewed' });
  }

  async #ask(node: NodeId, question: object): Promise<unknown> {
    const stream = await this.#options.streams.open(node, recoveryService, { timeoutMs: askMs });
    try {
      await writeMessage(stream, question);
      await stream.closeWrite();
      return await new StreamReader(stream).message(messageBytesMax);
    } finally {
      stream.abort('answered');
    }
  }

  async #answer(stream: ByteStream): Promise<void> {
    const question = await new StreamReader(stream).message(messageBytesMax);
    if (!isRecord(question)) throw malformed('no question');
    if (question['ask'] === 'status') await writeMessage(stream, statusOf(this.#options.advance()));
    else if (question['ask'] === 'promise') {
      const failure = this.#promise(question['record']);
      await writeMessage(stream, { promised: failure === null, message: failure?.message });
    } else throw malformed('a question about recovery that this program does not know');
    await stream.closeWrite();
  }

  /** Promises an order that an admin has signed; answers why not. The promise is on disk before its report leaves. */
  #promise(record: unknown): Failure | null {
    const { membership, advance, input, logger } = this.#options;
    const order = parseRecovery(membership.swarm, record);
    if (!order.ok) return order.failure;
    const { epoch, opener, admin, abandoned } = order.value;
    if (membership.member(admin)?.role !== 'admin')
      return fail('not-authorised', 'The order to recover is signed by a machine that is no admin.').failure;
    if (abandoned.includes(this.#options.signer.id))
      return fail('precondition-failed', 'This machine is there: it need not be given up.').failure;
    if (epoch <= advance().epochPromised)
      return fail('precondition-failed', `Epoch ${epoch} is over, or was promised to somebody else.`).failure;
    logger.warn('a new epoch was promised: lower ones are not heard any more', { epoch, opener, admin });
    input({ type: 'promise-epoch', epoch, to: opener });
    return null;
  }
}

/** The machine that opens the epoch, and two more where there are two more: never two votes. */
function votersOf(survivors: readonly Survivor[], opener: NodeId): Voter[] {
  const others = survivors.filter(({ node }) => node !== opener).slice(0, 2);
  const chosen = survivors.filter(
    ({ node }) => node === opener || (others.length === 2 && others.some((o) => o.node === node)),
  );
  return chosen.map(({ node, incarnation }) => ({ node, incarnation, rank: newSeatRank }));
}

const byAdvance = (left: Survivor, right: Survivor): number =>
  right.epoch - left.epoch ||
  right.config - left.config ||
  right.committed - left.committed ||
  right.votedThrough - left.votedThrough;

const statusOf = ({ incarnation, config, epochPromised, committed, votedThrough }: Advance): object => ({
  incarnation,
  epochPromised,
  epoch: config?.epoch ?? 0,
  config: config?.id ?? 0,
  voters: config?.voters.map(({ node }) => node) ?? [],
  committed,
  votedThrough,
});

/** The other side is not trusted: what is out of form is no survivor. */
function readSurvivor(node: NodeId, answer: unknown): Survivor | null {
  if (!isRecord(answer)) return null;
  const { incarnation, epochPromised, epoch, config, voters, committed, votedThrough } = answer;
  const numbers = [epochPromised, epoch, config, committed, votedThrough];
  if (typeof incarnation !== 'string' || incarnation.length > 200 || !Array.isArray(voters) || voters.length > 16)
    return null;
  if (!numbers.every((value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return null;
  const [promised = 0, ownEpoch = 0, configId = 0, done = 0, voted = 0] = numbers as number[];
  return {
    node,
    incarnation,
    epochPromised: promised,
    epoch: ownEpoch,
    config: configId,
    voters: voters.filter((voter): voter is NodeId => typeof voter === 'string'),
    committed: slot(done),
    votedThrough: slot(voted),
  };
}
