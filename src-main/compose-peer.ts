import { arch, platform, totalmem } from 'node:os';
import { FailureError } from '../shared/domain/failure.ts';
import type { Role } from '../shared/domain/member.ts';
import { openContentStore } from './adapters/disk/file-content-store.ts';
import { readOutput, readTail } from './adapters/disk/output-reader.ts';
import { openJournal } from './adapters/disk/segment-journal.ts';
import { type Identity } from './adapters/libp2p/identity.ts';
import { createSkeinNetwork } from './adapters/libp2p/network.ts';
import type { ChildProcessRunner } from './adapters/process/child-process-runner.ts';
import { systemClock, systemSeed } from './adapters/system/system-clock.ts';
import { createNode } from './core/node/node.ts';
import type { NodeTiming } from './core/machine/timing.ts';
import type { Capacity } from './core/state-machine/command.ts';
import type { Journal } from './ports/journal.ts';
import type { Logger } from './ports/logger.ts';
import { createDriver } from './runtime/driver.ts';
import { found, recover } from './runtime/recovery.ts';
import { Requests } from './runtime/requests.ts';
import { Activity } from './services/activity.ts';
import { AppliedReplica } from './services/applied-replica.ts';
import { Collector } from './services/collector.ts';
import { ContentExchange } from './services/content-exchange.ts';
import { Courier } from './services/courier.ts';
import { Delivery } from './services/delivery.ts';
import { Executor } from './services/executor.ts';
import { Hints, loadTopic } from './services/hints.ts';
import type { Changes } from './services/live-view.ts';
import { Logs } from './services/logs.ts';
import { nodeRef } from './services/names.ts';
import { beginBoot } from './services/node-record.ts';
import { type OpenedPeer, type PeerOpening } from './services/peer-life.ts';
import { Retention } from './services/retention.ts';
import type { PolicyFile } from './services/policy.ts';
import { valueOf } from './services/running-peer.ts';
import { graceOf, SessionKeeper } from './services/session-keeper.ts';
import { SubmissionRecords } from './services/submission-records.ts';
import { keepSaved, saveMembership } from './swarm/swarm-file.ts';

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
}

/** Session lifetime of coordination.md C.12. */
const sessionTtlMs = 20_000;
/** Every voter starts with the same rank; evidence about machines changes it later. */
const foundingRank = 100;

/** This machine, whatever swarm it is in. */
export interface Machine {
  readonly options: SkeinOptions;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly policy: PolicyFile;
  readonly changes: Changes;
  readonly name: string;
  readonly runner: ChildProcessRunner;
}

