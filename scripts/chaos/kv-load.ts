import { setTimeout as sleep } from 'node:timers/promises';
import { failureOf } from '../../shared/contract/client.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { Fields, Operation } from '../../test/checkers/history.ts';
import type { Machine } from './machines.ts';
import type { Story } from './story.ts';

const keysAtOnce = 3;
/** Keys are used for this long and then left, so that each has a short history, which can be searched. */
const windowMs = 10_000;
/** Longer than a node waits for an answer itself. */
const callMs = 40_000;
/** What a node says when a request never left it, or changed nothing. Anything else may still take effect. */
const withoutEffect: ReadonlySet<string> = new Set([
  'precondition-failed',
  'limit-reached',
  'bad-input',
  'not-authorised',
]);

interface Load {
  readonly machine: Machine;
  readonly story: Story;
  readonly random: Random;
  readonly client: string;
  readonly running: () => boolean;
}

type Call = Pick<Operation, 'client' | 'kind' | 'key' | 'arguments' | 'start'>;

/** Reads, writes, compares and deletes a few keys, for as long as the storm lasts. */
export async function useKeys(load: Load): Promise<void> {
  const { machine, story, random, running } = load;
  /** What this client last saw of a key: what it expects when it compares. */
  const seen = new Map<string, string | null>();
  for (let count = 0; running(); count++) {
    if (machine.awake) {
      const key = `chaos/${Math.floor(story.now / windowMs)}/${random.below(keysAtOnce)}`;
      await callOnce(load, key, `${load.client}.${count}`, seen);
    }
    await sleep(30 + random.below(120));
  }
}

async function callOnce(load: Load, key: string, value: string, seen: Map<string, string | null>): Promise<void> {
  const { story, random, client } = load;
  const expected = seen.get(key) ?? null;
  const begin = (kind: string, given: Fields): Call => ({ client, kind, key, arguments: given, start: story.now });
  const drawn = random.below(10);
  const call =
    drawn < 4
      ? begin('get', {})
      : drawn < 6
        ? begin('put', { value })
        : drawn < 9
          ? begin('cas', { expected, value })
          : begin('delete', {});
  try {
    const { result, index } = await perform(load, call);
    story.operations.push({ ...call, result, end: story.now, ...(index === null ? {} : { index }) });
    if (call.kind === 'get')
      seen.set(key, result['value'] === undefined ? null : String(result['value'] ?? '') || null);
    else if (call.kind === 'put') seen.set(key, value);
  } catch (error) {
    const failure = failureOf(error);
    if (call.kind === 'cas' && failure.code === 'precondition-failed')
      story.operations.push({ ...call, result: { swapped: false }, end: story.now });
    else if (call.kind !== 'get' && !withoutEffect.has(failure.code))
      story.operations.push({ ...call, result: null, end: null });
    if (failure.code !== 'precondition-failed')
      story.tell(`${client} was not answered ${call.kind} ${key}: ${failure.code} ${failure.message.slice(0, 120)}`);
  }
}

/** The call itself: what it answered, and where in the log the answer says it stands. */
async function perform({ machine }: Load, call: Call): Promise<{ result: Fields; index: number | null }> {
  const { kv } = machine.node.api;
  const { key, arguments: given } = call;
  const value = String(given['value'] ?? '');
  const options = { signal: AbortSignal.timeout(callMs) };
  switch (call.kind) {
    case 'get': {
      const { entry, provenance } = await kv.get({ key }, options);
      // It was read at that slot or, when entries took effect in the same moment, where the value itself stands.
      return { result: { value: entry?.value ?? null }, index: Math.max(provenance.slot, entry?.revision ?? 0) };
    }
    case 'put':
      return { result: {}, index: (await kv.put({ key, value }, options)).revision };
    case 'delete':
      return { result: {}, index: (await kv.delete({ key }, options)).revision };
    default: {
      const expected = given['expected'] === null ? null : String(given['expected']);
      const { revision } = await kv.compareAndSet({ key, value, expected }, options);
      return { result: { swapped: true }, index: revision };
    }
  }
}
