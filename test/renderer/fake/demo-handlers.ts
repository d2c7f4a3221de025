import type { FakeHandlers } from '../../../src-renderer/api/fake-transport.ts';
import { fakeFailure } from '../../../src-renderer/api/fake-transport.ts';
import { demoConsensus, demoLog } from './demo-consensus.ts';
import { jobDetail } from './demo-jobs.ts';
import { demoValues } from './demo-values.ts';
import { demoJobs, demoLocks, demoOverview, demoPeers, nodes, type Variant } from './demo-swarm.ts';

/** Handlers for the whole contract over the demonstration data. Live views send a frame a second. */
export function demoHandlers(variant: Variant, now: () => number = Date.now): FakeHandlers {
  const provenance = () =>
    variant === 'no-quorum'
      ? { consistency: 'stale' as const, ageMs: 182_000, slot: 48_211 }
      : { consistency: 'quorum' as const, ageMs: 120, slot: 48_211 };
  const frame = (view: unknown, sequence = 1) => ({ sequence, provenance: provenance(), view });
  const live = (view: () => unknown) => (_input: unknown, signal: AbortSignal | undefined) =>
    frames((sequence) => frame(view(), sequence), signal);
  const jobOf = (input: unknown) => {
    const selector = field(input, 'selector');
    const job = demoJobs(variant, now()).find((entry) => String(entry.id) === String(selector).split('.')[0]);
    if (job === undefined)
      throw fakeFailure({
        code: 'not-found',
        message: `There is no job ${String(selector)}.`,
        hint: '“skein ps” lists the jobs.',
      });
    return job;
  };
  const detail = (input: unknown) =>
    jobDetail(jobOf(input), Number(field(input, 'offset') ?? 0), Number(field(input, 'limit') ?? 100), now(), nodes);
  const handlers: FakeHandlers = {
    'swarm.watch': live(() => demoOverview(variant, now())),
    'swarm.requests': () =>
      variant === 'full'
        ? [
            {
              id: 'r1',
              name: 'kitchen-pc',
              os: 'Windows',
              words: ['maple', 'orbit', 'candle', 'seven'],
              role: 'worker',
              at: now() - 12_000,
            },
          ]
        : [],
    'swarm.decide': () => ({ decided: true }),
    'swarm.invite': (input) => ({
      link: 'skein://join/AYqk7vZ4mJr2uXcP9sTeB6hY8nLw3aF5dG-3yQh0b1x9ZKc?at=192.168.1.20:53117',
      expiresAt: now() + 599_000,
      role: field(input, 'role') ?? 'worker',
      addresses: ['192.168.1.20:53117'],
    }),
    'swarm.create': (input) => ({ id: '9f3c', name: field(input, 'name') }),
    'swarm.join': () => {
      throw fakeFailure({
        code: 'invitation-expired',
        message: 'This invitation ended 4 min ago.',
        hint: 'Ask for a new one: it takes a moment on the other machine.',
      });
    },
    'swarm.recoverPlan': () => ({
      obstacle: null,
      warning: 'If those machines are still running somewhere, the same job may run twice.',
      epoch: 1,
      abandon: [nodes.studio, nodes.render],
      survivors: [
        { node: nodes.desk, epoch: 0, config: 4, committed: 48_211, votedThrough: 48_211 },
        { node: nodes.attic, epoch: 0, config: 4, committed: 48_102, votedThrough: 0 },
      ],
    }),
    'swarm.recover': (input) => {
      const given = field(input, 'abandon') as readonly string[];
      if ([...given].sort().join() !== [nodes.render.name, nodes.studio.name].sort().join())
        throw fakeFailure({ code: 'precondition-failed', message: 'Other machines cannot be reached.' });
      return { epoch: 1, from: 48_212, voters: [nodes.desk] };
    },
    'peers.watch': live(() => ({ peers: demoPeers(variant, now()) })),
    'peers.pin': (input) => ({ pin: field(input, 'pin') }),
    'peers.ping': () => ({ rttMs: 1.9 }),
    'consensus.watch': live(() => demoConsensus(variant, now())),
    'consensus.watchLog': live(() => demoLog(now())),
    'kv.range': () => ({ ...demoValues(variant, now()), provenance: provenance() }),
    'kv.watch': (_input, signal) => frames(() => ({ through: 48_211, changes: [] }), signal),
    'files.places': () => ({ home: '/home/ada', recent: ['/home/ada/reels', '/home/ada/photos'] }),
    'files.look': (input) => ({
      path: field(input, 'path'),
      parent: '/home/ada',
      writable: true,
      total: 3,
      entries: [
        { name: 'proxies', folder: true, bytes: 0 },
        { name: 'A004_C001.mov', folder: false, bytes: 48_210_334 },
        { name: 'A004_C002.mov', folder: false, bytes: 51_002_118 },
      ],
    }),
    'policy.get': () => ({ accepts: { from: 'listed', members: [nodes.studio.id, nodes.render.id] }, slots: 8 }),
    'policy.set': (input) => input,
    'tasks.watch': live(() => ({ jobs: demoJobs(variant, now()) })),
    'tasks.watchOne': (input, signal) => {
      jobOf(input);
      return frames((sequence) => frame(detail(input), sequence), signal);
    },
    'tasks.preview': (input) => ({
      taskCount: 482,
      inputBytes: 3_912_004_113,
      first: ['reel-04-001.mov', 'reel-04-002.mov', 'reel-04-003.mov'].map((label) => ({
        label,
        argv: ((field(input, 'argv') as string[] | undefined) ?? []).map((part) =>
          part.replace('{file}', label).replace('{stem}', label.replace('.mov', '')),
        ),
      })),
      machines: demoPeers(variant, now()).map((peer) => ({
        node: { id: peer.id, name: peer.name },
        able: peer.state === 'online',
        reason:
          peer.state !== 'online'
            ? 'unreachable for 4 min'
            : `${(peer.slots ?? 0) - peer.running} of ${peer.slots ?? 0} slots free`,
      })),
    }),
    'tasks.submit': () => ({ job: 215, taskCount: 482, inputBytes: 3_912_004_113 }),
    'tasks.cancel': () => ({ cancelled: 250 }),
    'tasks.retry': () => ({ retried: 3 }),
    'tasks.explain': () => ({
      sentence: 'It runs on render-box, which had the most free slots of the 3 machines that fit.',
      machines: demoPeers(variant, now()).map((peer) => ({
        node: { id: peer.id, name: peer.name },
        eligible: peer.state === 'online' && peer.name !== 'ben-laptop',
        verdict:
          peer.name === 'ben-laptop'
            ? 'its owner runs work from ada-desk only'
            : peer.state === 'online'
              ? `fits: ${(peer.slots ?? 0) - peer.running} slots free`
              : 'unreachable',
      })),
      history: [
        'slot 47881: attempt 1 given to attic',
        'slot 48090: the session of attic ended',
        'slot 48102: attempt 2 given to render-box',
      ],
    }),
    'tasks.readLog': (input) => logChunk(Number(field(input, 'offset') ?? 0), field(input, 'stream') === 'stdout'),
    'locks.watch': live(() => ({ locks: demoLocks(variant, now()) })),
    'locks.forceRelease': () => {
      throw fakeFailure({
        code: 'precondition-failed',
        message: 'nightly-backup has token 48231 now, not 48190.',
        hint: 'Look at the new holder before you decide again.',
      });
    },
  };
  if (variant !== 'error') return handlers;
  const broken = () => {
    throw fakeFailure({
      code: 'disk-failed',
      message: 'The journal in /home/ada/.local/state/skein cannot be read: input/output error.',
      hint: 'Check the disk, then start Skein again.',
    });
  };
  return { ...handlers, 'tasks.watch': broken, 'locks.watch': broken, 'peers.watch': broken, 'policy.get': broken };
}

