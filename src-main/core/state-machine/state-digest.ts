import { digestOf } from '../machine/digest.ts';
import { recordsPerCheckpoint } from '../machine/limits.ts';
import { tasksPerBlock, type MutableJob } from '../tasks/job.ts';
import { jobToSnapshot } from './snapshot.ts';
import { taskRow } from './snapshot-rows.ts';
import type { SwarmState } from './state.ts';

/** Characters that cost about as much as one ordinary record. */
const charsPerRecord = 200;

/** A part of the state whose records have an order of their own, the same on every machine. */
interface Section {
  readonly count: number;
  /** What one of its records costs on average, as a number of ordinary ones. */
  readonly weight: number;
  readonly slice: (from: number, to: number) => unknown;
}

/**
 * The digest of the state at a slot where machines compare theirs. A large state would take too long at once, so it is
 * gone through in turns: `turn` counts such slots, and together with the state itself it decides which share of every
 * section is looked at. How many records each section has is always part of it. Reads the live records, never the texts
 * kept for snapshots: those would go on saying what was once right.
 */
export function stateDigest(state: SwarmState, turn: number): string {
  const sections = sectionsOf(state);
  const weight = sections.reduce((sum, section) => sum + section.count * section.weight, 0);
  // A power of two, so that a state that grows is gone through from end to end all the same.
  let turns = 1;
  while (turns * recordsPerCheckpoint < weight) turns *= 2;
  const share = turn % turns;
  return digestOf(
    sections.map(({ count, slice }) => [
      count,
      slice(Math.floor((count * share) / turns), Math.floor((count * (share + 1)) / turns)),
    ]),
  );
}

function sectionsOf(state: SwarmState): readonly Section[] {
  const { sessions, locks, kv, ranks, levels, tasks, clients } = state;
  const { level, machines } = levels.toSnapshot();
  const { nextJob, jobs } = tasks.toSnapshot();
  const kvWeight = 1 + Math.floor(kv.bytes / Math.max(1, kv.size) / charsPerRecord);
  const historyWeight = 1 + Math.floor(kv.history.bytes / Math.max(1, kv.history.size) / charsPerRecord);
  return [
    listed([nextJob, kv.oldestRevision, level]),
    listed(sessions.list()),
    listed(ranks.toSnapshot()),
    listed(machines),
    listed(locks.toSnapshot(), 4),
    listed(clients.toSnapshot(), 4),
    { count: kv.size, weight: kvWeight, slice: (from, to) => kv.page(from, to) },
    { count: kv.history.size, weight: historyWeight, slice: (from, to) => kv.history.page(from, to) },
    { count: jobs.length, weight: 4, slice: (from, to) => jobs.slice(from, to).map(jobToSnapshot) },
    ...jobs.filter(({ touched }) => touched.size > 0).map(tasksOf),
  ];
}

const listed = (records: readonly unknown[], weight = 1): Section => ({
  count: records.length,
  weight,
  slice: (from, to) => records.slice(from, to),
});

/** By block, because the tasks that nothing has happened to yet have no record. */
function tasksOf(job: MutableJob): Section {
  const count = Math.ceil(job.taskCount / tasksPerBlock);
  return {
    count,
    weight: Math.ceil(job.touched.size / count),
    slice: (from, to) => {
      const rows: unknown[] = [];
      const end = Math.min(job.taskCount, to * tasksPerBlock);
      for (let index = from * tasksPerBlock; index < end; index++) {
        const task = job.touched.get(index);
        if (task !== undefined) rows.push(taskRow(task));
      }
      return rows;
    },
  };
}
