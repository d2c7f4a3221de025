import { arch, hostname, platform } from 'node:os';
import { join } from 'node:path';
import { lockFile } from './adapters/disk/process-lock.ts';
import { openSpaceReserve } from './adapters/disk/space-reserve.ts';
import { rememberAddresses } from './adapters/libp2p/address-book.ts';
import { openIdentity } from './adapters/libp2p/identity.ts';
import { createInviter, type Inviter } from './adapters/libp2p/inviter.ts';
import { joinWithLink } from './adapters/libp2p/join.ts';
import { ChildProcessRunner } from './adapters/process/child-process-runner.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import type { SkeinServices } from './api/services.ts';
import type { Logger } from './ports/logger.ts';
import { DiskCare } from './services/disk-care.ts';
import { Changes } from './services/live-view.ts';
import { PairingRequests } from './services/pairing-requests.ts';
import { PeerLife } from './services/peer-life.ts';
import { endProcesses } from './adapters/process/process-groups.ts';
import { inForce, PolicyFile } from './services/policy.ts';
import { RecentFolders } from './services/recent-folders.ts';
import { valueOf } from './services/running-peer.ts';
import { createServices } from './services/services.ts';
import { swarmHome } from './services/swarm-home.ts';
import { foundSwarm, openMembership, saveMembership } from './swarm/swarm-file.ts';
import { version } from './services/version.ts';
import { given, type Machine, type SkeinOptions } from './compose-base.ts';
import { openPeer } from './compose-peer.ts';

export { openJsonLogger } from './adapters/system/json-logger.ts';
export type { SkeinOptions } from './compose-base.ts';

export interface Skein {
  readonly services: SkeinServices;
  /** Starts the peer if the home belongs to a swarm. Throws a FailureError that names what is in the way. */
  start(): Promise<void>;
  /** This machine is about to sleep, or is awake again: the swarm is told while it can still be. */
  noteSleep(aboutToSleep: boolean): void;
  /** Ends running attempts, closes the session, then everything else. */
  stop(): Promise<void>;
}

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
    const recentFolders = await RecentFolders.open(home.root, logger);
    const changes = new Changes(systemClock);
    const reserve = valueOf(await openSpaceReserve(home.root, options.reserveBytes));
    const disk: DiskCare = new DiskCare({
      reserve,
      clock: systemClock,
      logger,
      changed: () => changes.changed(),
      restart: (suspect) => life.restart(suspect),
    });
    const requests = new PairingRequests(() => changes.changed());
    const name = (options.name ?? (hostname().split('.')[0] || 'machine')).slice(0, nameCharsMax);
    const machine: Machine = {
      options,
      disk,
      logger,
      identity,
      policy,
      changes,
      name,
      runner: new ChildProcessRunner({ stateDir: home.root, logger }),
    };
    let inviter: Inviter | null = null;
    const life: PeerLife = new PeerLife({
      self: identity.id,
      home,
      logger,
      clock: systemClock,
      changes,
      openMembership: () => openMembership(home.root),
      saveMembership: (membership) => saveMembership(home.root, membership),
      foundMembership: (swarmName) =>
        foundSwarm(identity, { name: swarmName, founderName: name, now: systemClock.wall() }),
      join: (link, signal, onWords) =>
        joinWithLink(link, { identity, name, os: `${platform()} ${arch()}`, signal, onWords }),
      rememberAddresses: (addresses) => rememberAddresses(home.root, addresses),
      open: (opening) => openPeer(machine, opening),
      revoke: (membership, member, reason) => membership.revoke(identity, { member, reason, now: systemClock.wall() }),
      invite: async (opened, request) => {
        inviter ??= createInviter({
          identity,
          membership: opened.peer.membership,
          ...given({ listenHost: options.listenHost }),
          memberAddresses: () => [
            ...opened.peer.network.addresses(),
            ...opened.peer.network.peers().flatMap((link) => link.addresses.map((address) => withId(address, link.id))),
          ],
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
      clock: systemClock,
      changes,
      recentFolders,
      endProcesses,
      facts: () => {
        const { slots, paused } = inForce(policy.current, systemClock.wall());
        const diskNotice = (votes: boolean): string => disk.notice(votes);
        const diskHalted = (): boolean => disk.halts;
        return { version, home: home.root, name, startedAt, slots, paused, diskNotice, diskHalted };
      },
    });
    return {
      services,
      start: async () => {
        await life.resume();
        disk.start();
      },
      noteSleep: (aboutToSleep) => life.announceDeparture(aboutToSleep ? 'suspend' : null),
      stop: async () => {
        changes.stop();
        disk.stop();
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

const withId = (address: string, id: string): string => (address.includes('/p2p/') ? address : `${address}/p2p/${id}`);
