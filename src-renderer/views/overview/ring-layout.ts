import type { Peer } from '../../../shared/contract/peers.ts';

export interface Placed {
  readonly peer: Peer;
  readonly x: number;
  readonly y: number;
}

export const picture = { width: 640, height: 380, centreX: 320, centreY: 182 } as const;

/**
 * Places machines on a ring that is the same every time: this machine at six o'clock, the others after it by
 * identifier; voters on the inner ring. A picture that moved by itself would be no picture of a swarm to learn.
 */
export function placeOnRing(peers: readonly Peer[]): readonly Placed[] {
  const others = peers.filter((peer) => !peer.self).sort((left, right) => (left.id < right.id ? -1 : 1));
  const ordered = [...peers.filter((peer) => peer.self), ...others];
  const mixed = ordered.some((peer) => peer.voter) && ordered.some((peer) => !peer.voter);
  return ordered.map((peer, index) => {
    const angle = Math.PI / 2 + (index / ordered.length) * 2 * Math.PI;
    const reach = mixed && !peer.voter ? 1 : mixed ? 0.72 : 0.9;
    return {
      peer,
      x: ordered.length === 1 ? picture.centreX : picture.centreX + Math.cos(angle) * 235 * reach,
      y: ordered.length === 1 ? picture.centreY : picture.centreY + Math.sin(angle) * 132 * reach,
    };
  });
}

/** A piece of a circle from twelve o'clock on, as a path; the share is held between nothing and all. */
export function arc(radius: number, share: number): string {
  const held = Math.min(0.9999, Math.max(0, share));
  const angle = held * 2 * Math.PI - Math.PI / 2;
  const x = (Math.cos(angle) * radius).toFixed(2);
  const y = (Math.sin(angle) * radius).toFixed(2);
  return `M0 ${-radius}A${radius} ${radius} 0 ${held > 0.5 ? 1 : 0} 1 ${x} ${y}`;
}
