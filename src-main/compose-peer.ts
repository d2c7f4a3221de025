import { arch, platform, totalmem } from 'node:os';
import type { Role } from '../shared/domain/member.ts';
import { readOutput, readTail } from './adapters/disk/output-reader.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import type { Capacity } from './core/state-machine/command.ts';
import { Collector } from './services/collector.ts';
import { ContentExchange } from './services/content-exchange.ts';
import { Courier } from './services/courier.ts';
import { Delivery } from './services/delivery.ts';
import { Executor } from './services/executor.ts';
import { Hints } from './services/hints.ts';
import { Logs } from './services/logs.ts';
import { beginBoot } from './services/node-record.ts';
import type { OpenedPeer, PeerOpening } from './services/peer-life.ts';
import { Recovery } from './services/recovery.ts';
import { Retention } from './services/retention.ts';
import { inForce } from './services/policy.ts';
import { valueOf } from './services/running-peer.ts';
import { SessionKeeper } from './services/session-keeper.ts';
import { SubmissionRecords } from './services/submission-records.ts';
import type { SwarmHome } from './services/swarm-home.ts';
import { openBase, type Base, type Machine } from './compose-base.ts';

/** How long a session lives without renewals. */
const sessionTtlMs = 20_000;

/** Builds and starts the peer of one membership. On a failure everything begun is ended again. */
export async function openPeer(machine: Machine, opening: PeerOpening): Promise<OpenedPeer> {
  const base = await openBase(machine, opening);
  const { self, membership, network, replica, activity, coordination, diskTiming, journalBytes, store } = base;
  const keeper = createKeeper(machine, base, opening.home);
  const files = createFileParts(machine, base, opening.home);
  const executor = createExecutor(machine, base, { ...files, keeper, attemptsHome: opening.home.attempts });
  const hints = createHints(base, executor);
  const retention = new Retention({
    self,
    attemptsHome: opening.home.attempts,
    replica,
    store,
    clock: systemClock,
    logger: machine.logger,
  });
  const recovery = createRecovery(machine, base);
  const ends = [
    replica.onEvent((event) => {
      hints.heard(event);
      activity.heard(event);
      coordination.heard(event);
      machine.changes.changed();
    }),
    membership.onChange(() => machine.changes.changed()),
    machine.disk.onStanding(() => void keeper.announceCapacity()),
  ];
  const { exchange, delivery, logs, submissions, courier } = files;
  const stop = async (): Promise<void> => {
    await executor.stop();
    await keeper.stop();
    for (const end of ends) end();
    for (const part of [retention, hints, courier, delivery]) part.stop();
    await base.stop();
  };
  valueOf(await base.start());
  for (const part of [retention, hints, executor, delivery, keeper]) part.start();
  return {
    peer: {
      self,
      membership,
      network: {
        addresses: () => network.addresses(),
        peers: () => network.peers(),
        ping: (id) => network.ping(id),
        closestPeers: (key) => network.dht.closestPeers(key),
      },
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
      recovery,
      announceDeparture: (departure) => base.driver.input({ type: 'departing', departure }),
      coordination,
      diskTiming,
      journalBytes,
      stop,
    },
  };
}

function createKeeper(machine: Machine, { self, membership, replica, record }: Base, home: SwarmHome): SessionKeeper {
  return new SessionKeeper({
    self,
    name: membership.member(self)?.name ?? machine.name,
    ttlMs: machine.options.sessionTtlMs ?? sessionTtlMs,
    replica,
    clock: systemClock,
    logger: machine.logger,
    capacity: () => capacityOf(machine, membership.member(self)?.role),
    firstRecord: record,
    nextRecord: () => beginBoot(home.root),
  });
}

/** Whatever moves files between machines and into folders. */
interface FileParts {
  readonly exchange: ContentExchange;
  readonly courier: Courier;
  readonly submissions: SubmissionRecords;
  readonly delivery: Delivery;
  readonly logs: Logs;
}

function createFileParts(
  { changes, logger }: Machine,
  { self, store, network, replica }: Base,
  home: SwarmHome,
): FileParts {
  const { streams } = network;
  const outputFiles = { read: readOutput, tail: readTail };
  const common = { self, store, streams, replica, outputFiles, clock: systemClock, logger };
  const collector = new Collector({ ...common, tailsHome: home.tails });
  const submissions = new SubmissionRecords(home.submissions);
  return {
    exchange: new ContentExchange(common),
    courier: new Courier(common),
    submissions,
    delivery: new Delivery({
      ...common,
      records: submissions,
      changed: () => changes.changed(),
      forgotten: (job) => collector.forgetJob(job),
    }),
    logs: new Logs({ ...common, attemptsHome: home.attempts, collector }),
  };
}

function createExecutor(
  { policy, runner, logger }: Machine,
  { self, replica, store, network, membership }: Base,
  parts: Pick<FileParts, 'exchange' | 'courier'> & { readonly keeper: SessionKeeper; readonly attemptsHome: string },
): Executor {
  return new Executor({
    ...parts,
    self,
    replica,
    store,
    runner,
    clock: systemClock,
    logger,
    killGraceMs: parts.keeper.graceMs,
    policy: () => inForce(policy.current, systemClock.wall()),
    roleOf: (id) => membership.member(id)?.role ?? null,
    connected: () => network.transport.connected(),
  });
}

function createRecovery({ identity, logger }: Machine, { membership, network, driver, replica }: Base): Recovery {
  const recovery = new Recovery({
    signer: identity,
    membership,
    replica,
    streams: network.streams,
    clock: systemClock,
    logger,
    connected: () => network.transport.connected(),
    advance: () => replica.advance,
    setAside: () => replica.setAside,
    input: (input) => driver.input(input),
  });
  recovery.start();
  return recovery;
}

function createHints({ self, network, membership, driver, replica, diskTiming }: Base, executor: Executor): Hints {
  return new Hints({
    self,
    clock: systemClock,
    broadcast: network.broadcast,
    connected: () => network.transport.connected(),
    isMember: (id) => membership.isMember(id),
    running: () => executor.running,
    committed: () => replica.status().committed,
    sync: () => diskTiming.figures(),
    ping: async (id) => {
      const answered = await network.ping(id);
      return answered.ok ? answered.value : null;
    },
    loadHeard: (id, load) => driver.input({ type: 'load-heard', node: id, load }),
  });
}

/** What the owner offers, as far as the role in the swarm goes: only workers and admins run the work of others. */
function capacityOf({ policy, disk }: Machine, role: Role | undefined): Capacity {
  const { slots: offered, accepts } = inForce(policy.current, systemClock.wall());
  // A full disk has no room for the files of others.
  const slots = disk.standing === 'ready' ? offered : 0;
  const works = role === 'worker' || role === 'admin';
  return {
    slots,
    os: platform(),
    arch: arch(),
    memoryBytes: totalmem(),
    accepts: works ? accepts : { from: 'nobody' },
  };
}
