import type { RunningPeer } from './running-peer.ts';

export interface Provenance {
  readonly consistency: 'quorum' | 'local' | 'gossip' | 'stale';
  readonly ageMs: number;
  readonly slot: number;
}

/** The frame of a live view, as the contract has it. */
export interface Frame<View> {
  readonly sequence: number;
  readonly provenance: Provenance;
  readonly view: View;
}

/** How far what the replicated state says can be relied on now. */
export function provenanceOf(peer: RunningPeer | null): Provenance {
  if (peer === null) return { consistency: 'local', ageMs: 0, slot: 0 };
  const { applied, coordinator } = peer.replica.status();
  const ageMs = peer.hints.coordinatorSilentMs();
  return {
    consistency: coordinator === null ? 'stale' : 'quorum',
    ageMs: coordinator === null ? ageMs : 0,
    slot: applied,
  };
}
