import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Ballot } from './ballot.ts';
import type { EffectList, PaxosEffect } from './effects.ts';
import type { Snapshot } from './facts.ts';
import type { Chosen } from './slot-log.ts';
import type { VoterConfig } from './voters.ts';

/** What a step of the replica brought about, besides its effects. */
export interface ReplicaOutcome<Payload> {
  readonly effects: readonly PaxosEffect<Payload>[];
  /** Newly chosen entries, in order. Their effects come after those above. */
  readonly chosen: readonly Chosen<Payload>[];
  /** A snapshot that replaces the state; `chosen` then follows it. */
  readonly installed: Snapshot | null;
  /** This machine has opened a new epoch, and `chosen` follows in it: a snapshot must cover them before anything leaves. */
  readonly opened: VoterConfig | null;
  /** A live coordinator was heard: its heartbeat or accept was obeyed. */
  readonly heard: { readonly coordinator: NodeId; readonly ballot: Ballot } | null;
  /** This node's own attempt ended: with a phase-1 quorum, or because somebody else was preferred. */
  readonly attempt: 'won' | 'lost' | null;
}

/** Collects the outcome of a step while the roles bring it about. */
export class OutcomeOfStep<Payload> {
  readonly #out: EffectList<Payload>;
  #chosen: Chosen<Payload>[] = [];
  #installed: Snapshot | null = null;
  opened: VoterConfig | null = null;
  heard: ReplicaOutcome<Payload>['heard'] = null;
  attempt: ReplicaOutcome<Payload>['attempt'] = null;

  constructor(out: EffectList<Payload>) {
    this.#out = out;
  }

  addChosen(one: Chosen<Payload>): void {
    this.#chosen.push(one);
  }

  /** The snapshot covers whatever was chosen before it. */
  install(snapshot: Snapshot): void {
    this.#installed = snapshot;
    this.#chosen = [];
  }

  /** Everything since the last call. */
  take(): ReplicaOutcome<Payload> {
    const outcome: ReplicaOutcome<Payload> = {
      effects: this.#out.take(),
      chosen: this.#chosen,
      installed: this.#installed,
      opened: this.opened,
      heard: this.heard,
      attempt: this.attempt,
    };
    this.#chosen = [];
    this.#installed = null;
    this.opened = null;
    this.heard = null;
    this.attempt = null;
    return outcome;
  }
}
