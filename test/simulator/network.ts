import type { NodeId } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { FrameTransport } from '../../src-main/ports/transport.ts';
import type { EventQueue } from './event-queue.ts';
import { between, chance, exponential } from './forks.ts';
import type { SimOptions } from './options.ts';

interface Endpoint {
  readonly life: number;
  readonly up: Set<NodeId>;
  onFrame: (from: NodeId, frame: Uint8Array) => void;
  onPeer: (peer: NodeId, connected: boolean) => void;
  /** Until when this machine handles nothing; frames wait for it. */
  readonly asleepUntil: () => number;
}

const noFrame = (): void => undefined;
const noPeer = (): void => undefined;

/** Frames that wait for a sleeping machine; its connections break when it sleeps for longer than its peers bear. */
const brokenAfterMs = 8_000;

/**
 * Links between machines that lose, double, delay, reorder and cut, one way or both. It is harsher than the port
 * promises: a real connection neither doubles nor reorders.
 */
export class SimNetwork {
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #options: SimOptions['network'];
  readonly #endpoints = new Map<NodeId, Endpoint>();
  /** Directed links that carry nothing. */
  readonly #cut = new Set<string>();
  /** Raised when a pair's connection breaks: frames under way are lost. */
  readonly #connection = new Map<string, number>();
  /** Machines that sleep for hours: nobody connects to them. */
  readonly #suspended = new Set<NodeId>();
  #calm = false;
  #lives = 0;
  readonly #observe: (from: NodeId, to: NodeId, frame: Uint8Array) => void;

  constructor(
    queue: EventQueue,
    random: Random,
    options: SimOptions['network'],
    observe: (from: NodeId, to: NodeId, frame: Uint8Array) => void,
  ) {
    this.#queue = queue;
    this.#random = random;
    this.#options = options;
    this.#observe = observe;
  }

  /** From now on nothing is lost, doubled, reordered or cut. */
  calm(): void {
    this.#calm = true;
    this.#cut.clear();
    this.reconnectAll();
  }

  attach(self: NodeId, asleepUntil: () => number): FrameTransport {
    const endpoint: Endpoint = { life: ++this.#lives, up: new Set(), onFrame: noFrame, onPeer: noPeer, asleepUntil };
    this.#endpoints.set(self, endpoint);
    for (const peer of this.#endpoints.keys()) if (peer !== self) this.#connectSoon(self, peer);
    return {
      self,
      send: (to, frame) => {
        this.#send(self, endpoint, to, frame);
      },
      connected: () => [...endpoint.up],
      onFrame: (handler) => {
        endpoint.onFrame = handler;
      },
      onPeer: (handler) => {
        endpoint.onPeer = handler;
      },
    };
  }

  /** A process is gone. A killed one closes its connections; of a machine without power the peers learn late. */
  detach(self: NodeId, powerLost: boolean): void {
    this.#endpoints.delete(self);
    for (const [peer, endpoint] of this.#endpoints) {
      this.#breakConnection(self, peer);
      const { life } = endpoint;
      this.#queue.after(powerLost ? between(this.#random, 2_000, brokenAfterMs) : between(this.#random, 0, 50), () => {
        const current = this.#endpoints.get(peer);
        if (current?.life === life && !this.#endpoints.has(self)) this.#tell(peer, current, self, false);
      });
    }
  }

  /** A machine falls asleep for long: its peers learn it from the silence, and it learns on waking that they are gone. */
  suspend(self: NodeId): void {
    this.#suspended.add(self);
    for (const [peer, endpoint] of this.#endpoints) {
      if (peer === self) continue;
      this.#breakConnection(self, peer);
      this.#queue.after(between(this.#random, 500, brokenAfterMs), () => {
        if (this.#endpoints.get(peer) === endpoint && this.#suspended.has(self))
          this.#tell(peer, endpoint, self, false);
      });
    }
  }

  resume(self: NodeId): void {
    if (!this.#suspended.delete(self)) return;
    const endpoint = this.#endpoints.get(self);
    if (endpoint === undefined) return;
    for (const peer of [...endpoint.up]) this.#tell(self, endpoint, peer, false);
    for (const peer of this.#endpoints.keys()) if (peer !== self) this.#connectSoon(self, peer);
  }

  /** Cuts what is between the two groups, both ways or only from the first to the second. */
  partition(first: readonly NodeId[], second: readonly NodeId[], oneWay: boolean): void {
    for (const from of first) {
      for (const to of second) {
        this.#cut.add(linkOf(from, to));
        if (!oneWay) this.#cut.add(linkOf(to, from));
        this.#queue.after(between(this.#random, 0, brokenAfterMs), () => {
          if (this.#cut.has(linkOf(from, to)) || this.#cut.has(linkOf(to, from))) this.drop(from, to);
        });
      }
    }
  }

  /** A machine loses its network at once, and everybody notices: a cable is pulled, or Wi-Fi ends with a reset. */
  unplug(self: NodeId): void {
    for (const other of this.#endpoints.keys()) {
      if (other === self) continue;
      this.#cut.add(linkOf(self, other)).add(linkOf(other, self));
      this.drop(self, other);
    }
  }

  /**
   * A machine is cut off, and its peers notice at once: they reset, or probed it. What they sent to end its connections
   * never arrives, so it goes on for a while as if nothing had happened.
   */
  cutOff(self: NodeId): void {
    for (const [other, endpoint] of this.#endpoints) {
      if (other === self) continue;
      this.#cut.add(linkOf(self, other)).add(linkOf(other, self));
      this.#breakConnection(self, other);
      this.#tell(other, endpoint, self, false);
      this.#queue.after(between(this.#random, 500, brokenAfterMs), () => {
        if (this.#cut.has(linkOf(self, other))) this.drop(self, other);
      });
    }
  }

