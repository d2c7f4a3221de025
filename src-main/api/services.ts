import type { ContractProcedure, InferSchemaInput, InferSchemaOutput } from '@orpc/contract';
import type { SkeinContract } from '../../shared/contract/contract.ts';

/** What a service knows about the call it answers. */
export interface Call {
  /**
   * Aborts when the caller is gone or no longer wants the answer. A subscription must end then;
   * a request may give up waiting, though what it proposed may still be chosen.
   */
  readonly signal: AbortSignal;
}

type Answer<Output> = Output extends AsyncIterator<infer Frame, unknown, void> ? AsyncIterable<Frame> : Promise<Output>;

type ServiceMethod<Input, Output> = unknown extends Input
  ? (call: Call) => Answer<Output>
  : (input: Input, call: Call) => Answer<Output>;

type ServicesOf<Contract> = {
  readonly [Name in keyof Contract]: Contract[Name] extends ContractProcedure<
    infer InputSchema,
    infer OutputSchema,
    infer _Errors,
    infer _Meta
  >
    ? ServiceMethod<InferSchemaOutput<InputSchema>, InferSchemaInput<OutputSchema>>
    : ServicesOf<Contract[Name]>;
};

/**
 * One method per procedure of the contract, in the same areas (`swarm`, `peers`, `policy`, `tasks`, `locks`)
 * and under the same names:
 *
 * - a request is `(input, call) => Promise<output>`, with the input checked and its defaults filled in;
 * - a subscription is `(input, call) => AsyncIterable<frame>`: it may buffer one frame per reader (the newest),
 *   ends when `call.signal` aborts, and frees what it holds when the reader stops (`finally` of a generator);
 * - a procedure without input is `(call) => …`.
 *
 * Expected failures are thrown as `FailureError` and reach the caller whole. Anything else is a defect: it is
 * logged here and the caller sees `internal`, without details.
 */
export type SkeinServices = ServicesOf<SkeinContract>;
