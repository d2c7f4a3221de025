import type { Slot } from '../../../shared/domain/ids.ts';
import { digestOf, digestVersion } from '../machine/digest.ts';

/**
 * One digest for all entries up to a slot: each link is made of the one before it, the slot and the entry, so that two
 * machines with the same link have the same log. Chains can be compared when program and beginning are the same.
 */
export interface LogChain {
  /** `digestVersion` of the program that made it. */
  readonly version: number;
  /** The slot after which it begins: 0, or that of a snapshot which came without a chain. */
  readonly origin: Slot;
  readonly link: string;
}

export const newChain = (origin: Slot): LogChain => ({ version: digestVersion, origin, link: digestOf(null) });

/** Goes on with the chain of a snapshot; anew behind it where that has none, or one of another program. */
export const chainAfter = (snapshot: { readonly slot: Slot; readonly chain: LogChain | null }): LogChain =>
  snapshot.chain?.version === digestVersion ? snapshot.chain : newChain(snapshot.slot);

export const nextLink = (chain: LogChain, at: Slot, entry: unknown): LogChain => ({
  version: chain.version,
  origin: chain.origin,
  link: digestOf([chain.link, at, entry]),
});
