import type { Lock } from '../../../shared/contract/locks.ts';
import { describe, expect, test } from 'vitest';
import { createFakeClient, fakeFailure } from '../../../src-renderer/api/fake-transport.ts';
import { Line } from '../../../src-renderer/state/line.svelte.ts';
import { LiveView, type Frame } from '../../../src-renderer/state/live-view.svelte.ts';
import { formatRoute, parseRoute } from '../../../src-renderer/state/router.svelte.ts';
import { SubmitDraft } from '../../../src-renderer/state/submit-draft.svelte.ts';
import { findLines, TaskOutput } from '../../../src-renderer/state/task-output.svelte.ts';
import { kindWords, modeWord, waitWords } from '../../../src-renderer/views/locks/kinds.ts';
import { leaseLeft } from '../../../src-renderer/views/locks/lease-left.ts';
import { findInvitation } from '../../../src-renderer/views/first-run/invitation-text.ts';
import { filterJobs } from '../../../src-renderer/views/tasks/job-filters.ts';
import { submissionSchema } from '../../../shared/contract/tasks.ts';
import { failureOf } from '../../../shared/contract/client.ts';
import { ok } from '../../../shared/domain/failure.ts';
import { demoJobs, demoLocks, nodes } from '../fake/demo-swarm.ts';

const frame = (sequence: number, view: string): Frame<string> => ({
  sequence,
  view,
  provenance: { consistency: 'quorum', ageMs: 0, slot: sequence },
});

/** Plays one list of frames per subscription; the view ends when the lists do. */
function played(
  view: LiveView<string>,
  lists: readonly (readonly Frame<string>[] | Error)[],
): { opened: () => number; done: Promise<void> } {
  let opened = 0;
  const done = view.follow(async function open() {
    const list = lists[opened++];
    if (list === undefined) {
      view.stop();
      return (async function* none() {})();
    }
    if (list instanceof Error) throw list;
    return (async function* all() {
      yield* list;
    })();
  });
  return { opened: () => opened, done };
}

const noWait = (): Promise<void> => Promise.resolve();

describe('a live view', () => {
  test('shows the latest frame and takes a skipped number, since each frame is whole', async () => {
    const view = new LiveView<string>(noWait);
    const run = played(view, [[frame(1, 'a'), frame(5, 'b')]]);
    await run.done;
    expect([view.view, view.provenance?.slot, view.failure]).toEqual(['b', 5, null]);
  });

  test('subscribes anew when the numbers go back, and does not show the older frame', async () => {
    const view = new LiveView<string>(noWait);
    const seen: (string | null)[] = [];
    const run = played(view, [[frame(3, 'new'), frame(2, 'old'), frame(4, 'never read')], [frame(1, 'fresh')]]);
    await run.done;
    seen.push(view.view);
    expect([seen, run.opened()]).toEqual([['fresh'], 3]);
  });

  test('keeps what it had when the call fails, says why, and tries again', async () => {
    const view = new LiveView<string>(noWait);
    const run = played(view, [[frame(1, 'kept')], fakeFailure({ code: 'no-quorum', message: 'No majority.' })]);
    await run.done;
    expect([view.view, view.failure?.code, run.opened()]).toEqual(['kept', 'no-quorum', 3]);
  });

  test('holds frames back while paused, counts them, and shows the last one on resume', async () => {
    const view = new LiveView<string>(noWait);
    await played(view, [[frame(1, 'a')]]).done;
    view.setPaused(true);
    await played(view, [[frame(1, 'b'), frame(2, 'c')]]).done;
    expect([view.view, view.heldBack]).toEqual(['a', 2]);
    view.setPaused(false);
    expect([view.view, view.heldBack]).toEqual(['c', 0]);
  });
});

