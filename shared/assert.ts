/** Our own mistake, as opposed to the world being itself: stops the peer, fails the seed. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States what must hold whatever the network, the disk or another machine does. */
export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new AssertionError(claim);
}

/** Makes a forgotten case of a union a compile error. */
export function assertNever(value: never): never {
  throw new AssertionError(`unhandled case: ${JSON.stringify(value)}`);
}
