import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { bytesPerProposalMax, entriesPerMessageMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import type { Request } from '../state-machine/command.ts';
import type { ClientTable } from '../state-machine/dedupe.ts';
import { mayPropose } from './authorise.ts';
import type { NodeEvent, NodeMessage, ProposalMessage } from './messages.ts';
import { weighCommand } from './options.ts';
import { OutstandingRequests, tooManyOutstanding } from './outstanding.ts';
import type { Proposals } from './proposals.ts';

export interface RequestingOptions {
  readonly self: NodeId;
  readonly retryMs: number;
  readonly proposals: Proposals;
  /** What clients were answered, as of the entries applied here. */
  readonly applied: () => ClientTable;
  readonly coordinator: () => NodeId | null;
  /** This node has a phase-1 quorum. */
  readonly leading: () => boolean;
  readonly send: (to: NodeId, message: NodeMessage) => void;
  readonly emit: (event: NodeEvent) => void;
  /** Why a request belongs to a feature level that the swarm has not reached; null when it has. */
  readonly tooEarly: (request: Request) => Failure | null;
}

/** How requests reach the log: those of this node on their way to the coordinator, and those it takes on as one. */
export class Requesting {
  readonly #options: RequestingOptions;
  readonly #outstanding: OutstandingRequests;

  constructor(options: RequestingOptions) {
    this.#options = options;
    this.#outstanding = new OutstandingRequests(options.retryMs);
  }

  /** Own requests not yet seen applied. */
  get outstandingCount(): number {
    return this.#outstanding.size;
  }

  onRequested(now: Instant, requests: readonly Request[]): void {
    const taken = requests.filter((request) => {
      // Here, before it leaves: only then is it certain that it never takes effect.
      const failure = this.#options.tooEarly(request) ?? (this.#outstanding.add(request) ? null : tooManyOutstanding);
      if (failure !== null) this.#options.emit({ type: 'request-refused', sequence: request.sequence, failure });
      return failure === null;
    });
    const coordinator = this.#options.coordinator();
    if (coordinator === null) return;
    for (const request of taken) this.#outstanding.markSent(now, coordinator, request);
    this.#hand(coordinator, taken);
  }

  onMessage(now: Instant, from: NodeId, message: ProposalMessage): void {
    if (message.type === 'propose') {
      this.#admit(
        from,
        message.requests.filter((request) => mayPropose(from, request)),
      );
      return;
    }
    for (const sequence of message.sequences) {
      const request = this.#outstanding.find(sequence);
      if (request !== undefined) this.#outstanding.postpone(now, request.client, sequence);
    }
  }

  /** Hands outstanding requests to the coordinator, which may be this node. */
  sendDue(now: Instant): void {
    const coordinator = this.#options.coordinator();
    if (coordinator === null || this.#outstanding.size === 0) return;
    this.#hand(coordinator, this.#outstanding.due(now, coordinator));
  }

  #hand(coordinator: NodeId, requests: readonly Request[]): void {
    const { self, send } = this.#options;
    if (requests.length === 0) return;
    if (coordinator === self) return this.#admit(self, requests);
    for (const part of inParts(requests)) send(coordinator, { type: 'propose', requests: part });
  }

  /** Whoever was asked may not coordinate any more: everything is due again. */
  sendAgain(): void {
    this.#outstanding.sendAgain();
  }

  /** Seen applied. */
  settle(request: Request): void {
    this.#options.proposals.settle(request);
    if (request.client.startsWith(`${this.#options.self}#`)) this.#outstanding.settle(request.client, request.sequence);
  }

  /** The state was replaced: the entries of some own requests are not seen, but their results are kept in it. */
  onStateReplaced(): void {
    const { applied, emit } = this.#options;
    const answered = this.#outstanding.takeAnswered(({ client, sequence }) => applied().resultOf(client, sequence));
    for (const { request, result } of answered) emit({ type: 'request-answered', request, result });
  }

  #admit(from: NodeId, asked: readonly Request[]): void {
    const { proposals, applied, leading, tooEarly } = this.#options;
    const requests = asked.filter((request) => {
      // Who asks again for what took effect lags: it finds the answer in the log or in a snapshot, not in one more entry.
      if (applied().resultOf(request.client, request.sequence) !== null) return false;
      const early = tooEarly(request);
      if (early !== null) this.#refuse(from, [request], early);
      return early === null;
    });
    if (requests.length === 0) return;
    const failure = proposals.admit(requests, leading());
    if (failure !== null) this.#refuse(from, requests, failure);
  }

  /** A refusal that may pass: whoever asked asks again. */
  #refuse(to: NodeId, requests: readonly Request[], failure: Failure): void {
    const { self, coordinator, send } = this.#options;
    if (to === self) return;
    const sequences = requests.map(({ sequence }) => sequence);
    send(to, { type: 'propose-refused', sequences, failure, coordinator: coordinator() });
  }
}

/** The requests in order, in messages that are neither too long for a frame nor too many for one. */
function inParts(requests: readonly Request[]): Request[][] {
  const parts: Request[][] = [];
  let part: Request[] = [];
  let bytes = 0;
  for (const request of requests) {
    const more = weighCommand(request.command);
    if (part.length === entriesPerMessageMax || (part.length > 0 && bytes + more > bytesPerProposalMax)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(request);
    bytes += more;
  }
  return part.length === 0 ? parts : [...parts, part];
}
