import type { Job } from '../../../shared/contract/tasks.ts';
import { finalTaskStates } from '../../../shared/domain/task.ts';

export const jobTabs = ['all', 'mine', 'active', 'failed'] as const;
export type JobTab = (typeof jobTabs)[number];
export const jobTabWords: Readonly<Record<JobTab, string>> = {
  all: 'All',
  mine: 'From here',
  active: 'Not finished',
  failed: 'With failures',
};

/**
 * Reads the search language shared with the command line: `state:failed name:render peer:studio lock:nightly`, and any
 * other word as part of the name or the command.
 */
export function filterJobs(
  jobs: readonly Job[],
  options: { tab: JobTab; search: string; self: string },
): readonly Job[] {
  const words = options.search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return jobs.filter((job) => inTab(job, options.tab, options.self) && words.every((word) => matches(job, word)));
}

function inTab(job: Job, tab: JobTab, self: string): boolean {
  switch (tab) {
    case 'all':
      return true;
    case 'mine':
      return job.submitter.id === self;
    case 'active':
      return !finalTaskStates.has(job.state);
    case 'failed':
      return job.counts.failed > 0;
  }
}

function matches(job: Job, word: string): boolean {
  const at = word.indexOf(':');
  const key = at < 0 ? '' : word.slice(0, at);
  const value = word.slice(at + 1).replace(/^~/, '');
  switch (key) {
    case 'state':
      return job.state === value;
    case 'name':
      return job.name.toLowerCase().includes(value);
    case 'peer':
      return job.where.some((node) => node.name.toLowerCase().includes(value));
    case 'from':
      return job.submitter.name.toLowerCase().includes(value);
    case 'lock':
      return (job.lock ?? '').toLowerCase().includes(value);
    default:
      return `${job.id} ${job.name} ${job.command}`.toLowerCase().includes(word);
  }
}

/** The parts of a job's bar, in the order work flows. */
export function jobSegments(
  counts: Job['counts'],
): readonly { label: string; count: number; pattern: 'good' | 'busy' | 'bad' | 'quiet' }[] {
  return [
    { label: 'succeeded', count: counts.succeeded, pattern: 'good' },
    { label: 'active', count: counts.active, pattern: 'busy' },
    { label: 'failed', count: counts.failed, pattern: 'bad' },
    { label: 'cancelled', count: counts.cancelled, pattern: 'quiet' },
  ];
}
