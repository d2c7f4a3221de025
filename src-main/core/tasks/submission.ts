import { fail } from '../../../shared/domain/failure.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { JobSpec } from '../../../shared/domain/task.ts';
import { jobSpecBytesMax, tasksPerJobMax } from '../machine/limits.ts';
import { utf8Bytes } from '../machine/utf8-bytes.ts';

const retriesMax = 100;
const slotsPerTaskMax = 256;

/** What is wrong with a submission, or null. The bounds keep one log entry and one state small. */
export function checkJob({ spec, taskCount }: { readonly spec: JobSpec; readonly taskCount: number }): Failure | null {
  if (!isWithin(taskCount, 1, tasksPerJobMax)) {
    return fail(
      'bad-input',
      `a job of ${taskCount} tasks: it must have 1 to ${tasksPerJobMax}`,
      'Split it into several jobs.',
    ).failure;
  }
  if (spec.argv.length === 0) return fail('bad-input', 'the job has no program to run', 'Name one after "--".').failure;
  if (!isWithin(spec.retries, 0, retriesMax)) {
    return fail('bad-input', `${spec.retries} retries: it must be 0 to ${retriesMax}`, 'Give a number in that range.')
      .failure;
  }
  if (!isWithin(spec.slots, 1, slotsPerTaskMax)) {
    return fail('bad-input', `${spec.slots} slots: it must be 1 to ${slotsPerTaskMax}`, 'Give a number in that range.')
      .failure;
  }
  const bytesMax = specBytesMax(spec);
  if (bytesMax > jobSpecBytesMax) {
    return fail(
      'limit-reached',
      `the command, environment and outputs of the job take up to ${bytesMax} bytes; ${jobSpecBytesMax} is the most`,
      'Put long arguments into an input file.',
    ).failure;
  }
  return null;
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

/** Exact for text without unusual characters; exact is needed only where the sum of lengths is not plainly small. */
function specBytesMax(spec: JobSpec): number {
  let bytes = utf8Bytes(spec.name);
  for (const argument of spec.argv) bytes += utf8Bytes(argument);
  for (const glob of spec.outputs) bytes += utf8Bytes(glob);
  for (const [name, value] of Object.entries(spec.env)) bytes += utf8Bytes(name) + utf8Bytes(value);
  return bytes;
}
