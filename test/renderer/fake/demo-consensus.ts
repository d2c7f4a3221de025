import type { ConsensusView, LogEntry, ReplicaView } from '../../../shared/contract/consensus.ts';
import { nodes, type Variant } from './demo-swarm.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** Coordination of the demonstration swarm: three voters, one learner that lags, one that is away. */
export function demoConsensus(variant: Variant, now: number): ConsensusView {
  const away = variant === 'no-quorum';
  const replica = (node: ReplicaView['node'], change: Partial<ReplicaView>): ReplicaView => ({
    node,
    self: false,
    voter: false,
    coordinator: false,
    rank: null,
    pin: 'none',
    incarnation: null,
    reachable: true,
    committed: 48_211,
    lagEntries: 0,
    saidAgeMs: 900,
    roundTripMs: 1.4,
    sync: { p50Ms: 0.9, p99Ms: 4.2 },
    lastSeen: now - secondMs,
    ...change,
  });
  const voter = { voter: true, rank: 100 } as const;
  return {
    self: nodes.desk,
    role: 'voter',
    coordinator: away
      ? null
      : { node: nodes.studio, since: now - 47 * minuteMs, reason: 'render-box was not heard for 2.1 s' },
    ballot: { epoch: 0, config: 4, round: 12, rank: 100, voter: nodes.studio },
    config: { epoch: 0, id: 4, firstSlot: 39_120, voters: 3 },
    quorum: away
      ? {
          needed: 2,
          reachable: 1,
          mayFail: 0,
          words: '1 of 3 voters can be reached and 2 are needed: nothing new can be decided.',
        }
      : { needed: 2, reachable: 3, mayFail: 1, words: 'One of 3 voters may be off, and work goes on.' },
    replicas: [
      replica(nodes.desk, { ...voter, self: true, saidAgeMs: 0, roundTripMs: 0, incarnation: 'd41c09aa' }),
      replica(nodes.studio, { ...voter, coordinator: !away, reachable: !away, incarnation: '77b0e1f3' }),
      replica(nodes.render, {
        ...voter,
        rank: 200,
        pin: 'home-base',
        reachable: !away,
        incarnation: '0be9c2d8',
        sync: { p50Ms: 3.4, p99Ms: 21 },
      }),
      replica(nodes.attic, { committed: 48_102, lagEntries: 109, sync: { p50Ms: 12, p99Ms: 64 }, roundTripMs: 6.1 }),
      replica(nodes.laptop, { reachable: false, committed: 47_020, lagEntries: 1_191, saidAgeMs: 22 * minuteMs }),
    ],
    log: {
      committed: 48_211,
      applied: 48_211,
      snapshot: { slot: 40_000, at: now - 96 * minuteMs },
      journalBytes: 3_481_092,
      singleCopies: null,
      comparedSlot: 48_000,
    },
    divergences: [],
    sync: { p50Ms: 0.9, p99Ms: 4.2, worstMs: 31, writes: 512 },
    waits: away
      ? [
          'Everybody waits for studio-mac or render-box to come back: 2 voters are needed.',
          '38 tasks wait for a machine.',
        ]
      : [],
    history: [
      {
        id: 3,
        at: now - 47 * minuteMs,
        kind: 'coordinator',
        node: nodes.studio,
        ballot: '0.4.12.100.studi2',
        text: 'studio-mac coordinates',
        reason: 'render-box was not heard for 2.1 s',
        silentMs: 640,
      },
      {
        id: 2,
        at: now - 47 * minuteMs - 640,
        kind: 'silence',
        node: nodes.render,
        ballot: '',
        text: 'render-box is no longer heard as coordinator',
        reason: 'its connection was closed',
        silentMs: null,
      },
      {
        id: 1,
        at: now - 96 * minuteMs,
        kind: 'snapshot',
        node: null,
        ballot: '',
        text: 'Snapshot up to slot 40,000',
        reason: 'taken here',
        silentMs: null,
      },
    ],
  };
}

export function demoLog(now: number): { entries: LogEntry[]; firstSlot: number } {
  const entry = (slot: number, change: Partial<LogEntry>): LogEntry => ({
    slot,
    at: now - (48_211 - slot) * 700,
    type: 'attempts-finished',
    node: nodes.render,
    text: '3 reported',
    outcome: '3 changed',
    refused: false,
    ...change,
  });
  return {
    firstSlot: 48_205,
    entries: [
      entry(48_211, {}),
      entry(48_210, { type: 'tasks-assigned', node: nodes.studio, text: '4 assigned', outcome: '4 changed' }),
      entry(48_209, {
        type: 'lock-requested',
        node: nodes.attic,
        text: 'nightly-backup',
        outcome: 'waits at place 1',
      }),
      entry(48_208, {
        type: 'lock-force-released',
        node: nodes.desk,
        text: 'publish, expecting token 41, by ada-desk: it hangs',
        outcome: 'refused: publish has token 44 now',
        refused: true,
      }),
      entry(48_207, { type: 'session-renewed', node: nodes.desk, text: 'renewal 902 of ada-desk', outcome: '' }),
    ],
  };
}
