import { createRouterClient } from '@orpc/server';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../shared/contract/client.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import { createRouter, newCaller, openCallsMax } from '../../../src-main/api/router.ts';
import { fakeServices, framed, overview, stayOpen, type Fakes } from './fake-services.ts';

function start(fakes: Fakes = {}) {
  const defects: unknown[] = [];
  const router = createRouter(fakeServices(fakes), {
    error: (message, fields) => defects.push({ message, ...fields }),
  });
  const caller = newCaller();
  return { client: createRouterClient(router, { context: { caller } }), caller, defects };
}

const thrownBy = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable('the call must fail'),
    (error: unknown) => error,
  );

describe('the router', () => {
  it('answers a request with what the service answers', async () => {
    const { client } = start();
    expect((await client.swarm.overview()).view.swarm?.name).toBe('workshop');
  });

  it('fills in the defaults of the contract before a service sees the input', async () => {
    let seen: unknown;
    const { client } = start({
      tasks: { submit: async (input) => ((seen = input), { job: 1, taskCount: 1, inputBytes: 0 }) },
    });
    await client.tasks.submit({ argv: ['true'], cwd: '/' });
    expect(seen).toMatchObject({ each: { type: 'once' }, retries: 0, policy: 'least-loaded', slots: 1 });
  });

  it('passes a failure whole', async () => {
    const failure = { code: 'no-quorum', message: 'only 1 of 3 voters answers', hint: 'wait' } as const;
    const { client, defects } = start({ swarm: { overview: () => Promise.reject(new FailureError(failure)) } });
    expect(failureOf(await thrownBy(client.swarm.overview()))).toEqual(failure);
    expect(defects).toEqual([]);
  });

  it('names the field of an input that the schema refuses', async () => {
    const { client, defects } = start();
    const failure = failureOf(await thrownBy(client.swarm.create({ name: '' })));
    expect(failure.code).toBe('bad-input');
    expect(failure.message).toContain('name');
    expect(defects).toEqual([]);
  });

  it('answers a defect without its details and logs them', async () => {
    const { client, defects } = start({ peers: { list: () => Promise.reject(new Error('secret detail')) } });
    const failure = failureOf(await thrownBy(client.peers.list()));
    expect(failure.code).toBe('internal');
    expect(JSON.stringify(failure)).not.toContain('secret detail');
    expect(JSON.stringify(defects)).toContain('secret detail');
  });

  it('treats an answer that breaks the contract as a defect', async () => {
    const { client, defects } = start({
      swarm: { leave: async () => ({ left: 'yes' }) as unknown as { left: boolean } },
    });
    expect(failureOf(await thrownBy(client.swarm.leave())).code).toBe('internal');
    expect(defects).toHaveLength(1);
  });

  it('passes a failure in the middle of a subscription whole', async () => {
    const { client } = start({
      swarm: {
        watch: async function* () {
          yield framed(overview);
          throw new FailureError({ code: 'not-running', message: 'stopping' });
        },
      },
    });
    const frames = await client.swarm.watch();
    expect(await frames.next()).toMatchObject({ value: { sequence: 1 } });
    expect(failureOf(await thrownBy(frames.next()))).toMatchObject({ code: 'not-running', message: 'stopping' });
  });

  it('ends a subscription at its source when the caller aborts, even while it waits for a frame', async () => {
    const left = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const { client, caller } = start({
      swarm: { watch: (call) => stayOpen([framed(overview)], call, () => left.resolve()) },
    });
    const frames = await client.swarm.watch(undefined, { signal: leaving.signal });
    await frames.next();
    const waiting = frames.next();
    expect(caller.openCalls).toBe(1);
    leaving.abort();
    await Promise.allSettled([waiting]);
    await left.promise;
    await expect.poll(() => caller.openCalls).toBe(0);
  });

  it('bounds what one caller has open', async () => {
    const { client, caller } = start();
    caller.openCalls = openCallsMax;
    expect(failureOf(await thrownBy(client.swarm.overview())).code).toBe('limit-reached');
    expect(caller.openCalls).toBe(openCallsMax);
  });
});
