import type { ConsensusView, LogEntry } from '../../../shared/contract/consensus.ts';
import type { Call, SkeinServices } from '../../../src-main/api/services.ts';
import type { Job, JobDetail, Task } from '../../../shared/contract/tasks.ts';
import type { Lock } from '../../../shared/contract/locks.ts';
import type { Overview } from '../../../shared/contract/swarm.ts';
import type { Peer } from '../../../shared/contract/peers.ts';
import { FailureError } from '../../../shared/domain/failure.ts';

/** 2026-11-23T12:00:00Z */
export const noon = 1_795_435_200_000;
export const anna = { id: '12D3KooWanna', name: 'anna' };
export const berta = { id: '12D3KooWberta', name: 'berta' };
const provenance = { consistency: 'quorum', ageMs: 40, slot: 120 } as const;

export const framed = <View>(view: View, sequence = 1) => ({ sequence, provenance, view });

export const overview: Overview = {
  version: '0.1.0',
  self: {
    id: anna.id,
    name: 'anna',
    role: 'coordinator',
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
    home: '/home/anna/skein',
    startedAt: noon,
    slots: 4,
    running: 1,
    paused: null,
  },
  swarm: { id: 'ab12', name: 'workshop' },
  state: 'healthy',
  message: '',
  members: { total: 3, reachable: 3 },
  versions: null,
  coordinator: { node: anna, ballot: '7.anna', since: noon, reason: 'highest rank' },
  quorum: {
    voters: [
      { node: anna, rank: 3, reachable: true },
      { node: berta, rank: 2, reachable: true },
      { node: { id: '12D3KooWclara', name: 'clara' }, rank: 1, reachable: true },
    ],
    reachable: 3,
    needed: 2,
    mayFail: 1,
  },
  log: { committed: 120, applied: 120, configId: 2 },
  tasks: { waiting: 12, running: 3, succeeded: 80, failed: 1, slotsUsed: 3, slotsTotal: 12 },
  locks: { held: 1, waiting: 0 },
  insight: '',
  activity: [{ id: 1, at: noon, kind: 'coordinator', text: 'anna coordinates since 12:00' }],
};

export const peer: Peer = {
  id: anna.id,
  name: 'anna',
  self: true,
  role: 'admin',
  state: 'online',
  voter: true,
  coordinator: true,
  rank: 3,
  pin: 'home-base',
  os: 'linux',
  arch: 'x64',
  memoryBytes: 8_589_934_592,
  slots: 4,
  running: 1,
  load: 0.25,
  loadAgeMs: 1_200,
  version: '0.1.0',
  supports: 2,
  accepts: 'everyone',
  rttMs: null,
  addresses: ['/ip4/127.0.0.1/tcp/4001'],
  committed: 120,
  lastSeen: noon,
  joinedAt: noon,
};

export const job: Job = {
  id: 81,
  name: 'gzip',
  command: 'gzip -k {file}',
  state: 'running',
  taskCount: 3,
  counts: { waiting: 1, active: 1, succeeded: 1, failed: 0, cancelled: 0 },
  extraAttempts: 0,
  refusedResults: 0,
  submitter: anna,
  submittedAt: noon,
  endedAt: null,
  policy: 'least-loaded',
  lock: null,
  where: [anna, berta],
  reason: '1 task waits for a free slot',
  delivery: { delivered: 1, pending: 2, folder: '/tmp/out', error: '' },
};

export const task: Task = {
  job: 81,
  index: 0,
  state: 'running',
  label: 'a.txt',
  reason: 'runs on berta',
  attempts: [
    {
      number: 1,
      node: berta,
      token: 55,
      state: 'running',
      assignedAt: noon,
      startedAt: noon + 500,
      endedAt: null,
      outcome: '',
      exitCode: null,
      signal: null,
      reason: 'least loaded',
    },
  ],
};

export const detail: JobDetail = {
  job,
  argv: ['gzip', '-k', '{file}'],
  env: {},
  outputs: ['{name}.gz'],
  retries: 0,
  timeoutMs: null,
  slots: 1,
  manifest: 'c0ffee',
  tasks: [task],
  tasksTotal: 3,
};

const lockHolder: Lock['holders'][number] = {
  node: berta,
  owner: 'job 81',
  label: 'render',
  token: 55,
  since: noon,
  leaseLeftMs: 12_000,
  leaseMs: 20_000,
  reachable: true,
  mode: 'exclusive',
  keeps: false,
  delayMs: 15_000,
};

export const lock: Lock = {
  name: 'gpu',
  holder: lockHolder,
  holders: [lockHolder],
  permits: null,
  delays: [],
  waiters: [{ node: anna, owner: 'skein lock', label: 'make', since: noon, mode: 'exclusive', names: ['gpu'] }],
  state: 'held',
  history: [],
};

