import type { Random } from '../../src-main/core/machine/random.ts';
import type { Operation } from './history.ts';
import { modelOf } from './models.ts';

export interface HistoryShape {
  readonly clients: number;
  readonly operations: number;
  readonly keys: number;
  readonly kinds: 'key-value' | 'lock';
  /** Share of the operations that nobody is answered. */
  readonly unknownShare: number;
}

/** A client's operation under way: called, maybe already in effect, not yet answered. */
interface Underway {
  readonly call: Omit<Operation, 'result' | 'end'>;
  done: Pick<Operation, 'result' | 'index'> | null;
}

/**
 * A legal history: clients call, operations take effect one by one at some moment in between, clients are answered.
 * The order of effects is the `index`, as a replicated log would tell it.
 */
export function randomHistory(random: Random, shape: HistoryShape): Operation[] {
  const states = new Map<string, string>();
  const busy = new Map<number, Underway>();
  const history: Operation[] = [];
  let [now, index, called] = [0, 0, 0];
  while (called < shape.operations || busy.size > 0) {
    now += 1;
    const client = random.below(shape.clients);
    const own = busy.get(client);
    if (own === undefined) {
      if (called >= shape.operations) continue;
      called += 1;
      busy.set(client, { call: drawCall(random, shape, states, `c${client}`, now, called), done: null });
    } else if (own.done === null) {
      // Some of what is never answered never happens.
      const forgotten = random.next() < shape.unknownShare;
      if (!forgotten || random.next() < 0.5) own.done = effect(own.call, states, ++index);
      if (!forgotten) continue;
      history.push({ ...own.call, result: null, end: null });
      busy.delete(client);
    } else {
      history.push({ ...own.call, ...own.done, end: now });
      busy.delete(client);
    }
  }
  return history;
}

function drawCall(
  random: Random,
  { keys, kinds }: HistoryShape,
  states: ReadonlyMap<string, string>,
  client: string,
  start: number,
  unique: number,
): Omit<Operation, 'result' | 'end'> {
  const key = `k${random.below(keys)}`;
  if (kinds === 'lock') {
    const state = states.get(key) ?? 'free:0';
    const token = Number(state.slice(5));
    return state.startsWith('held:') && random.next() < 0.7
      ? { client, kind: 'release', key, arguments: { token }, start }
      : { client, kind: 'acquire', key, arguments: {}, start };
  }
  const value = String(unique);
  const drawn = random.below(5);
  if (drawn <= 1) return { client, kind: 'get', key, arguments: {}, start };
  if (drawn === 2) return { client, kind: 'put', key, arguments: { value }, start };
  if (drawn === 3) return { client, kind: 'delete', key, arguments: {}, start };
  const state = states.get(key) ?? '-';
  const expected = state === '-' ? null : state.slice(1);
  return { client, kind: 'cas', key, arguments: { expected, value }, start };
}

/** What really happens, computed without the models' `step` for answers: only the new state comes from there. */
function effect(
  call: Omit<Operation, 'result' | 'end'>,
  states: Map<string, string>,
  index: number,
): Pick<Operation, 'result' | 'index'> {
  const model = modelOf(call.kind);
  if (model === null) throw new Error(`nothing is known of ${call.kind}`);
  const state = states.get(call.key) ?? model.initial;
  const result = answer(call, state, index);
  const next = model.step(state, { ...call, result, end: call.start });
  if (next === null) throw new Error(`${call.kind} cannot answer ${JSON.stringify(result)} in state ${state}`);
  states.set(call.key, next);
  return { result, index };
}

function answer(
  { kind, arguments: given }: Omit<Operation, 'result' | 'end'>,
  state: string,
  index: number,
): NonNullable<Operation['result']> {
  const value = state === '-' ? null : state.slice(1);
  switch (kind) {
    case 'get':
      return { value };
    case 'cas':
      return { swapped: value === given['expected'] };
    case 'acquire':
      return state.startsWith('held:') ? { held: true } : { token: index };
    case 'release':
      return { released: state === `held:${String(given['token'])}` };
    default:
      return {};
  }
}
