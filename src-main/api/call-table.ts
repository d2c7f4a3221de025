import type { AnyContractProcedure } from '@orpc/contract';
import { isContractProcedure } from '@orpc/contract';
import { contract } from '../../shared/contract/contract.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { fail, ok, type Result } from '../../shared/domain/failure.ts';
import type { Call, SkeinServices } from './services.ts';

/** A procedure of the contract, ready to be called with an unchecked input. */
export interface Callable {
  /** A subscription answers with something that can be iterated, anything else with a promise. */
  call(input: unknown, call: Call): AsyncIterable<unknown> | Promise<unknown>;
  /** The input as its schema has it, defaults filled in; or `bad-input` naming what is wrong. */
  check(input: unknown): Result<unknown>;
}

/** What a schema says is wrong with an input. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type Method = (...args: unknown[]) => AsyncIterable<unknown> | Promise<unknown>;

/** Every procedure of the contract by its dotted name. */
export function createCallTable(services: SkeinServices): ReadonlyMap<string, Callable> {
  const table = new Map<string, Callable>();
  for (const [area, procedures] of Object.entries(contract)) {
    const methods = (services as Readonly<Record<string, Readonly<Record<string, Method>>>>)[area];
    for (const [name, procedure] of Object.entries(procedures as Record<string, unknown>)) {
      const method = methods?.[name];
      if (method !== undefined && isContractProcedure(procedure))
        table.set(`${area}.${name}`, callableOf(procedure, method.bind(methods)));
    }
  }
  return table;
}

function callableOf(procedure: AnyContractProcedure, method: Method): Callable {
  const schema = procedure['~orpc'].inputSchema;
  if (schema === undefined)
    return {
      call: (_, call) => method(call),
      check: (input) => (input === null || input === undefined ? ok(null) : { ok: false, failure: noInput }),
    };
  return {
    call: (input, call) => method(input, call),
    check: (input) => {
      const checked = schema['~standard'].validate(input);
      if (checked instanceof Promise) return fail('internal', 'an input schema of the contract must check at once');
      if (checked.issues === undefined) return ok(checked.value);
      const lines = checked.issues.slice(0, 3).map((issue: Issue) => `${showPath(issue.path)}: ${issue.message}`);
      return fail('bad-input', lines.join('; '), 'Correct the input and ask again.');
    },
  };
}

const noInput: Failure = {
  code: 'bad-input',
  message: 'this procedure takes no input',
  hint: 'Leave the input out.',
};

function showPath(path: NonNullable<Issue['path']> = []): string {
  return path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.') || 'input';
}
