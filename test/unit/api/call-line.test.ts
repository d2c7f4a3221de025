import { describe, expect, it } from 'vitest';
import { CallLineServer, openCallsPerLineMax } from '../../../src-main/api/call-line.ts';
import type { Callable } from '../../../src-main/api/call-table.ts';
import { createCallTable } from '../../../src-main/api/call-table.ts';
import { CallLink, type CallLine } from '../../../scripts/swarm/call-link.ts';
import { createSkeinClient, failureOf, type SkeinClient } from '../../../shared/contract/client.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { FailureError, ok } from '../../../shared/domain/failure.ts';
import { fakeServices } from './fake-services.ts';

interface Line {
  readonly client: SkeinClient;
  readonly link: CallLink;
  readonly server: CallLineServer;
  readonly asked: string[];
  readonly answered: string[];
  readonly defects: string[];
  close(): void;
}

/** A line whose messages pass straight from one end to the other. */
function lineTo(table: ReadonlyMap<string, Callable>): Line {
  const asked: string[] = [];
  const answered: string[] = [];
  const defects: string[] = [];
  let toClient: (message: string) => void = () => undefined;
  let closed: () => void = () => undefined;
  const server = new CallLineServer({
    table,
    log: { error: (message) => void defects.push(message) },
    send: (message) => {
      answered.push(message);
      toClient(message);
      return Promise.resolve();
    },
  });
  const line: CallLine = {
    send: (message) => {
      asked.push(message);
      expect(server.receive(message)).toBe(true);
    },
    onMessage: (handler) => (toClient = handler),
    onClose: (handler) => (closed = handler),
  };
  const link = new CallLink(line);
  return { client: createSkeinClient(link), link, server, asked, answered, defects, close: () => closed() };
}

const plain = (call: Callable['call'], check: Callable['check'] = ok): Callable => ({ call, check });
const ask = (line: Line, name: string, input?: unknown, signal?: AbortSignal): Promise<unknown> =>
  line.link.call(name.split('.'), input, { signal });

describe('the table of calls', () => {
  it('has every procedure of the contract', () => {
    const names = Object.entries(contract).flatMap(([area, procedures]) =>
      Object.keys(procedures).map((name) => `${area}.${name}`),
    );
    expect([...createCallTable(fakeServices()).keys()].sort()).toEqual(names.sort());
  });

  it('refuses an input that its schema refuses, naming the field', async () => {
    const line = lineTo(createCallTable(fakeServices()));
    const failure = failureOf(await ask(line, 'locks.forceRelease', { name: '', token: 1 }).catch((error) => error));
    expect(failure.code).toBe('bad-input');
    expect(failure.message).toContain('name');
    expect(failure.message).toContain('reason');
  });
});

describe('a lean line', () => {
  it('asks and answers what belongs to one turn in one message each', async () => {
    const line = lineTo(new Map([['math.double', plain((input) => Promise.resolve(2 * (input as number)))]]));
    const answers = await Promise.all([1, 2, 3].map((number) => ask(line, 'math.double', number)));
    expect(answers).toEqual([2, 4, 6]);
    expect(line.asked).toHaveLength(1);
    expect(line.answered).toHaveLength(1);
  });

  it('passes a failure whole and a defect without its details', async () => {
    const failure = { code: 'not-found', message: 'there is no such thing', hint: 'Look again.' } as const;
    const line = lineTo(
      new Map([
        ['a.fails', plain(() => Promise.reject(new FailureError(failure)))],
        ['a.breaks', plain(() => Promise.reject(new Error('secret detail')))],
      ]),
    );
    expect(failureOf(await ask(line, 'a.fails').catch((error) => error))).toEqual(failure);
    const internal = failureOf(await ask(line, 'a.breaks').catch((error) => error));
    expect(internal.code).toBe('internal');
    expect(JSON.stringify(internal)).not.toContain('secret');
    expect(line.defects).toHaveLength(1);
  });

  it('streams frames, and ends a subscription only when what it held is given back', async () => {
    let givenBack = false;
    const line = lineTo(
      new Map([
        [
          'a.watch',
          plain(async function* (_input, { signal }) {
            yield 'first';
            yield 'second';
            await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
            await Promise.resolve();
            givenBack = true;
          }),
        ],
      ]),
    );
    const frames = (await ask(line, 'a.watch')) as AsyncGenerator<string>;
    expect((await frames.next()).value).toBe('first');
    expect((await frames.next()).value).toBe('second');
    await frames.return(undefined);
    expect(givenBack).toBe(true);
    expect(await frames.next()).toEqual({ done: true, value: undefined });
  });

  it('withdraws a call whose signal aborts', async () => {
    let aborted = false;
    const waits = plain(
      (_input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('given up'));
          });
        }),
    );
    const line = lineTo(new Map([['a.waits', waits]]));
    const leaving = new AbortController();
    const asked = ask(line, 'a.waits', null, leaving.signal);
    await Promise.resolve();
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await Promise.resolve();
    expect(aborted).toBe(true);
  });

  it('fails what is under way when it closes, and everything asked later', async () => {
    const line = lineTo(new Map([['a.waits', plain(() => new Promise(() => undefined))]]));
    const asked = ask(line, 'a.waits');
    line.close();
    await expect(asked).rejects.toThrow('closed');
    await expect(ask(line, 'a.waits')).rejects.toThrow('closed');
  });

  it('bounds what one line has open', async () => {
    const line = lineTo(new Map([['a.waits', plain(() => new Promise(() => undefined))]]));
    for (let call = 0; call < openCallsPerLineMax; call++) void ask(line, 'a.waits').catch(() => undefined);
    expect(failureOf(await ask(line, 'a.waits').catch((error) => error)).code).toBe('limit-reached');
    line.close();
  });

  it('answers an unknown procedure with a failure', async () => {
    const failure = failureOf(await ask(lineTo(new Map()), 'a.b').catch((error) => error));
    expect(failure).toMatchObject({ code: 'not-found', message: 'there is no procedure a.b' });
  });

  it('refuses messages that are no list of calls', () => {
    const { server } = lineTo(new Map([['a.b', plain(() => Promise.resolve(1))]]));
    for (const message of ['', '{}', '[1]', '[["x"]]', '[[1,2]]', '[[1.5,"a.b"]]', 'null'])
      expect(server.receive(message)).toBe(false);
  });
});
