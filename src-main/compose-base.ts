import { openContentStore } from './adapters/disk/file-content-store.ts';
import type { Identity } from './adapters/libp2p/identity.ts';
import { createSkeinNetwork } from './adapters/libp2p/network.ts';
import type { ChildProcessRunner } from './adapters/process/child-process-runner.ts';
import { systemClock, systemSeed } from './adapters/system/system-clock.ts';
import { createNode } from './core/node/node.ts';
import type { NodeTiming } from './core/machine/timing.ts';
import type { Journal } from './ports/journal.ts';
import type { Logger } from './ports/logger.ts';
import { inBatches } from './runtime/batches.ts';
import { createDriver } from './runtime/driver.ts';
import { found } from './runtime/recovery.ts';
import { ReadIndex } from './runtime/read-index.ts';
import { Requests } from './runtime/requests.ts';
import { divergenceFailure } from './services/divergence-words.ts';
import { outdatedFailure } from './services/version-words.ts';
import { Activity } from './services/activity.ts';
import { AppliedReplica } from './services/applied-replica.ts';
import { CoordinationRecord } from './services/coordination-record.ts';
import { DiskTiming, timedJournal } from './services/disk-timing.ts';
import { loadTopic } from './services/hints.ts';
import type { DiskCare, DiskStanding } from './services/disk-care.ts';
import type { Changes } from './services/live-view.ts';
import { nodeRef } from './services/names.ts';
import type { PeerOpening } from './services/peer-life.ts';
import type { PolicyFile } from './services/policy.ts';
import { valueOf } from './services/running-peer.ts';
import { keepSaved, saveMembership } from './swarm/swarm-file.ts';
import { openRecord } from './compose-disk.ts';
import type { Result } from '../shared/domain/failure.ts';
import type { NodeId } from '../shared/domain/ids.ts';
import type { SkeinNetwork } from './adapters/libp2p/network.ts';
import type { Recovered } from './core/node/messages.ts';
import type { ContentStore } from './ports/content-store.ts';
import type { Driver } from './runtime/driver.ts';
import type { MembershipSet } from './swarm/membership-set.ts';
import type { NodeRecord } from './services/node-record.ts';

export interface SkeinOptions {
  /** State directory; created when missing. One process at a time. */
  readonly home: string;
  /** What this machine is called; its host name unless told otherwise. */
  readonly name?: string;
  /** Where to listen for other machines; all addresses unless told otherwise. */
  readonly listenHost?: string;
  readonly port?: number;
  readonly mdns?: boolean;
  readonly sessionTtlMs?: number;
  /** Tasks at once, above what the policy file says. */
  readonly slots?: number;
  readonly timing?: Partial<NodeTiming>;
  readonly logger?: Logger;
  /** Space set aside for a full disk, in bytes; 64 MiB, or less on a small disk, unless told otherwise. 0 for none. */
  readonly reserveBytes?: number;
}

/** Every voter starts with the same rank; evidence about machines changes it later. */
const foundingRank = 100;

/** This machine, whatever swarm it is in. */
export interface Machine {
  readonly options: SkeinOptions;
  readonly disk: DiskCare;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly policy: PolicyFile;
  readonly changes: Changes;
  readonly name: string;
  readonly runner: ChildProcessRunner;
}

/** The log of one membership with everything below it: disk, network, and the loop that drives the node. */
export interface Base {
  readonly record: NodeRecord;
  readonly self: NodeId;
  readonly membership: MembershipSet;
  readonly store: ContentStore;
  readonly network: SkeinNetwork;
  readonly driver: Driver;
  readonly replica: AppliedReplica;
  readonly activity: Activity;
  readonly coordination: CoordinationRecord;
  readonly diskTiming: DiskTiming;
  journalBytes(): number;
  /** Fails with `port-in-use`, `not-authorised`, `bad-input` (an address of another machine) or `internal`; everything is closed then. */
  start(): Promise<Result<null>>;
  stop(): Promise<void>;
}

