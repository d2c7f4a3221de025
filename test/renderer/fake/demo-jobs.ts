import type { Job, JobDetail, Task } from '../../../shared/contract/tasks.ts';
import type { TaskState } from '../../../shared/domain/task.ts';

interface Node {
  readonly id: string;
  readonly name: string;
}
type Nodes = Readonly<Record<'desk' | 'studio' | 'render' | 'laptop' | 'attic', Node>>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export function jobs(uncertain: boolean, now: number, nodes: Nodes): Job[] {
  const common = {
    extraAttempts: 0,
    refusedResults: 0,
    lock: null,
    policy: 'least-loaded',
    delivery: null,
    endedAt: null,
  } as const;
  const counts = (waiting: number, active: number, succeeded: number, failed: number, cancelled = 0) => ({
    waiting,
    active,
    succeeded,
    failed,
    cancelled,
  });
  const open = (state: TaskState): TaskState => (uncertain ? 'unknown' : state);
  return [
    {
      ...common,
      id: 214,
      name: 'Reel 4, proxies',
      command: 'ffmpeg -i {file} -vf scale=-2:720 -c:v libx264 {stem}-proxy.mp4',
      state: open('running'),
      taskCount: 480,
      counts: counts(214, 36, 228, 2),
      extraAttempts: 4,
      refusedResults: 1,
      submitter: nodes.studio,
      submittedAt: now - 22 * minuteMs,
      where: [nodes.render, nodes.studio],
      reason: uncertain
        ? 'Unknown: no majority is heard. It may go on elsewhere.'
        : '36 running on 2 machines; 214 wait for a free slot, about 13 min.',
    },
    {
      ...common,
      id: 213,
      name: 'Catalogue pages',
      command: 'python3 pages.py --section {line}',
      state: open('waiting'),
      taskCount: 1,
      counts: counts(1, 0, 0, 0),
      lock: 'publish-catalogue',
      submitter: nodes.desk,
      submittedAt: now - 8 * minuteMs,
      where: [],
      reason: uncertain
        ? 'Unknown: no majority is heard.'
        : 'Waits for the lock publish-catalogue, held by render-box.',
    },
    {
      ...common,
      id: 212,
      name: 'OCR, archive box 17',
      command: 'tesseract {file} {stem} -l swe+eng pdf',
      state: open('running'),
      taskCount: 1_204,
      counts: counts(0, 2, 1_202, 0),
      extraAttempts: 2,
      refusedResults: 1,
      submitter: nodes.desk,
      submittedAt: now - 64 * minuteMs,
      where: [nodes.render, nodes.studio, nodes.desk, nodes.attic],
      reason: uncertain
        ? 'Unknown: no majority is heard. It may go on elsewhere.'
        : '2 running. 2 tasks run again because attic is unreachable.',
      delivery: { delivered: 1_198, pending: 4, folder: '/home/ada/archive/box-17', error: '' },
    },
    {
      ...common,
      id: 211,
      name: 'Colour sweep',
      command: 'darktable-cli {file} --style warm-{index}',
      state: 'failed',
      taskCount: 60,
      counts: counts(0, 0, 57, 3),
      extraAttempts: 6,
      submitter: nodes.desk,
      submittedAt: now - 2 * hourMs,
      endedAt: now - 95 * minuteMs,
      where: [nodes.studio, nodes.render],
      reason: '3 of 60 failed after 2 more tries: exit code 137, killed, probably out of memory.',
      delivery: { delivered: 57, pending: 0, folder: '/home/ada/sweep', error: '' },
    },
    {
      ...common,
      id: 210,
      name: 'Unit tests on every system',
      command: 'npm test',
      state: 'succeeded',
      taskCount: 3,
      counts: counts(0, 0, 3, 0),
      policy: 'round-robin',
      submitter: nodes.laptop,
      submittedAt: now - 3 * hourMs,
      endedAt: now - 3 * hourMs + 4 * minuteMs,
      where: [nodes.desk, nodes.studio, nodes.laptop],
      reason: 'All 3 succeeded.',
    },
    {
      ...common,
      id: 209,
      name: 'Thumbnails',
      command: 'cwebp -q 80 {file} -o {stem}.webp',
      state: 'cancelled',
      taskCount: 900,
      counts: counts(0, 0, 372, 0, 528),
      submitter: nodes.desk,
      submittedAt: now - 5 * hourMs,
      endedAt: now - 5 * hourMs + 6 * minuteMs,
      where: [nodes.render],
      reason: 'Cancelled by ada-desk: wrong folder.',
    },
  ];
}

export function jobDetail(job: Job, offset: number, limit: number, now: number, nodes: Nodes): JobDetail {
  const length = Math.max(0, Math.min(limit, job.taskCount - offset));
  return {
    job,
    argv: job.command.split(' '),
    env: { LANG: 'C.UTF-8' },
    outputs: ['{stem}*'],
    retries: 2,
    timeoutMs: 10 * minuteMs,
    slots: 1,
    manifest: 'b3c1f0a94d2e77118c5a60f2d9e4b7136a08c2f5e1d39b4470af68be52c97d10',
    tasks: Array.from({ length }, (_unused, row) => task(job, offset + row, now, nodes)),
    tasksTotal: job.taskCount,
  };
}

function task(job: Job, index: number, now: number, nodes: Nodes): Task {
  const { counts } = job;
  const state: TaskState =
    job.taskCount === 1
      ? job.state
      : index === 1 && counts.failed > 0
        ? 'failed'
        : index < counts.active
          ? index % 9 === 4
            ? 'fetching'
            : index % 9 === 7
              ? 'uploading'
              : 'running'
          : index < counts.active + counts.succeeded
            ? 'succeeded'
            : counts.cancelled > 0
              ? 'cancelled'
              : 'waiting';
  const node = [nodes.render, nodes.studio, nodes.render][index % 3] ?? nodes.render;
  const label = `A004_C${String(index + 1).padStart(3, '0')}.mov`;
  if (state === 'waiting' || state === 'cancelled')
    return {
      job: job.id,
      index,
      state,
      label,
      reason:
        state === 'waiting' ? 'Waits for a free slot on render-box or studio-mac.' : 'Cancelled before it started.',
      attempts: [],
    };
  const startedAt = now - 4 * minuteMs + index * 900;
  const done = state === 'succeeded' || state === 'failed';
  const attempt = {
    number: index === 0 ? 2 : 1,
    node,
    token: 48_102 + index,
    state,
    assignedAt: startedAt - 400,
    startedAt,
    endedAt: done ? startedAt + 41_000 : null,
    outcome:
      state === 'failed' ? 'exit code 137: killed, probably out of memory' : state === 'succeeded' ? 'exit code 0' : '',
    exitCode: state === 'failed' ? 137 : state === 'succeeded' ? 0 : null,
    signal: null,
    reason: `${node.name} had the most free slots.`,
  };
  const lost = {
    ...attempt,
    number: 1,
    node: nodes.attic,
    token: 47_881,
    state: 'lost' as const,
    outcome: 'its machine became unreachable',
    endedAt: now - 4 * minuteMs,
  };
  return {
    job: job.id,
    index,
    state,
    label,
    reason: state === 'succeeded' ? 'Done; the result is accepted.' : `Runs on ${node.name}.`,
    attempts: index === 0 ? [lost, attempt] : [attempt],
  };
}
