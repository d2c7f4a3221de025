import type { Lock } from '../../../shared/contract/locks.ts';
import type { Peer } from '../../../shared/contract/peers.ts';
import type { Overview } from '../../../shared/contract/swarm.ts';
import { jobs } from './demo-jobs.ts';

/** A believable swarm of five machines for screenshots and tests. All instants hang on `now`, so it never looks old. */

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const gibibyte = 1_024 ** 3;

const identity = (tail: string): string => `12D3KooWQk7vZ4mJr2uXcP9sTeB6hY8nLw3aF5dG${tail}`;
export const nodes = {
  desk: { id: identity('desk1A'), name: 'ada-desk' },
  studio: { id: identity('studi2'), name: 'studio-mac' },
  render: { id: identity('rendr3'), name: 'render-box' },
  laptop: { id: identity('laptp4'), name: 'ben-laptop' },
  attic: { id: identity('attic5'), name: 'attic' },
} as const;

export type Variant = 'full' | 'no-quorum' | 'empty' | 'founding' | 'error' | 'unpinned';

export function demoPeers(variant: Variant, now: number): Peer[] {
  const common = { committed: 48_211, lastSeen: now - secondMs, loadAgeMs: 2_100 } as const;
  const peers: Peer[] = [
    {
      ...common,
      ...nodes.desk,
      self: true,
      role: 'admin',
      state: 'online',
      voter: true,
      coordinator: false,
      rank: 100,
      pin: 'none',
      os: 'Linux',
      arch: 'x64',
      memoryBytes: 32 * gibibyte,
      slots: 8,
      running: 3,
      load: 0.41,
      version: '0.1.0',
      supports: 2,
      accepts: 'everyone in the swarm',
      rttMs: null,
      addresses: ['/ip4/192.168.1.20/tcp/4101'],
      joinedAt: now - 90 * hourMs,
    },
    {
      ...common,
      ...nodes.studio,
      self: false,
      role: 'worker',
      state: 'online',
      voter: true,
      coordinator: false,
      rank: 150,
      pin: 'none',
      os: 'macOS',
      arch: 'arm64',
      memoryBytes: 64 * gibibyte,
      slots: 12,
      running: 11,
      load: 0.93,
      version: '0.1.0',
      supports: 2,
      accepts: 'everyone in the swarm',
      rttMs: 1.8,
      addresses: ['/ip4/192.168.1.31/tcp/4101', '/ip6/fd12::31/tcp/4101'],
      joinedAt: now - 88 * hourMs,
    },
    {
      ...common,
      ...nodes.render,
      self: false,
      role: 'worker',
      state: 'online',
      voter: true,
      coordinator: true,
      rank: 200,
      pin: 'home-base',
      os: 'Linux',
      arch: 'x64',
      memoryBytes: 128 * gibibyte,
      slots: 24,
      running: 24,
      load: 0.98,
      version: '0.1.0',
      supports: 2,
      accepts: 'everyone in the swarm',
      rttMs: 0.6,
      addresses: ['/ip4/192.168.1.40/tcp/4101'],
      joinedAt: now - 88 * hourMs,
    },
    {
      ...common,
      ...nodes.laptop,
      self: false,
      role: 'worker',
      state: 'online',
      voter: false,
      coordinator: false,
      rank: null,
      pin: 'none',
      os: 'Windows',
      arch: 'x64',
      memoryBytes: 16 * gibibyte,
      slots: 4,
      running: 0,
      load: 0.12,
      version: '0.1.0',
      supports: 2,
      accepts: 'only ada-desk',
      rttMs: 4.3,
      addresses: ['/ip4/192.168.1.77/tcp/4101'],
      joinedAt: now - 30 * hourMs,
    },
    {
      ...common,
      ...nodes.attic,
      self: false,
      role: 'worker',
      state: 'unreachable',
      voter: false,
      coordinator: false,
      rank: null,
      pin: 'none',
      os: 'Linux',
      arch: 'arm64',
      memoryBytes: 8 * gibibyte,
      slots: 4,
      running: 0,
      load: null,
      loadAgeMs: null,
      version: '0.1.0',
      supports: 2,
      accepts: 'everyone in the swarm',
      rttMs: null,
      addresses: ['/ip4/192.168.1.90/tcp/4101'],
      committed: 47_903,
      lastSeen: now - 4 * minuteMs,
      joinedAt: now - 71 * hourMs,
    },
  ];
  if (variant === 'empty')
    return peers
      .slice(0, 1)
      .map((peer) => ({ ...peer, coordinator: true, running: 0, load: 0.04, accepts: 'nobody else' }));
  if (variant === 'unpinned') return peers.map((peer) => ({ ...peer, pin: 'none' }));
  if (variant !== 'no-quorum') return peers;
  return peers.map((peer) =>
    peer.self
      ? { ...peer, running: 1 }
      : { ...peer, state: 'unreachable', coordinator: false, rttMs: null, lastSeen: now - 3 * minuteMs },
  );
}

