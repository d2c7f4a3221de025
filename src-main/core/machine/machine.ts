import type { Instant } from './time.ts';

/**
 * A protocol as a function of its inputs: it is told the time and what happened, and answers
 * with what it wants done. It never waits, reads a clock, rolls a die or opens a socket.
 */
export interface Machine<Input, Out> {
  step(now: Instant, input: Input): readonly Out[];
}