describe('the line to the node process', () => {
  test('is opened again after it was cut, and says why it was cut meanwhile', async () => {
    const client = createFakeClient({});
    const cut = Promise.withResolvers<string>();
    let opened = 0;
    const line = new Line(() =>
      Promise.resolve(
        ok({
          client,
          ended: opened === 0 ? cut.promise : new Promise<string>(() => undefined),
          close: () => undefined,
        }),
      ),
    );
    const second = Promise.withResolvers<null>();
    void line.run(() => {
      opened += 1;
      if (opened === 2) second.resolve(null);
    });
    await Promise.resolve();
    cut.resolve('The process stopped.');
    await new Promise((resolve) => setImmediate(resolve));
    expect([line.state, line.failure?.message, line.client]).toEqual(['lost', 'The process stopped.', null]);
    line.tryNow();
    await second.promise;
    expect([line.state, line.failure]).toEqual(['open', null]);
    line.stop();
  });
});

describe('the fake', () => {
  test('fails by name when a call has no handler', async () => {
    await expect(createFakeClient({}).swarm.leave()).rejects.toThrow('The fake has no handler for swarm.leave.');
  });

  test('carries a failure whole', async () => {
    const client = createFakeClient({
      'swarm.leave': () => {
        throw fakeFailure({ code: 'no-quorum', message: 'm', hint: 'h' });
      },
    });
    const caught: unknown = await client.swarm.leave().then(
      () => null,
      (error: unknown) => error,
    );
    expect(failureOf(caught)).toEqual({ code: 'no-quorum', message: 'm', hint: 'h' });
  });
});

describe('task output', () => {
  test('is read from its first byte over several chunks, with lines that span them', async () => {
    const text = 'one\ntwo\nprogress 1\rprogress 2\nlast without end';
    const asked: number[] = [];
    const client = createFakeClient({
      'tasks.readLog': (input) => {
        const offset = (input as { offset: number }).offset;
        asked.push(offset);
        const part = text.slice(offset, offset + 10);
        return {
          offset,
          nextOffset: offset + part.length,
          totalBytes: text.length,
          text: part,
          ended: true,
          missingBytes: 0,
          source: 'worker',
        };
      },
    });
    const output = new TaskOutput();
    await output.follow((...call) => client.tasks.readLog(...call), {
      selector: '1',
      attempt: undefined,
      stream: 'stdout',
    });
    expect({ lines: output.lines, asked, ended: output.ended }).toEqual({
      lines: ['one', 'two', 'progress 2', 'last without end'],
      asked: [0, 10, 20, 30, 40],
      ended: true,
    });
  });

  test('search finds whole lines whatever their case and colour', () => {
    expect(findLines(['\u001b[31mERR\u001b[0mor', 'fine', 'no error'], 'error')).toEqual([0, 2]);
    expect(findLines(['a'], '')).toEqual([]);
  });
});

describe('where the window is', () => {
  test('survives the address bar', () => {
    const route = { place: 'locks', item: 'a/b c?', filters: { q: 'state:held x' } } as const;
    expect(parseRoute(formatRoute(route))).toEqual(route);
    expect(parseRoute('#/nowhere/%E0%A4%A')).toEqual({ place: 'overview', item: null, filters: {} });
  });
});

describe('the submit form', () => {
  test('turns into a submission that the contract accepts', () => {
    const draft = new SubmitDraft();
    draft.command = "cwebp {file} -o '{stem}.webp'";
    draft.cwd = '/home/ada';
    draft.each = 'files';
    draft.globs = '*.png\n\n';
    draft.timeoutMinutes = '1.5';
    const parsed = submissionSchema.parse(draft.submission);
    expect([draft.problems, parsed.argv, parsed.each, parsed.timeoutMs]).toEqual([
      [],
      ['cwebp', '{file}', '-o', '{stem}.webp'],
      { type: 'files', globs: ['*.png'] },
      90_000,
    ]);
  });

  test('names each problem with its field', () => {
    const draft = new SubmitDraft();
    draft.command = "echo 'open";
    draft.cwd = 'photos';
    draft.each = 'range';
    draft.rangeTo = 0;
    draft.env = 'NOVALUE';
    draft.timeoutMinutes = 'soon';
    expect(draft.problems.map((problem) => problem.field)).toEqual(['command', 'cwd', 'range', 'env', 'timeout']);
  });
});