export function demoOverview(variant: Variant, now: number): Overview {
  const voter = (node: { id: string; name: string }, rank: number, reachable: boolean) => ({ node, rank, reachable });
  const full: Overview = {
    version: '0.1.0',
    self: {
      ...nodes.desk,
      role: 'voter',
      addresses: ['/ip4/192.168.1.20/tcp/4101'],
      home: '/home/ada/.local/state/skein',
      startedAt: now - 26 * hourMs,
      slots: 8,
      running: 3,
      paused: null,
    },
    swarm: { id: '9f3c2a71b84e5d06', name: 'Studio Lindqvist' },
    state: 'degraded',
    message: 'attic is unreachable for 4 min. Its 2 tasks were given to other machines.',
    members: { total: 5, reachable: 4 },
    versions: null,
    coordinator: {
      node: nodes.render,
      ballot: '14.render-box',
      since: now - 19 * minuteMs,
      reason: 'It has the highest rank of the voters; ada-desk was unreachable for 4.2 s.',
    },
    quorum: {
      voters: [voter(nodes.render, 5, true), voter(nodes.studio, 3, true), voter(nodes.desk, 2, true)],
      reachable: 3,
      needed: 2,
      mayFail: 1,
    },
    log: { committed: 48_211, applied: 48_211, configId: 3 },
    tasks: { waiting: 214, running: 38, succeeded: 1_862, failed: 3, slotsUsed: 38, slotsTotal: 48 },
    locks: { held: 2, waiting: 2 },
    insight:
      'ben-laptop is idle while 214 tasks wait: its owner runs work from ada-desk only, and these come from studio-mac.',
    activity: [
      { id: 12, at: now - 4 * secondMs, kind: 'task', text: '26 tasks of “Reel 4, proxies” finished on render-box' },
      {
        id: 11,
        at: now - 31 * secondMs,
        kind: 'refused',
        text: 'A late result of task 212.87 from attic was refused: token 47881, now 48102',
      },
      { id: 10, at: now - 65 * secondMs, kind: 'lock', text: 'nightly-backup went to studio-mac, token 48190' },
      {
        id: 9,
        at: now - 4 * minuteMs,
        kind: 'member',
        text: 'attic is unreachable; 2 of its tasks run again elsewhere',
      },
      {
        id: 8,
        at: now - 9 * minuteMs,
        kind: 'task',
        text: 'Task 211.40 failed on studio-mac: exit code 137, killed, probably out of memory',
      },
      {
        id: 7,
        at: now - 19 * minuteMs,
        kind: 'coordinator',
        text: 'render-box coordinates now: ada-desk was unreachable for 4.2 s',
      },
      { id: 6, at: now - 42 * minuteMs, kind: 'policy', text: 'ben-laptop runs work from ada-desk only' },
      {
        id: 5,
        at: now - 2 * hourMs,
        kind: 'config',
        text: 'Three machines vote now: render-box, studio-mac, ada-desk',
      },
      { id: 4, at: now - 30 * hourMs, kind: 'member', text: 'ben-laptop joined, let in by ada-desk' },
    ],
  };
  switch (variant) {
    case 'full':
    case 'unpinned':
    case 'error':
      return full;
    case 'no-quorum':
      return {
        ...full,
        state: 'no-quorum',
        coordinator: null,
        insight: '',
        self: { ...full.self, role: 'candidate', running: 1 },
        message:
          'No majority: 1 of 3 voters reachable for 3 min. What you see is last known. Locks cannot be taken or released, and no new work is placed.',
        members: { total: 5, reachable: 1 },
        quorum: {
          ...full.quorum,
          reachable: 1,
          mayFail: 0,
          voters: full.quorum.voters.map((entry) => ({ ...entry, reachable: entry.node.id === nodes.desk.id })),
        },
        tasks: { ...full.tasks, running: 1, slotsUsed: 1 },
      };
    case 'empty':
      return {
        ...full,
        state: 'alone',
        message: '',
        insight: '',
        members: { total: 1, reachable: 1 },
        locks: { held: 0, waiting: 0 },
        self: { ...full.self, role: 'coordinator', running: 0 },
        coordinator: {
          node: nodes.desk,
          ballot: '1.ada-desk',
          since: now - 2 * minuteMs,
          reason: 'It is the only voter.',
        },
        quorum: { voters: [voter(nodes.desk, 1, true)], reachable: 1, needed: 1, mayFail: 0 },
        log: { committed: 4, applied: 4, configId: 1 },
        tasks: { waiting: 0, running: 0, succeeded: 0, failed: 0, slotsUsed: 0, slotsTotal: 8 },
        activity: [{ id: 1, at: now - 2 * minuteMs, kind: 'config', text: '“Studio Lindqvist” was founded' }],
      };
    case 'founding':
      return { ...demoOverview('empty', now), swarm: null, state: 'none', coordinator: null, activity: [] };
  }
}

