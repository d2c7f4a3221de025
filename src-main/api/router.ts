import { implement } from '@orpc/server';
import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';
import { contract } from '../../shared/contract/contract.ts';
import { answerFailure, toAnswer, type DefectLog } from './failure-answers.ts';
import { inputWords } from './input-words.ts';
import { relay } from './relay.ts';
import type { Call, SkeinServices } from './services.ts';

// Without a language the schema library says only “Invalid input”.
z.config({ ...english(), customError: inputWords });

/** One connection or one request of a caller, as far as the api counts it. */
export interface Caller {
  openCalls: number;
}

/** Passed by a host with each call. */
export interface ApiContext {
  readonly caller: Caller;
}

/** Calls, subscriptions included, that one caller may have open at the same time. */
export const openCallsMax = 256;

/** A caller that has nothing open yet: one per connection. */
export const newCaller = (): Caller => ({ openCalls: 0 });

const neverAborted = new AbortController().signal;

/**
 * The handler table of the contract over the given services. It checks inputs and outputs, translates failures, bounds what
 * one caller has open and ends a subscription when its caller leaves. It does not know which host serves it.
 */
export function createRouter(services: SkeinServices, log: DefectLog) {
  const { swarm, peers, policy, tasks, locks, kv, files, consensus } = services;
  const api = implement(contract)
    .$context<ApiContext>()
    .use(async ({ context, path, signal, next }) => {
      const { caller } = context;
      if (caller.openCalls >= openCallsMax) {
        throw answerFailure({
          code: 'limit-reached',
          message: `this connection already has ${openCallsMax} calls open`,
          hint: 'End a subscription first, or open another connection.',
        });
      }
      caller.openCalls += 1;
      let counted = true;
      const leave = (): void => {
        if (counted) caller.openCalls -= 1;
        counted = false;
      };
      const toError = (error: unknown): Error => toAnswer(error, path.join('.'), signal ?? neverAborted, log);
      try {
        const result = await next();
        if (!isFrames(result.output)) {
          leave();
          return result;
        }
        const frames = result.output;
        return { ...result, output: released(relay(frames, signal ?? neverAborted, toError), leave) };
      } catch (error) {
        leave();
        throw toError(error);
      }
    });

  const call = (signal: AbortSignal | undefined): Call => ({ signal: signal ?? neverAborted });
  /** Frames as the RPC layer wants them: it takes iterators, services may answer with anything that can be iterated. */
  const frames = <Frame>(
    source: AsyncIterable<Frame>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Frame, void, void> =>
    relay(source, signal ?? neverAborted, (error) => (error instanceof Error ? error : new Error(String(error))));

  return api.router({
    swarm: {
      overview: api.swarm.overview.handler(({ signal }) => swarm.overview(call(signal))),
      watch: api.swarm.watch.handler(({ signal }) => frames(swarm.watch(call(signal)), signal)),
      create: api.swarm.create.handler(({ input, signal }) => swarm.create(input, call(signal))),
      invite: api.swarm.invite.handler(({ input, signal }) => swarm.invite(input, call(signal))),
      join: api.swarm.join.handler(({ input, signal }) => frames(swarm.join(input, call(signal)), signal)),
      leave: api.swarm.leave.handler(({ signal }) => swarm.leave(call(signal))),
      requests: api.swarm.requests.handler(({ signal }) => swarm.requests(call(signal))),
      decide: api.swarm.decide.handler(({ input, signal }) => swarm.decide(input, call(signal))),
      revoke: api.swarm.revoke.handler(({ input, signal }) => swarm.revoke(input, call(signal))),
      recoverPlan: api.swarm.recoverPlan.handler(({ signal }) => swarm.recoverPlan(call(signal))),
      recover: api.swarm.recover.handler(({ input, signal }) => swarm.recover(input, call(signal))),
      recoverReview: api.swarm.recoverReview.handler(({ input, signal }) => swarm.recoverReview(input, call(signal))),
    },
    peers: {
      list: api.peers.list.handler(({ signal }) => peers.list(call(signal))),
      watch: api.peers.watch.handler(({ signal }) => frames(peers.watch(call(signal)), signal)),
      ping: api.peers.ping.handler(({ input, signal }) => peers.ping(input, call(signal))),
      pin: api.peers.pin.handler(({ input, signal }) => peers.pin(input, call(signal))),
      closest: api.peers.closest.handler(({ input, signal }) => peers.closest(input, call(signal))),
    },
    policy: {
      get: api.policy.get.handler(({ signal }) => policy.get(call(signal))),
      set: api.policy.set.handler(({ input, signal }) => policy.set(input, call(signal))),
      pause: api.policy.pause.handler(({ input, signal }) => policy.pause(input, call(signal))),
      resume: api.policy.resume.handler(({ signal }) => policy.resume(call(signal))),
    },
    tasks: {
      submit: api.tasks.submit.handler(({ input, signal }) => tasks.submit(input, call(signal))),
      preview: api.tasks.preview.handler(({ input, signal }) => tasks.preview(input, call(signal))),
      list: api.tasks.list.handler(({ signal }) => tasks.list(call(signal))),
      watch: api.tasks.watch.handler(({ signal }) => frames(tasks.watch(call(signal)), signal)),
      show: api.tasks.show.handler(({ input, signal }) => tasks.show(input, call(signal))),
      watchOne: api.tasks.watchOne.handler(({ input, signal }) => frames(tasks.watchOne(input, call(signal)), signal)),
      cancel: api.tasks.cancel.handler(({ input, signal }) => tasks.cancel(input, call(signal))),
      retry: api.tasks.retry.handler(({ input, signal }) => tasks.retry(input, call(signal))),
      explain: api.tasks.explain.handler(({ input, signal }) => tasks.explain(input, call(signal))),
      readLog: api.tasks.readLog.handler(({ input, signal }) => tasks.readLog(input, call(signal))),
    },
    locks: {
      list: api.locks.list.handler(({ signal }) => locks.list(call(signal))),
      watch: api.locks.watch.handler(({ signal }) => frames(locks.watch(call(signal)), signal)),
      hold: api.locks.hold.handler(({ input, signal }) => frames(locks.hold(input, call(signal)), signal)),
      acquire: api.locks.acquire.handler(({ input, signal }) => locks.acquire(input, call(signal))),
      release: api.locks.release.handler(({ input, signal }) => locks.release(input, call(signal))),
      downgrade: api.locks.downgrade.handler(({ input, signal }) => locks.downgrade(input, call(signal))),
      show: api.locks.show.handler(({ input, signal }) => locks.show(input, call(signal))),
      guard: api.locks.guard.handler(({ input, signal }) => locks.guard(input, call(signal))),
      forceRelease: api.locks.forceRelease.handler(({ input, signal }) => locks.forceRelease(input, call(signal))),
    },
    consensus: {
      status: api.consensus.status.handler(({ signal }) => consensus.status(call(signal))),
      watch: api.consensus.watch.handler(({ signal }) => frames(consensus.watch(call(signal)), signal)),
      log: api.consensus.log.handler(({ input, signal }) => consensus.log(input, call(signal))),
      watchLog: api.consensus.watchLog.handler(({ input, signal }) =>
        frames(consensus.watchLog(input, call(signal)), signal),
      ),
    },
    files: {
      places: api.files.places.handler(({ signal }) => files.places(call(signal))),
      look: api.files.look.handler(({ input, signal }) => files.look(input, call(signal))),
    },
    kv: {
      get: api.kv.get.handler(({ input, signal }) => kv.get(input, call(signal))),
      range: api.kv.range.handler(({ input, signal }) => kv.range(input, call(signal))),
      put: api.kv.put.handler(({ input, signal }) => kv.put(input, call(signal))),
      compareAndSet: api.kv.compareAndSet.handler(({ input, signal }) => kv.compareAndSet(input, call(signal))),
      delete: api.kv.delete.handler(({ input, signal }) => kv.delete(input, call(signal))),
      transact: api.kv.transact.handler(({ input, signal }) => kv.transact(input, call(signal))),
      watch: api.kv.watch.handler(({ input, signal }) => frames(kv.watch(input, call(signal)), signal)),
      usage: api.kv.usage.handler(({ signal }) => kv.usage(call(signal))),
    },
  });
}

export type SkeinRouter = ReturnType<typeof createRouter>;

function isFrames(output: unknown): output is AsyncIterable<unknown> {
  return typeof output === 'object' && output !== null && Symbol.asyncIterator in output;
}

async function* released<Frame>(
  source: AsyncGenerator<Frame, void, void>,
  leave: () => void,
): AsyncGenerator<Frame, void, void> {
  try {
    yield* source;
  } finally {
    leave();
  }
}