/** Opens the disk and builds upward from it. Throws a FailureError of the disk; the journal is closed then. */
export async function openBase(machine: Machine, opening: PeerOpening): Promise<Base> {
  const { membership, home, founding } = opening;
  const {
    record,
    opened,
    recovered: known,
  } = await openRecord(machine.disk, opening, membership.members().length === 1);
  const self = { node: machine.identity.id, incarnation: record.incarnation };
  try {
    const recovered = founding ? valueOf(await found(opened.journal, { self, rank: foundingRank })) : known;
    // Saved only after the journal can speak for the founder: a swarm without its first voter could never begin.
    if (founding) valueOf(await saveMembership(home.root, membership));
    const store = valueOf(await openContentStore(home.content));
    return buildBase(machine, { membership, home: home.root, record, recovered, journal: opened.journal, store });
  } catch (error) {
    await opened.journal.close();
    throw error;
  }
}

interface Opened {
  readonly membership: MembershipSet;
  readonly home: string;
  readonly record: NodeRecord;
  readonly recovered: Recovered;
  readonly journal: Journal;
  readonly store: ContentStore;
}

function buildBase(machine: Machine, { membership, home, record, recovered, journal, store }: Opened): Base {
  const { options, logger, identity } = machine;
  const self = identity.id;
  const memberIds = (): readonly NodeId[] => membership.members().map((member) => member.id);
  const network = createSkeinNetwork({
    home,
    identity,
    membership,
    logger,
    topics: [loadTopic],
    ...given({ listenHost: options.listenHost, port: options.port, mdns: options.mdns }),
  });
  const node = createNode({
    self: { node: self, incarnation: record.incarnation },
    recovered,
    seed: systemSeed(),
    members: memberIds(),
    wall: () => systemClock.wall(),
    ...given({ timing: options.timing }),
  });
  const requests: Requests = new Requests({
    client: `${self}#${record.incarnation}.${record.boot}`,
    clock: systemClock,
    submit: inBatches((requests) => driver.input({ type: 'requested', requests })),
    hasCoordinator: () => node.coordinator !== null,
  });
  const reads: ReadIndex = new ReadIndex(inBatches((ids) => driver.input({ type: 'read-requested', ids })));
  const refusal = () => machine.disk.refusal();
  const replica = new AppliedReplica({ self, node, requests, reads, clock: systemClock, logger, refusal });
  const activity = new Activity(systemClock, (id) => nodeRef(membership, id).name);
  const coordination = new CoordinationRecord(
    systemClock,
    (id) => nodeRef(membership, id).name,
    recovered.snapshot?.slot ?? null,
  );
  const diskTiming = new DiskTiming();
  const driver: Driver = createDriver({
    node,
    journal: timedJournal(journal, systemClock, diskTiming),
    transport: network.transport,
    clock: systemClock,
    logger,
    onEvent: (event) => {
      replica.heard(event);
      if (event.type === 'diverged' && event.divergence.node === self && event.divergence.settled)
        driver.halt(divergenceFailure(event.divergence));
      if (event.type === 'outdated') driver.halt(outdatedFailure(event.outdated));
    },
    onFailed: (failure) => {
      logger.error('the node has halted', { ...failure });
      coordination.halted(failure.message);
      activity.note('refused', `This machine has stopped taking part: ${failure.message}`);
      requests.end(failure);
      reads.end(failure);
      const { config } = node;
      machine.disk.halted(failure, config?.voters.length === 1 && config.voters[0]?.node === self);
    },
  });
  const onDisk = (standing: DiskStanding): void =>
    driver.input({ type: standing === 'ready' ? 'disk-ready' : 'disk-full' });
  const unwatch = machine.disk.onStanding(onDisk);
  const saved = keepSaved(home, membership, (failure) =>
    logger.error('the membership could not be saved', { ...failure }),
  );
  const unsubscribe = membership.onChange(() => driver.input({ type: 'members-changed', members: memberIds() }));
  const stop = async (): Promise<void> => {
    unsubscribe();
    unwatch();
    driver.stop();
    await network.stop();
    await saved.stop();
    await journal.close();
  };
  const start = async (): Promise<Result<null>> => {
    // The driver sets the network's handlers, so it must be there before the first connection.
    driver.start();
    if (machine.disk.standing !== 'ready') onDisk(machine.disk.standing);
    const started = await network.start();
    if (!started.ok) await stop();
    return started;
  };
  const journalBytes = (): number => journal.bytes;
  const told = { activity, coordination, diskTiming, journalBytes };
  return { record, self, membership, store, network, driver, replica, ...told, start, stop };
}

/** Only what was given: an absent option is not the same as one that is undefined. */
export function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}
