/**
 * The lean form of the contract on a line: text messages, each a JSON array of frames, so that everything one turn of a
 * program asks or answers shares one message. The procedures, their inputs, outputs and failures are the contract's own.
 */

/** Asks: the call's number on this line, the procedure (`locks.list`) and its input. A number alone withdraws that call. */
export type CallFrame = readonly [id: number, procedure: string, input?: unknown] | readonly [id: number];

/** Answers to a call. `frame` may come many times; each of the others is the last word on its call. */
export const answerKinds = { result: 0, failure: 1, frame: 2, end: 3 } as const;

export type AnswerFrame = readonly [id: number, kind: (typeof answerKinds)[keyof typeof answerKinds], value?: unknown];

/** Where a node serves lean lines, on its control socket. */
export const callLinePath = '/api/calls';