  plugIn(self: NodeId): void {
    for (const other of this.#endpoints.keys()) {
      this.#cut.delete(linkOf(self, other));
      this.#cut.delete(linkOf(other, self));
      if (other !== self) this.#connectSoon(self, other);
    }
  }

  heal(): void {
    this.#cut.clear();
    this.reconnectAll();
  }

  /** Breaks one connection; unless the link is cut, it comes back soon. */
  drop(left: NodeId, right: NodeId): void {
    this.#breakConnection(left, right);
    const [first, second] = [this.#endpoints.get(left), this.#endpoints.get(right)];
    if (first !== undefined) this.#tell(left, first, right, false);
    if (second !== undefined) this.#tell(right, second, left, false);
    this.#connectSoon(left, right);
  }

  reconnectAll(): void {
    const all = [...this.#endpoints.keys()];
    for (const left of all) for (const right of all) if (left < right) this.#connectSoon(left, right);
  }

  #connectSoon(left: NodeId, right: NodeId): void {
    this.#queue.after(between(this.#random, 5, 600), () => {
      const [first, second] = [this.#endpoints.get(left), this.#endpoints.get(right)];
      if (first === undefined || second === undefined) return;
      if (this.#suspended.has(left) || this.#suspended.has(right)) return;
      if (this.#cut.has(linkOf(left, right)) || this.#cut.has(linkOf(right, left))) return;
      if (first.up.has(right) && second.up.has(left)) return;
      // A new connection takes the place of one that only one side still believes in.
      this.#breakConnection(left, right);
      this.#tell(left, first, right, false);
      this.#tell(right, second, left, false);
      this.#tell(left, first, right, true);
      this.#tell(right, second, left, true);
    });
  }

  #tell(self: NodeId, endpoint: Endpoint, peer: NodeId, connected: boolean): void {
    const awakeAt = endpoint.asleepUntil();
    if (awakeAt > this.#queue.now) {
      const pair = pairOf(self, peer);
      const connection = this.#connection.get(pair);
      this.#queue.at(awakeAt, () => {
        const current = this.#endpoints.get(self) === endpoint && this.#connection.get(pair) === connection;
        if (!current) return;
        this.#tell(self, endpoint, peer, connected);
        // What healed while it slept still counted on the connection that ends now.
        if (!connected) this.#connectSoon(self, peer);
      });
      return;
    }
    if (endpoint.up.has(peer) === connected) return;
    if (connected) endpoint.up.add(peer);
    else endpoint.up.delete(peer);
    endpoint.onPeer(peer, connected);
  }

  #breakConnection(left: NodeId, right: NodeId): void {
    const pair = pairOf(left, right);
    this.#connection.set(pair, (this.#connection.get(pair) ?? 0) + 1);
  }

  #send(from: NodeId, endpoint: Endpoint, to: NodeId, frame: Uint8Array): void {
    if (this.#endpoints.get(from) !== endpoint) return;
    this.#observe(from, to, frame);
    if (!endpoint.up.has(to) || this.#cut.has(linkOf(from, to))) return;
    const { loss, duplicate } = this.#options;
    if (!this.#calm && chance(this.#random, loss)) return;
    this.#deliver(from, to, frame);
    if (!this.#calm && chance(this.#random, duplicate)) this.#deliver(from, to, frame);
  }

  readonly #lastArrival = new Map<string, number>();

  #deliver(from: NodeId, to: NodeId, frame: Uint8Array): void {
    const pair = pairOf(from, to);
    const connection = this.#connection.get(pair) ?? 0;
    const { delayMs, jitterMs, reorder } = this.#options;
    const link = linkOf(from, to);
    let arrival = this.#queue.now + delayMs + exponential(this.#random, this.#calm ? 1 : jitterMs);
    const overtakes = !this.#calm && chance(this.#random, reorder);
    if (!overtakes) {
      arrival = Math.max(arrival, this.#lastArrival.get(link) ?? 0);
      this.#lastArrival.set(link, arrival);
    }
    this.#queue.at(arrival, () => this.#arrive(from, to, frame, connection));
  }

  #arrive(from: NodeId, to: NodeId, frame: Uint8Array, connection: number): void {
    const endpoint = this.#endpoints.get(to);
    if (endpoint === undefined || (this.#connection.get(pairOf(from, to)) ?? 0) !== connection) return;
    if (this.#cut.has(linkOf(from, to))) return;
    const awakeAt = endpoint.asleepUntil();
    if (awakeAt > this.#queue.now) {
      if (awakeAt - this.#queue.now < brokenAfterMs)
        this.#queue.at(awakeAt, () => this.#arrive(from, to, frame, connection));
      return;
    }
    endpoint.onFrame(from, frame);
  }
}

const linkOf = (from: NodeId, to: NodeId): string => `${from}>${to}`;
const pairOf = (left: NodeId, right: NodeId): string => (left < right ? `${left}|${right}` : `${right}|${left}`);