export function demoLocks(variant: Variant, now: number): Lock[] {
  if (variant === 'empty' || variant === 'founding') return [];
  const uncertain = variant === 'no-quorum';
  const holder = (
    node: { id: string; name: string },
    label: string,
    token: number,
    sinceMs: number,
    leaseLeftMs: number,
  ) => ({
    node,
    owner: `${node.id}#1.4/${token}`,
    label,
    token,
    since: now - sinceMs,
    leaseLeftMs: uncertain ? null : leaseLeftMs,
    leaseMs: 20_000,
    reachable: !uncertain,
    mode: 'exclusive' as const,
    keeps: false,
    delayMs: 15_000,
  });
  const state = uncertain ? ('uncertain' as const) : ('held' as const);
  const mode = 'exclusive' as const;
  const locks = [
    {
      name: 'nightly-backup',
      state,
      holder: holder(nodes.studio, 'restic backup /srv', 48_190, 65 * secondMs, 16_400),
      waiters: [
        { node: nodes.desk, owner: 'a', label: 'restic backup /home', since: now - 58 * secondMs },
        { node: nodes.render, owner: 'b', label: 'restic prune', since: now - 21 * secondMs },
      ],
      history: [
        { node: nodes.studio, owner: 'x', token: 48_190, grantedAt: now - 65 * secondMs, endedAt: null, cause: '' },
        {
          node: nodes.attic,
          owner: 'y',
          token: 47_730,
          grantedAt: now - 2 * hourMs,
          endedAt: now - 67 * secondMs,
          cause: 'its session ended: unreachable for 20 s',
        },
        {
          node: nodes.desk,
          owner: 'z',
          token: 46_002,
          grantedAt: now - 26 * hourMs,
          endedAt: now - 25 * hourMs,
          cause: 'released',
        },
      ],
    },
    {
      name: 'publish-catalogue',
      state,
      holder: holder(nodes.render, 'job 213', 48_044, 8 * minuteMs, 4_200),
      waiters: [],
      history: [
        { node: nodes.render, owner: 'q', token: 48_044, grantedAt: now - 8 * minuteMs, endedAt: null, cause: '' },
      ],
    },
    {
      name: 'scanner',
      state: uncertain ? ('uncertain' as const) : ('free' as const),
      holder: null,
      waiters: [],
      history: [
        {
          node: nodes.laptop,
          owner: 'w',
          token: 41_377,
          grantedAt: now - 28 * hourMs,
          endedAt: now - 27 * hourMs,
          cause: 'released',
        },
      ],
    },
  ];
  const plain: Lock[] = locks.map((lock) => ({
    ...lock,
    holders: lock.holder === null ? [] : [lock.holder],
    permits: null,
    delays: [],
    waiters: lock.waiters.map((waiter) => ({ ...waiter, mode, names: [lock.name] })),
    history: lock.history.map((tenure) => ({ ...tenure, mode, remark: '' })),
  }));
  const permit = { mode: 'permit' as const };
  const writers = [
    { ...holder(nodes.render, 'denoise reel 3', 48_150, 3 * minuteMs, 15_200), ...permit },
    { ...holder(nodes.studio, 'denoise reel 4', 48_166, 2 * minuteMs, 11_800), ...permit },
  ];
  const lost: Lock = {
    name: 'catalogue',
    state: uncertain ? 'uncertain' : 'delayed',
    holder: null,
    holders: [],
    permits: null,
    delays: [
      {
        node: nodes.laptop,
        owner: 'k',
        token: 48_120,
        at: now - 6 * secondMs,
        delayMs: 15_000,
        leftMs: uncertain ? null : 9_000,
      },
    ],
    waiters: [
      {
        node: nodes.desk,
        owner: 'm',
        label: 'import cards',
        since: now - 4 * secondMs,
        mode: 'exclusive',
        names: ['catalogue', 'scanner'],
      },
    ],
    history: [
      {
        node: nodes.laptop,
        owner: 'k',
        token: 48_120,
        grantedAt: now - 9 * minuteMs,
        endedAt: now - 6 * secondMs,
        cause: 'session-ended',
        mode: 'exclusive',
        remark: '',
      },
    ],
  };
  const [firstWriter = null] = writers;
  const graphics: Lock = {
    ...lost,
    name: 'graphics-cards',
    state,
    holder: firstWriter,
    holders: writers,
    permits: 2,
    delays: [],
    waiters: [
      {
        node: nodes.attic,
        owner: 'n',
        label: 'denoise reel 5',
        since: now - 40 * secondMs,
        ...permit,
        names: ['graphics-cards'],
      },
    ],
    history: writers.map(({ node, owner, token, since }) => ({
      node,
      owner,
      token,
      grantedAt: since,
      endedAt: null,
      cause: '',
      ...permit,
      remark: '',
    })),
  };
  return [...plain, graphics, lost];
}

export const demoJobs = (variant: Variant, now: number) =>
  variant === 'empty' || variant === 'founding' ? [] : jobs(variant === 'no-quorum', now, nodes);
