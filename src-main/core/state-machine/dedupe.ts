import { clientsMax, outstandingRequestsMax } from '../machine/limits.ts';
import { fail } from '../../../shared/domain/failure.ts';
import type { Slot } from '../../../shared/domain/ids.ts';
import type { CommandResult, Request } from './command.ts';

interface Client {
  /** The slot of its latest request: the client with the smallest one goes when room is needed. */
  lastSlot: Slot;
  answeredBelow: number;
  /** Results of sequences from `answeredBelow` on. */
  readonly results: Map<number, CommandResult>;
}

export interface ClientSnapshot {
  readonly client: string;
  readonly lastSlot: Slot;
  readonly answeredBelow: number;
  readonly results: readonly (readonly [sequence: number, result: CommandResult])[];
}

/**
 * Makes a resent request harmless: a request takes effect once, and its result is kept until the client says that
 * it has it (RIFL, SOSP 2015, section 4: completion records and their garbage collection).
 * A client that was forgotten gets `unknown-outcome` instead of a second effect.
 */
export class ClientTable {
  readonly #clients = new Map<string, Client>();

  get size(): number {
    return this.#clients.size;
  }

  /** The answer that is already known, or null when the request must take effect now; then `remember` its result. */
  answerFor(request: Request, slot: Slot): CommandResult | null {
    const client = this.#clients.get(request.client);
    if (client === undefined) {
      if (request.answeredBelow > 1) return forgotten(request);
      this.#admit(request.client, slot);
      return null;
    }
    client.lastSlot = slot;
    forgetAnswered(client, request.answeredBelow);
    const known = client.results.get(request.sequence);
    if (known !== undefined) return known;
    if (request.sequence < client.answeredBelow) return forgotten(request);
    return client.results.size >= outstandingRequestsMax ? tooMany(request) : null;
  }

  /** Whether this request took effect, as far as is still known. */
  knows(name: string, sequence: number): boolean {
    const client = this.#clients.get(name);
    return client !== undefined && (sequence < client.answeredBelow || client.results.has(sequence));
  }

  /** The result that is kept of this request; null when there is none. */
  resultOf(name: string, sequence: number): CommandResult | null {
    return this.#clients.get(name)?.results.get(sequence) ?? null;
  }

  remember(request: Request, result: CommandResult): void {
    this.#clients.get(request.client)?.results.set(request.sequence, result);
  }

  /** Sorted by last slot, which no two clients share. */
  toSnapshot(): readonly ClientSnapshot[] {
    return [...this.#clients]
      .map(([client, { lastSlot, answeredBelow, results }]) => ({
        client,
        lastSlot,
        answeredBelow,
        results: [...results].sort(([left], [right]) => left - right),
      }))
      .sort((left, right) => left.lastSlot - right.lastSlot);
  }

  static restore(clients: readonly ClientSnapshot[]): ClientTable {
    const table = new ClientTable();
    for (const { client, lastSlot, answeredBelow, results } of clients) {
      table.#clients.set(client, { lastSlot, answeredBelow, results: new Map(results) });
    }
    return table;
  }

  #admit(name: string, slot: Slot): void {
    if (this.#clients.size >= clientsMax) this.#evictOldest();
    this.#clients.set(name, { lastSlot: slot, answeredBelow: 1, results: new Map() });
  }

  #evictOldest(): void {
    let oldest: string | null = null;
    let oldestSlot = Number.POSITIVE_INFINITY;
    for (const [name, { lastSlot }] of this.#clients) {
      if (lastSlot >= oldestSlot) continue;
      oldest = name;
      oldestSlot = lastSlot;
    }
    if (oldest !== null) this.#clients.delete(oldest);
  }
}

/** Walks whichever is shorter, the gap or the kept results: a wild `answeredBelow` must not cost a long loop. */
function forgetAnswered(client: Client, answeredBelow: number): void {
  if (answeredBelow <= client.answeredBelow) return;
  if (answeredBelow - client.answeredBelow <= client.results.size) {
    for (let sequence = client.answeredBelow; sequence < answeredBelow; sequence++) client.results.delete(sequence);
  } else {
    for (const sequence of client.results.keys()) if (sequence < answeredBelow) client.results.delete(sequence);
  }
  client.answeredBelow = answeredBelow;
}

const forgotten = ({ client, sequence }: Request): CommandResult => ({
  type: 'refused',
  failure: fail(
    'unknown-outcome',
    `request ${sequence} of ${client} may have taken effect earlier: its result is no longer kept`,
    'Look at the present state before you ask again.',
  ).failure,
});

const tooMany = ({ client }: Request): CommandResult => ({
  type: 'refused',
  failure: fail(
    'limit-reached',
    `${client} has ${outstandingRequestsMax} requests whose answers it has not confirmed`,
    'Wait for answers before you send more.',
  ).failure,
});