function field(input: unknown, name: string): unknown {
  return typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>)[name] : undefined;
}

const frameEveryMs = 1_000;

async function* frames(next: (sequence: number) => unknown, signal: AbortSignal | undefined): AsyncGenerator<unknown> {
  for (let sequence = 1; signal?.aborted !== true; sequence += 1) {
    yield next(sequence);
    await new Promise((resolve) => setTimeout(resolve, frameEveryMs));
  }
}

const logText =
  Array.from({ length: 1_240 }, (_unused, line) =>
    line % 97 === 40
      ? `\u001b[33m[warning]\u001b[0m frame ${line * 24}: non-monotonic timestamps, adjusted`
      : line === 0
        ? 'Input #0, mov, from A004_C001.mov: 00:04:11.20, 3840x2160, 25 fps'
        : line % 31 === 12
          ? `\u001b[32mkeyframe\u001b[0m at ${(line * 0.96).toFixed(2)} s`
          : `frame=${String(line * 24).padStart(6)} fps=187 q=23.0 size=${String(line * 212).padStart(7)}KiB time=00:0${Math.floor(line / 400)}:${String(Math.floor(line / 7) % 60).padStart(2, '0')} speed=7.48x`,
  ).join('\n') + '\n';

function logChunk(offset: number, filled: boolean) {
  const text = filled ? logText.slice(offset) : '';
  return {
    offset,
    nextOffset: offset + text.length,
    totalBytes: filled ? logText.length : 0,
    text,
    ended: false,
    missingBytes: 0,
    source: 'worker' as const,
  };
}
