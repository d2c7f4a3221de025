import type { Operation, Scalar } from './history.ts';

/**
 * What one object would do if operations came one at a time. States are text, so that checkers can compare and
 * remember them; `anyState` stands for "could be anything", where a window of a longer history begins.
 */
export interface SequentialModel {
  readonly name: string;
  readonly kinds: ReadonlySet<string>;
  readonly initial: string;
  /** The state after the operation, or null if its result could not come from `state`. A result of null fits always. */
  step(state: string, operation: Operation): string | null;
  /** Whether the operation, answered as it was, leaves every state as it is. */
  isRead(operation: Operation): boolean;
  /** Operations with a rank take effect in the order of their ranks, or not at all; null for those without. */
  rank(operation: Operation): number | null;
}

export const anyState = '?';
const absent = '-';

const present = (value: Scalar | undefined): string =>
  value === null || value === undefined ? absent : `=${String(value)}`;

/** A register or one key of a store: get, put, append, delete and compare-and-set (`cas`). */
export const keyValueModel: SequentialModel = {
  name: 'key-value',
  kinds: new Set(['get', 'put', 'append', 'delete', 'cas']),
  initial: absent,
  isRead: ({ kind, result }) => kind === 'get' || result?.['swapped'] === false,
  rank: () => null,
  step(state, { kind, arguments: given, result }) {
    switch (kind) {
      case 'get': {
        if (result === null) return state;
        const seen = present(result['value']);
        return state === anyState || state === seen ? seen : null;
      }
      case 'put':
        return present(given['value']);
      case 'delete':
        return absent;
      case 'append': {
        if (state === anyState) return anyState;
        return `=${state === absent ? '' : state.slice(1)}${String(given['value'])}`;
      }
      default:
        return compareAndSet(state, present(given['expected']), present(given['value']), result?.['swapped'] ?? null);
    }
  },
};

function compareAndSet(state: string, expected: string, value: string, swapped: Scalar): string | null {
  if (swapped === null) return state === expected ? value : state;
  if (state === anyState) return swapped === true ? value : anyState;
  if ((state === expected) !== swapped) return null;
  return swapped ? value : state;
}

/**
 * An exclusive lock with fencing tokens: granted only while free, with a token above every earlier one; freed by the
 * release of the present token. That a session ended somewhere is a `release` whose outcome is unknown.
 */
export const lockModel: SequentialModel = {
  name: 'lock',
  kinds: new Set(['acquire', 'release']),
  initial: 'free:0',
  isRead: ({ result }) => result?.['held'] === true || result?.['released'] === false,
  rank: ({ result }) => (typeof result?.['token'] === 'number' ? result['token'] : null),
  step(state, { kind, arguments: given, result }) {
    const held = state.startsWith('held:');
    const latest = state === anyState ? 0 : Number(state.slice(5));
    if (kind === 'acquire') {
      if (result === null) return state;
      if (result['held'] === true) return held || state === anyState ? state : null;
      const token = Number(result['token']);
      return held || token <= latest ? null : `held:${token}`;
    }
    const token = Number(given['token']);
    const holds = held && latest === token;
    if (result === null) return holds ? `free:${token}` : state;
    if (state === anyState) return result['released'] === true ? `free:${token}` : anyState;
    if (holds !== (result['released'] === true)) return null;
    return holds ? `free:${token}` : state;
  },
};

const models: readonly SequentialModel[] = [keyValueModel, lockModel];

/** The model that knows this kind of operation; null when none does. */
export const modelOf = (kind: string): SequentialModel | null => models.find(({ kinds }) => kinds.has(kind)) ?? null;
