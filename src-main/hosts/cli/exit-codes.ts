import type { Failure, FailureCode } from '../../../shared/domain/failure.ts';

/** The exit codes of the command line. They are stable: scripts rely on them. */
export const exitCodes = {
  done: 0,
  error: 1,
  usage: 2,
  notFound: 3,
  notAuthorised: 4,
  unavailable: 5,
  preconditionFailed: 6,
  refused: 7,
  timedOut: 8,
  taskFailed: 10,
  taskCancelled: 11,
  taskLost: 12,
  runBroken: 125,
  runCannotExecute: 126,
  runNotFound: 127,
  interrupted: 130,
} as const;

const byFailure: Readonly<Partial<Record<FailureCode, number>>> = {
  'bad-input': exitCodes.usage,
  'invitation-malformed': exitCodes.usage,
  'not-found': exitCodes.notFound,
  'not-a-member': exitCodes.notAuthorised,
  'not-authorised': exitCodes.notAuthorised,
  'invitation-expired': exitCodes.notAuthorised,
  'invitation-used': exitCodes.notAuthorised,
  'invitation-wrong-secret': exitCodes.notAuthorised,
  'invitation-foreign': exitCodes.notAuthorised,
  'invitation-denied': exitCodes.notAuthorised,
  'no-quorum': exitCodes.unavailable,
  'no-coordinator': exitCodes.unavailable,
  'peer-unreachable': exitCodes.unavailable,
  'not-running': exitCodes.unavailable,
  'precondition-failed': exitCodes.preconditionFailed,
  'refused-by-owner': exitCodes.refused,
  'timed-out': exitCodes.timedOut,
  cancelled: exitCodes.interrupted,
};

export const exitCodeOf = (failure: Failure): number => byFailure[failure.code] ?? exitCodes.error;

/** True when the same command may work a little later, unchanged. */
export function isRetryable(failure: Failure): boolean {
  const code = exitCodeOf(failure);
  return code === exitCodes.unavailable || code === exitCodes.timedOut;
}

export const exitCodesHelp = `Exit codes

    0  done
    1  error
    2  usage: the command line or its input is wrong
    3  not found
    4  not authorised, or not a member
    5  unavailable: no quorum, no coordinator, node not running (may work later)
    6  precondition failed: the token or revision changed
    7  refused by a machine's policy
    8  timed out waiting
   10  the awaited task failed
   11  the awaited task was cancelled
   12  the awaited task was lost
  125  run only: the swarm could not run it
  126  run only: the program cannot be executed
  127  run only: there is no such program
  130  interrupted

“skein run” otherwise passes on the exit code of its program, as does “skein lock NAME -- CMD”.
“skein submit” answers 0 once the job is accepted; with --wait, and for “skein wait”, 10 to 12 say how it ended.
`;
