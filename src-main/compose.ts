import { arch, hostname, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { FailureError } from '../shared/domain/failure.ts';
import { openContentStore } from './adapters/disk/file-content-store.ts';
import { readOutput, readTail } from './adapters/disk/output-reader.ts';
import { lockFile } from './adapters/disk/process-lock.ts';
import { openJournal } from './adapters/disk/segment-journal.ts';
import { rememberAddresses } from './adapters/libp2p/address-book.ts';
import { openIdentity, type Identity } from './adapters/libp2p/identity.ts';
import { createInviter, type Inviter } from './adapters/libp2p/inviter.ts';
import { joinWithLink } from './adapters/libp2p/join.ts';
import { createSkeinNetwork } from './adapters/libp2p/network.ts';
import { ChildProcessRunner } from './adapters/process/child-process-runner.ts';
import { systemClock, systemSeed } from './adapters/system/system-clock.ts';
import type { SkeinServices } from './api/services.ts';
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
import { Changes } from './services/live-view.ts';
import { Logs } from './services/logs.ts';
import { nodeRef } from './services/names.ts';
import { beginBoot } from './services/node-record.ts';
import { PairingRequests } from './services/pairing-requests.ts';
import { PeerLife, type OpenedPeer, type PeerOpening } from './services/peer-life.ts';
import { PolicyFile } from './services/policy.ts';
import { valueOf } from './services/running-peer.ts';
import { createServices } from './services/services.ts';
import { SessionKeeper } from './services/session-keeper.ts';
import { SubmissionRecords } from './services/submission-records.ts';
import { swarmHome } from './services/swarm-home.ts';
import { foundSwarm, keepSaved, openMembership, saveMembership } from './swarm/swarm-file.ts';
import { version } from './version.ts';

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

export interface Skein {
  readonly services: SkeinServices;
  /** Starts the peer if the home belongs to a swarm. Throws a FailureError that names what is in the way. */
  start(): Promise<void>;
  /** Ends running attempts, closes the session, then everything else. */
  stop(): Promise<void>;
}

/** Session lifetime of coordination.md C.12. */
const sessionTtlMs = 20_000;
/** Every voter starts with the same rank; evidence about machines changes it later. */
const foundingRank = 100;
const nameCharsMax = 60;

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Opens a home and builds everything this machine needs in or out of a swarm. Throws a FailureError of home or disk. */
export async function createSkein(options: SkeinOptions): Promise<Skein> {
  const logger = options.logger ?? silent;
  const home = swarmHome(options.home);
  const lock = valueOf(lockFile(join(home.root, 'state.lock')));
  try {
    const identity = valueOf(await openIdentity(home.root));
    const policy = await PolicyFile.open(home.root, options.slots);
    const changes = new Changes(systemClock);
    const requests = new PairingRequests(() => changes.changed());
    const name = (options.name ?? (hostname().split('.')[0] || 'machine')).slice(0, nameCharsMax);
    const machine: Machine = { options, logger, identity, policy, changes, name, runner: new ChildProcessRunner({ stateDir: home.root, logger }) };
    let inviter: Inviter | null = null;
    const life = new PeerLife({
      self: identity.id,
      home,
      logger,
      clock: systemClock,
      changes,
      openMembership: () => openMembership(home.root),
      saveMembership: (membership) => saveMembership(home.root, membership),
      foundMembership: (swarmName) => foundSwarm(identity, { name: swarmName, founderName: name, now: systemClock.wall() }),
      join: (link, signal) => joinWithLink(link, { identity, name, os: `${platform()} ${arch()}`, signal }),
      rememberAddresses: (addresses) => rememberAddresses(home.root, addresses),
      open: (opening) => openPeer(machine, opening),
      revoke: (membership, member, reason) => membership.revoke(identity, { member, reason, now: systemClock.wall() }),
      invite: async (opened, request) => {
        inviter ??= createInviter({
          identity,
          membership: opened.peer.membership,
          ...given({ listenHost: options.listenHost }),
          memberAddresses: () => [...opened.peer.network.addresses(), ...opened.peer.network.peers().flatMap((link) => link.addresses.map((address) => withId(address, link.id)))],
          confirm: (joiner, signal) => requests.confirm(joiner, signal),
          logger,
        });
        return inviter.open(request);
      },
      closeInvitations: async () => {
        const open = inviter;
        inviter = null;
        await open?.close();
      },
    });
    const startedAt = systemClock.wall();
    const services = createServices({
      holder: life,
      door: life,
      requests,
      policy,
      changes,
      facts: () => ({ version, home: home.root, name, startedAt, slots: policy.current.slots }),
    });
    return {
      services,
      start: async () => {
        changes.start();
        await life.resume();
      },
      stop: async () => {
        changes.stop();
        await life.stop();
        await machine.runner.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Machine {
  readonly options: SkeinOptions;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly policy: PolicyFile;
  readonly changes: Changes;
  readonly name: string;
  readonly runner: ChildProcessRunner;
}

/** Builds and starts the peer of one membership. On a failure everything begun is ended again. */
async function openPeer(machine: Machine, { membership, home, founding }: PeerOpening): Promise<OpenedPeer> {
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
    const node = createNode({ self, recovered, seed: systemSeed(), members, wall: () => systemClock.wall(), ...given({ timing: options.timing }) });
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
    const keeper = new SessionKeeper({
      self: self.node,
      name: membership.member(self.node)?.name ?? machine.name,
      ttlMs: options.sessionTtlMs ?? sessionTtlMs,
      replica,
      clock: systemClock,
      logger,
      capacity: () => capacityOf(machine.policy),
      firstRecord: record,
      nextRecord: () => beginBoot(home.root),
    });
    const { streams, transport } = network;
    const outputFiles = { read: readOutput, tail: readTail };
    const exchange = new ContentExchange({ store, streams, clock: systemClock, logger });
    const courier = new Courier({ self: self.node, store, streams, outputFiles, clock: systemClock, logger });
    const collector = new Collector({ self: self.node, tailsHome: home.tails, replica, store, streams, logger });
    const submissions = new SubmissionRecords(home.submissions);
    const changed = (): void => machine.changes.changed();
    const delivery = new Delivery({ self: self.node, replica, store, records: submissions, clock: systemClock, logger, changed });
    const logs = new Logs({ self: self.node, attemptsHome: home.attempts, replica, collector, outputFiles, streams, logger });
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
      policy: () => machine.policy.current,
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
    const saved = keepSaved(home.root, membership, (failure) => logger.error('the membership could not be saved', { ...failure }));
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
    return { peer: { self: self.node, membership, network: peerNetwork, replica, keeper, executor, delivery, logs, store, exchange, submissions, hints, activity, stop } };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function closeAll(journal: Journal, saved: { stop: () => Promise<void> }): Promise<void> {
  await saved.stop();
  await journal.close();
}

const capacityOf = (policy: PolicyFile): Capacity => ({ slots: policy.current.slots, os: platform(), arch: arch(), memoryBytes: totalmem(), accepts: policy.current.accepts });

const withId = (address: string, id: string): string => (address.includes('/p2p/') ? address : `${address}/p2p/${id}`);

/** Only what was given: an absent option is not the same as one that is undefined. */
function given<Options extends object>(options: Options): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [Name in keyof Options]?: Exclude<Options[Name], undefined> };
}

