import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { bytesInFlightMax, pendingRequestsMax } from '../machine/limits.ts';
import type { Voter } from '../paxos/voters.ts';
import { isEssential } from './essential.ts';
import { weighCommand } from './options.ts';
import type { Command, Request } from '../state-machine/command.ts';

const noRoom: Failure = { code: 'disk-full', message: 'the disk of the coordinator is full' };

/** What a coordinator has taken on and not yet proposed: requests while the window is full, and a change of voters. */
export class Proposals {
  readonly #self: NodeId;
  #pending: Request[] = [];
  /** Taken on in this office and not yet applied: nothing taken on is lost while the office lasts. */
  readonly #underWay = new Set<string>();
  /** Proposed in this office and not yet applied, with their estimated bytes. */
  readonly #inFlight = new Map<string, number>();
  #bytesInFlight = 0;
  /** The voters to change to once nothing is in flight; requests wait behind it. */
  wantedVoters: readonly Voter[] | null = null;
  /** The disk is full: whatever begins something new is refused. */
  essentialOnly = false;

  constructor(self: NodeId) {
    this.#self = self;
  }

  /**
   * Takes requests on, or answers why not. Between the phase-1 quorum and the barrier they wait here: refusing
   * them would only cost a retry. One that is under way already is left out: whoever asks again after a slow round
   * would otherwise make every later round slower.
   */
  admit(requests: readonly Request[], leading: boolean): Failure | null {
    if (!leading) return { code: 'no-coordinator', message: 'this machine does not coordinate' };
    const fresh = requests.filter((request) => !this.#underWay.has(nameOf(request)));
    if (this.#pending.length + fresh.length > pendingRequestsMax) {
      return { code: 'limit-reached', message: 'the coordinator has too many requests waiting' };
    }
    const taken = this.essentialOnly ? fresh.filter(({ command }) => isEssential(command)) : fresh;
    for (const request of taken) {
      this.#pending.push(request);
      this.#underWay.add(nameOf(request));
    }
    return taken.length === fresh.length ? null : noRoom;
  }

  /** Seen applied. */
  settle(request: Request): void {
    const name = nameOf(request);
    this.#underWay.delete(name);
    this.#bytesInFlight -= this.#inFlight.get(name) ?? 0;
    this.#inFlight.delete(name);
  }

  /** In the coordinator's own name; conditional commands, so a repetition is harmless and needs no name. */
  addOwn(command: Command): void {
    this.#pending.push({ client: `${this.#self}#coordinator`, sequence: 0, answeredBelow: 0, command });
  }

  /** Up to `room` requests to propose now, in the order taken on, and no more bytes than may be in flight. */
  take(room: number): readonly Request[] {
    if (this.wantedVoters !== null || room <= 0) return [];
    let count = 0;
    for (const request of this.#pending) {
      const bytes = weighCommand(request.command);
      const full = this.#bytesInFlight > 0 && this.#bytesInFlight + bytes > bytesInFlightMax;
      if (count === room || full) break;
      // What is proposed in the coordinator's own name is small, and has no name to be counted under.
      if (request.sequence > 0) {
        this.#inFlight.set(nameOf(request), bytes);
        this.#bytesInFlight += bytes;
      }
      count += 1;
    }
    const taken = this.#pending.slice(0, count);
    this.#pending = count === this.#pending.length ? [] : this.#pending.slice(count);
    return taken;
  }

  /** Coordination is over: whoever asked asks again elsewhere. */
  clear(): void {
    this.#pending = [];
    this.#underWay.clear();
    this.#inFlight.clear();
    this.#bytesInFlight = 0;
    this.wantedVoters = null;
  }
}

const nameOf = (request: Request): string => `${request.client}/${request.sequence}`;