describe('a lock’s lease', () => {
  const [lock] = demoLocks('full', 0);
  if (lock === undefined) throw new Error('The demonstration has no lock.');
  const at = (nowMs: number, heard = true) => leaseLeft({ lock, receivedAtMs: 1_000, frameAgeMs: 0, nowMs, heard });

  test('counts down from what the coordinator said, to nothing and not below', () => {
    expect([at(1_000), at(9_200), at(60_000)]).toEqual([
      { state: 'counting', leftMs: 16_400, share: 0.82, approximate: false },
      { state: 'counting', leftMs: 8_200, share: 0.41, approximate: true },
      { state: 'counting', leftMs: 0, share: 0, approximate: true },
    ]);
  });

  test('is unknown, not counted, when no coordinator or no line is heard', () => {
    const [uncertain] = demoLocks('no-quorum', 0);
    if (uncertain === undefined) throw new Error('The demonstration has no lock.');
    expect([
      at(1_000, false),
      leaseLeft({ lock: uncertain, receivedAtMs: 0, frameAgeMs: 0, nowMs: 0, heard: true }),
    ]).toEqual([{ state: 'unknown' }, { state: 'unknown' }]);
  });
});

describe('a lock in words', () => {
  const named = (name: string, variant: 'full' | 'no-quorum' = 'full'): Lock => {
    const found = demoLocks(variant, 0).find((lock) => lock.name === name);
    if (found === undefined) throw new Error(`The demonstration has no lock ${name}.`);
    return found;
  };

  test('says how it is used: alone, by readers, by permits', () => {
    const alone = named('nightly-backup');
    const [holder] = alone.holders;
    if (holder === undefined) throw new Error('The lock has no holder.');
    const reader = { ...holder, mode: 'shared' as const };
    expect([
      kindWords(alone),
      kindWords({ ...alone, holders: [reader, reader] }),
      kindWords(named('graphics-cards')),
    ]).toEqual(['one at a time', '2 readers', '2 of 2 permits']);
    expect([modeWord('exclusive', alone), modeWord('exclusive', { ...alone, holders: [reader] })]).toEqual([
      '',
      'writes',
    ]);
  });

  test('says who waits for whom, and what a loss or a missing majority has to do with it', () => {
    expect([
      waitWords(named('nightly-backup')),
      waitWords(named('catalogue')),
      waitWords(named('nightly-backup', 'no-quorum')),
      waitWords(named('scanner')),
    ]).toEqual([
      'ada-desk waits for studio-mac.',
      'ada-desk waits until the place of ben-laptop is given free; it asks for scanner at the same time.',
      'No majority is heard, so nobody can be given the lock.',
      '',
    ]);
  });

  test('that outlives its session has no lease to count', () => {
    const [lock] = demoLocks('full', 0);
    const [holder] = lock?.holders ?? [];
    if (lock === undefined || holder === undefined) throw new Error('The demonstration has no held lock.');
    const kept = { ...holder, keeps: true };
    expect(leaseLeft({ lock, holder: kept, receivedAtMs: 0, frameAgeMs: 0, nowMs: 0, heard: true })).toEqual({
      state: 'kept',
    });
  });
});

describe('small readings', () => {
  test('an invitation is found among other words', () => {
    expect(findInvitation('Here: “skein://join/abc?at=1.2.3.4:5” <- paste')).toBe('skein://join/abc?at=1.2.3.4:5');
    expect(findInvitation('nothing')).toBeNull();
  });

  test('jobs are filtered by the words of the search language', () => {
    const ids = (search: string) =>
      filterJobs(demoJobs('full', 0), { tab: 'all', search, self: nodes.desk.id }).map((job) => job.id);
    expect([
      ids('state:failed'),
      ids('peer:ben'),
      ids('lock:publish'),
      ids('from:studio ffmpeg'),
      ids('state:failed thumbnails'),
    ]).toEqual([[211], [210], [213], [214], []]);
  });
});