/** Frames that stay open after the last one until the reader leaves, as live views do. */
export async function* stayOpen<Frame>(
  frames: readonly Frame[],
  call: Call,
  left: () => void = () => undefined,
): AsyncGenerator<Frame, void, void> {
  try {
    yield* frames;
    await new Promise<void>((resolve) => {
      if (call.signal.aborted) resolve();
      else call.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    left();
  }
}

export const consensus: ConsensusView = {
  self: anna,
  role: 'coordinator',
  coordinator: { node: anna, since: noon, reason: 'no voter of higher rank answered' },
  ballot: { epoch: 0, config: 1, round: 3, rank: 100, voter: anna },
  config: { epoch: 0, id: 1, firstSlot: 40, voters: 3 },
  quorum: { needed: 2, reachable: 3, mayFail: 1, words: 'One of 3 voters may be off, and work goes on.' },
  replicas: [
    {
      node: berta,
      self: false,
      voter: true,
      coordinator: false,
      rank: 100,
      pin: 'none',
      incarnation: 'a1b2c3d4e5',
      reachable: true,
      committed: 480,
      lagEntries: 20,
      saidAgeMs: 0,
      roundTripMs: 0.8,
      sync: { p50Ms: 0.8, p99Ms: 4 },
      lastSeen: noon,
    },
  ],
  log: { committed: 500, applied: 500, snapshot: null, journalBytes: 2_048, singleCopies: null, comparedSlot: null },
  divergences: [],
  sync: { p50Ms: 0.7, p99Ms: 3, worstMs: 9, writes: 512 },
  waits: [],
  history: [
    {
      id: 1,
      at: noon,
      kind: 'coordinator',
      node: anna,
      ballot: '0.1.3.100.anna',
      text: 'anna coordinates',
      reason: 'no voter of higher rank answered',
      silentMs: 900,
    },
  ],
};

export const logEntries: LogEntry[] = [
  {
    slot: 500,
    at: noon,
    type: 'lock-requested',
    node: berta,
    text: 'backup',
    outcome: 'refused: the lock is held',
    refused: true,
  },
  { slot: 499, at: noon, type: 'session-renewed', node: anna, text: 'renewal 7 of anna', outcome: '', refused: false },
];

const refuse = (name: string) => (): never => {
  throw new FailureError({ code: 'internal', message: `the test did not say what ${name} answers` });
};

export type Fakes = { readonly [Area in keyof SkeinServices]?: Partial<SkeinServices[Area]> };

/** Services that answer with the fixtures above, except where a test says otherwise. */
export function fakeServices(fakes: Fakes = {}): SkeinServices {
  return {
    swarm: {
      overview: async () => framed(overview),
      watch: (call) => stayOpen([framed(overview)], call),
      create: async ({ name }) => ({ id: 'ab12', name }),
      invite: async ({ role, ttlMs }) => ({
        link: 'skein://join/abc',
        expiresAt: noon + ttlMs,
        role,
        addresses: ['/ip4/127.0.0.1/tcp/4001'],
      }),
      join: refuse('swarm.join'),
      recoverPlan: refuse('swarm.recoverPlan'),
      recover: refuse('swarm.recover'),
      recoverReview: refuse('swarm.recoverReview'),
      leave: async () => ({ left: true }),
      requests: async () => [],
      decide: async () => ({ decided: true }),
      revoke: async () => ({ revoked: true }),
      ...fakes.swarm,
    },
    peers: {
      list: async () => framed({ peers: [peer] }),
      watch: (call) => stayOpen([framed({ peers: [peer] })], call),
      ping: async () => ({ rttMs: 0.8 }),
      pin: async ({ pin }) => ({ pin }),
      closest: async () => ({ keyHash: 'ff', peers: [] }),
      ...fakes.peers,
    },
    policy: {
      get: async () => ({ accepts: { from: 'nobody' }, slots: 4 }),
      set: async ({ accepts, slots }) => ({ accepts: accepts ?? { from: 'nobody' }, slots: slots ?? 4 }),
      pause: async ({ forMs }) => ({
        accepts: { from: 'nobody' },
        slots: 4,
        paused: { until: forMs === null ? null : noon + forMs },
      }),
      resume: async () => ({ accepts: { from: 'nobody' }, slots: 4 }),
      ...fakes.policy,
    },
    tasks: {
      submit: async () => ({ job: 81, taskCount: 3, inputBytes: 2_048 }),
      preview: refuse('tasks.preview'),
      list: async () => framed({ jobs: [job] }),
      watch: (call) => stayOpen([framed({ jobs: [job] })], call),
      show: async () => framed(detail),
      watchOne: (_input, call) => stayOpen([framed(detail)], call),
      cancel: async () => ({ cancelled: 2 }),
      retry: async () => ({ retried: 1 }),
      explain: async () => ({
        sentence: 'runs on berta',
        machines: [{ node: berta, verdict: 'has a free slot', eligible: true }],
        history: ['assigned to berta'],
      }),
      readLog: async ({ offset }) => ({
        offset,
        nextOffset: offset,
        totalBytes: offset,
        text: '',
        ended: true,
        missingBytes: 0,
        source: 'none',
      }),
      ...fakes.tasks,
    },
    locks: {
      list: async () => framed({ locks: [lock] }),
      watch: (call) => stayOpen([framed({ locks: [lock] })], call),
      hold: refuse('locks.hold'),
      acquire: refuse('locks.acquire'),
      release: async () => ({ released: true }),
      downgrade: async () => ({ downgraded: true }),
      show: async () => framed(lock),
      guard: async () => ({ guarded: true }),
      forceRelease: async () => ({ released: true }),
      ...fakes.locks,
    },
    consensus: {
      status: async () => framed(consensus),
      watch: (call) => stayOpen([framed(consensus)], call),
      log: async ({ limit }) => framed({ entries: logEntries.slice(0, limit), firstSlot: 499 }),
      watchLog: (_input, call) => stayOpen([framed({ entries: logEntries, firstSlot: 499 })], call),
      ...fakes.consensus,
    },
    files: {
      places: async () => ({ home: '/home/anna', recent: [] }),
      look: refuse('files.look'),
      ...fakes.files,
    },
    kv: {
      get: refuse('kv.get'),
      range: refuse('kv.range'),
      put: refuse('kv.put'),
      compareAndSet: refuse('kv.compareAndSet'),
      delete: refuse('kv.delete'),
      transact: refuse('kv.transact'),
      watch: refuse('kv.watch'),
      usage: refuse('kv.usage'),
      ...fakes.kv,
    },
  };
}
