import type { NodeId } from '../../shared/domain/ids.ts';
import type { Departure } from '../core/membership/voter-choice.ts';
import { voterIn } from '../core/paxos/voters.ts';
import type { Clock } from '../ports/clock.ts';
import type { RunningPeer } from './running-peer.ts';

/** Between looks at whether the seat has another holder. */
const lookMs = 50;

/** What a hand-over looks at and says. */
type DepartingPeer = Pick<RunningPeer, 'self' | 'replica' | 'network' | 'announceDeparture'>;

/**
 * Says goodbye while it can still be heard and waits, at most `withinMs`, until the others go on without this seat:
 * the next configuration has a coordinator, so nobody will ask this machine for the stop-sign any more.
 * Answers whether they do. A machine that nobody hears, or whose single vote stays where it is, does not wait.
 */
export async function handOverSeat(
  peer: DepartingPeer,
  { departure, withinMs, clock }: { readonly departure: Departure; readonly withinMs: number; readonly clock: Clock },
): Promise<boolean> {
  if (!wouldMove(peer, departure)) return true;
  peer.announceDeparture(departure);
  const deadline = clock.now() + withinMs;
  while (!goesOnWithout(peer, peer.self)) {
    if (clock.now() >= deadline || !isHeard(peer)) return false;
    await new Promise<void>((resolve) => clock.setTimer(lookMs, resolve));
  }
  return true;
}

function wouldMove(peer: DepartingPeer, departure: Departure): boolean {
  const { config } = peer.replica.status();
  if (config === null || voterIn(config, peer.self) === undefined || !isHeard(peer)) return false;
  return departure === 'leave' || config.voters.length > 1;
}

const isHeard = (peer: DepartingPeer): boolean => peer.network.peers().some((link) => link.connected);

function goesOnWithout({ replica }: DepartingPeer, node: NodeId): boolean {
  const { config, coordinator, ballot } = replica.status();
  if (config === null || voterIn(config, node) !== undefined) return false;
  return coordinator !== null && ballot?.config === config.id;
}
