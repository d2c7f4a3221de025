import { setTimeout as pause } from 'node:timers/promises';
import type { CliContext } from './cli-context.ts';
import { exitCodes } from './exit-codes.ts';
import { startGroup, type ProcessGroup } from './process-group.ts';
import { commandWords } from './words.ts';

/** A group that must stop working under its lock has this long to do so by itself. */
const stopGraceMs = 2_000;
/** A node kills a program for up to two seconds before it says that the lock is lost. */
const lossNewsWithinMs = 4_000;
const labelCharsMax = 200;

/** What kind of lock is wanted, beside its name. */
export interface LockTerms {
  /** Further locks, all or none. */
  readonly also: readonly string[];
  readonly mode: 'exclusive' | 'shared' | 'permit';
  /** Of a semaphore. */
  readonly permits: number;
  /** Null for the usual one. */
  readonly delayMs: number | null;
}

/** As the contract wants it. */
export const termsFields = ({ also, mode, permits, delayMs }: LockTerms) => ({
  also: [...also],
  mode,
  permits,
  ...(delayMs === null ? {} : { delayMs }),
});

export interface HoldRequest {
  readonly name: string;
  readonly terms: LockTerms;
  readonly argv: readonly string[];
  readonly label: string | null;
  readonly wait: boolean;
  readonly waitMs: number | null;
  /** Told when the lock was lost while, or before, the program ran. */
  readonly onLost?: () => void;
}

/**
 * Runs a program while holding a lock and answers with its exit code. The program is killed, with all it started, as soon as
 * the lease may be over or the node is gone: then somebody else may hold the lock, and the answer is 5.
 */
export async function holdAndRun(context: CliContext, request: HoldRequest): Promise<number> {
  const node = await context.node();
  const leaving = new AbortController();
  let group: ProcessGroup | null = null;
  let interrupted = false;
  const unhook = context.world.onInterrupt(() => {
    interrupted = true;
    if (group === null) leaving.abort();
    else group.signal('SIGINT');
  });
  try {
    const events = await node.client.locks.hold(
      {
        name: request.name,
        ...termsFields(request.terms),
        label: (request.label ?? commandWords(request.argv)).slice(0, labelCharsMax),
        wait: request.wait,
        ...(request.waitMs === null ? {} : { waitMs: request.waitMs }),
      },
      { signal: leaving.signal },
    );
    for await (const event of events) {
      if (event.type === 'waiting')
        context.note(`Waiting for “${request.name}”, place ${event.position} in the queue.`);
      if (event.type === 'lost') return gaveUp(context, request, event.reason);
      if (event.type !== 'granted') continue;
      group = startUnderLock(context, request, event.token);
      await guard(context, request.name, event.token, group);
      return await runUntilLost(context, request, group, events, () => interrupted);
    }
    return gaveUp(context, request, 'the node ended the call');
  } catch (error) {
    if (leaving.signal.aborted) return exitCodes.interrupted;
    group?.stop(stopGraceMs);
    throw error;
  } finally {
    unhook();
    leaving.abort();
  }
}

function startUnderLock(context: CliContext, request: HoldRequest, token: number): ProcessGroup {
  return startGroup({
    argv: request.argv,
    cwd: context.world.cwd,
    env: { ...context.world.env, SKEIN_LOCK: request.name, SKEIN_FENCING_TOKEN: String(token) },
  });
}

/** Tells the node whom to kill if this process dies first. */
async function guard(context: CliContext, name: string, token: number, group: ProcessGroup): Promise<void> {
  if (group.pid === undefined) return;
  const { client } = await context.node();
  const { guarded } = await client.locks.guard({ name, token, pid: group.pid });
  if (!guarded)
    context.note(
      context.paint(
        'warn',
        `The node could not put “${name}” in charge of process ${group.pid}; it will only be stopped from here.`,
      ),
    );
}

type HoldEvents = AsyncIterable<
  { readonly type: 'waiting' } | { readonly type: 'granted' } | { readonly type: 'lost'; readonly reason: string }
>;

async function runUntilLost(
  context: CliContext,
  request: HoldRequest,
  group: ProcessGroup,
  events: HoldEvents,
  wasInterrupted: () => boolean,
): Promise<number> {
  const lost = watchForLoss(events);
  const first = await Promise.race([group.exit, lost]);
  if (typeof first !== 'string') {
    // A node that gives up a lock kills the program first and says why afterwards.
    const reason =
      first.signalled && !wasInterrupted()
        ? await Promise.race([lost, pause(lossNewsWithinMs, null, { ref: false })])
        : null;
    // Nothing that the program left behind may go on working once the lock is given back.
    group.stop(0);
    if (reason !== null) return gaveUp(context, request, reason);
    if (first.problem !== '') context.note(`skein: ${first.problem}`);
    return first.code;
  }
  group.stop(stopGraceMs);
  await group.exit;
  return gaveUp(context, request, first);
}

/** Resolves with the reason as soon as the lock can no longer be relied on. */
async function watchForLoss(events: HoldEvents): Promise<string> {
  try {
    for await (const event of events) {
      if (event.type === 'lost') return event.reason;
    }
    return 'the node ended the call';
  } catch {
    return 'the node stopped or is gone'; // Whatever broke the line, the lease can no longer be watched.
  }
}

function gaveUp(context: CliContext, { name, onLost }: HoldRequest, reason: string): number {
  onLost?.();
  context.note(`skein: the lock “${name}” is lost: ${reason}`);
  context.note('  What ran under it was stopped. See who holds it now: skein lock list');
  return exitCodes.unavailable;
}
