declare const brand: unique symbol;

/** Milliseconds on this machine's monotonic clock, from an arbitrary origin. */
export type Instant = number & { readonly [brand]: 'Instant' };

export const instant = (ms: number): Instant => ms as Instant;