/** Builds and starts the peer of one membership. On a failure everything begun is ended again. */
export async function openPeer(machine: Machine, { membership, home, founding }: PeerOpening): Promise<OpenedPeer> {
  const { options, logger, identity } = machine;
  const record = await beginBoot(home.root);
  const self = { node: identity.id, incarnation: record.incarnation };
  const opened = valueOf(await openJournal(home.journal));
  const { journal } = opened;
  try {
    const recovered = valueOf(founding ? await found(journal, { self, rank: foundingRank }) : recover(opened));
    // Saved only after the journal can speak for the founder: a swarm without its first voter could never begin.
    if (founding) valueOf(await saveMembership(home.root, membership));
    const store = valueOf(await openContentStore(home.content));
    const members = membership.members().map((member) => member.id);
    const node = createNode({
      self,
      recovered,
      seed: systemSeed(),
      members,
      wall: () => systemClock.wall(),
      ...given({ timing: options.timing }),
    });
    const network = createSkeinNetwork({
      home: home.root,
      identity,
      membership,
      logger,
      topics: [loadTopic],
      ...given({ listenHost: options.listenHost, port: options.port, mdns: options.mdns }),
    });
    const requests: Requests = new Requests({
      client: `${self.node}#${record.incarnation}.${record.boot}`,
      clock: systemClock,
      submit: (request) => driver.input({ type: 'requested', request }),
      hasCoordinator: () => node.coordinator !== null,
    });
    const replica = new AppliedReplica({ self: self.node, node, requests, clock: systemClock, logger });
    const driver = createDriver({
      node,
      journal,
      transport: network.transport,
      clock: systemClock,
      logger,
      onEvent: (event) => replica.heard(event),
      onFailed: (failure) => {
        logger.error('the node has halted', { ...failure });
        activity.note('refused', `This machine has stopped taking part: ${failure.message}`);
        requests.end(failure);
      },
    });
    const activity = new Activity(systemClock, (id) => nodeRef(membership, id).name);
    const ttlMs = options.sessionTtlMs ?? sessionTtlMs;
    const keeper = new SessionKeeper({
      self: self.node,
      name: membership.member(self.node)?.name ?? machine.name,
      ttlMs,
      replica,
      clock: systemClock,
      logger,
      capacity: () => capacityOf(machine.policy, membership.member(self.node)?.role),
      firstRecord: record,
      nextRecord: () => beginBoot(home.root),
    });
    const { streams, transport } = network;
    const outputFiles = { read: readOutput, tail: readTail };
    const exchange = new ContentExchange({ store, streams, clock: systemClock, logger });
    const courier = new Courier({ self: self.node, store, streams, outputFiles, clock: systemClock, logger });
    const collector = new Collector({
      self: self.node,
      tailsHome: home.tails,
      replica,
      store,
      streams,
      clock: systemClock,
      logger,
    });
    const submissions = new SubmissionRecords(home.submissions);
    const changed = (): void => machine.changes.changed();
    const delivery = new Delivery({
      self: self.node,
      replica,
      store,
      records: submissions,
      clock: systemClock,
      logger,
      changed,
      forgotten: (job) => collector.forgetJob(job),
    });
    const logs = new Logs({
      self: self.node,
      attemptsHome: home.attempts,
      replica,
      collector,
      outputFiles,
      streams,
      logger,
    });
    const executor = new Executor({
      self: self.node,
      attemptsHome: home.attempts,
      replica,
      keeper,
      store,
      exchange,
      runner: machine.runner,
      courier,
      clock: systemClock,
      logger,
      killGraceMs: graceOf(ttlMs),
      policy: () => machine.policy.current,
      roleOf: (id) => membership.member(id)?.role ?? null,
      connected: () => transport.connected(),
    });
    const hints = new Hints({
      self: self.node,
      clock: systemClock,
      broadcast: network.broadcast,
      connected: () => transport.connected(),
      isMember: (id) => membership.isMember(id),
      running: () => executor.running,
      ping: async (id) => {
        const answered = await network.ping(id);
        return answered.ok ? answered.value : null;
      },
      loadHeard: (id, load) => driver.input({ type: 'load-heard', node: id, load }),
    });
    const retention = new Retention({
      self: self.node,
      attemptsHome: home.attempts,
      replica,
      store,
      clock: systemClock,
      logger,
    });
    const saved = keepSaved(home.root, membership, (failure) =>
      logger.error('the membership could not be saved', { ...failure }),
    );
    const ends = [
      replica.onEvent((event) => {
        hints.heard(event);
        activity.heard(event);
        changed();
      }),
      membership.onChange(() => {
        driver.input({ type: 'members-changed', members: membership.members().map((member) => member.id) });
        changed();
      }),
    ];
    const stop = async (): Promise<void> => {
      await executor.stop();
      await keeper.stop();
      for (const end of ends) end();
      retention.stop();
      hints.stop();
      courier.stop();
      delivery.stop();
      driver.stop();
      await network.stop();
      await closeAll(journal, saved);
    };
    driver.start();
    const started = await network.start();
    if (!started.ok) {
      driver.stop();
      await saved.stop();
      throw new FailureError(started.failure);
    }
    retention.start();
    hints.start();
    executor.start();
    delivery.start();
    keeper.start();
    const peerNetwork = {
      addresses: () => network.addresses(),
      peers: () => network.peers(),
      ping: (id: typeof self.node) => network.ping(id),
      closestPeers: (key: Uint8Array) => network.dht.closestPeers(key),
    };
    return {
      peer: {
        self: self.node,
        membership,
        network: peerNetwork,
        replica,
        keeper,
        executor,
        delivery,
        logs,
        store,
        exchange,
        submissions,
        hints,
        activity,
        stop,
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function closeAll(journal: Journal, saved: { stop: () => Promise<void> }): Promise<void> {
  await saved.stop();
  await journal.close();
}

/** What the owner offers, as far as the role in the swarm goes: only workers and admins run the work of others. */
function capacityOf(policy: PolicyFile, role: Role | undefined): Capacity {
  const { slots, accepts } = policy.current;
  const works = role === 'worker' || role === 'admin';
  return {
    slots,
    os: platform(),
    arch: arch(),
    memoryBytes: totalmem(),
    accepts: works ? accepts : { from: 'nobody' },
  };
}

/** Only what was given: an absent option is not the same as one that is undefined. */
export function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}
