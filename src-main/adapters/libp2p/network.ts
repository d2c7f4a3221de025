import { isIP } from 'node:net';
import { peerIdFromString } from '@libp2p/peer-id';
import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { AddressBook, openAddressBook, parsePeerAddress, saveAddressBook } from './address-book.ts';
import { Libp2pByteStreams } from './byte-streams.ts';
import { createNode } from './create-node.ts';
import type { SkeinNode } from './create-node.ts';
import { Dialler } from './dialler.ts';
import type { NetworkCounters, PeerLink, SkeinNetwork, SkeinNetworkOptions } from './facade.ts';
import { Libp2pFrames } from './frame-transport.ts';
import { Libp2pGossip } from './gossip.ts';
import { Libp2pHashTable } from './kademlia.ts';
import { pingTimeoutMs } from './limits.ts';
import { endDeadConnections } from './liveness.ts';
import { MdnsDiscovery } from './mdns.ts';
import { MembershipSync } from './membership-sync.ts';

export type { ClosestPeer, HashTable, NetworkCounters, PeerLink, SkeinNetwork, SkeinNetworkOptions } from './facade.ts';

const saveAddressesEveryMs = 5_000;

/** The real network of one member; see `SkeinNetwork`. Builds only; `start` opens sockets. */
export const createSkeinNetwork = (options: SkeinNetworkOptions): SkeinNetwork => new Libp2pNetwork(options);

class Libp2pNetwork implements SkeinNetwork {
  readonly transport: Libp2pFrames;
  readonly streams: Libp2pByteStreams;
  readonly broadcast: Libp2pGossip;
  readonly dht: Libp2pHashTable;
  readonly #options: SkeinNetworkOptions;
  /** Given before the book was read, so that none is lost. */
  readonly #typed = new Set<string>();
  #book = new AddressBook();
  #node: SkeinNode | null = null;
  #stops: (() => void | Promise<void>)[] = [];
  #strangersRefused = 0;
  #savedBook = '';

  constructor(options: SkeinNetworkOptions) {
    this.#options = options;
    const { identity, membership, logger } = options;
    const isMember = (id: NodeId): boolean => membership.isMember(id);
    this.transport = new Libp2pFrames(identity.id, logger);
    this.streams = new Libp2pByteStreams(logger);
    this.broadcast = new Libp2pGossip({ swarm: membership.swarm, topics: options.topics ?? [], isMember, logger });
    this.dht = new Libp2pHashTable(identity, isMember);
  }

  async start(): Promise<Result<null>> {
    if (this.#node !== null) return fail('already-exists', 'The network is already running.');
    this.#book = await openAddressBook(this.#options.home);
    const started = await this.#listen();
    if (!started.ok) return started;
    const node = started.value;
    this.#node = node;
    this.#book.listenPort = portOf(node);
    this.#startParts(node);
    await this.#saveBook();
    this.#options.logger.info('network started', { addresses: this.addresses() });
    return ok(null);
  }

  async stop(): Promise<void> {
    const node = this.#node;
    if (node === null) return;
    for (const stop of this.#stops.reverse()) await stop();
    this.#stops = [];
    this.transport.detach();
    this.streams.detach();
    this.broadcast.detach();
    this.dht.detach();
    await this.#saveBook();
    this.#node = null;
    await node.stop();
  }

  addresses(): readonly string[] {
    const all = this.#node?.getMultiaddrs().map(String) ?? [];
    // Only a machine without any other network tells others to look for it at their own loopback.
    const outward = all.filter((address) => !/^\/ip4\/127\.|^\/ip6\/::1\//.test(address));
    return outward.length > 0 ? outward : all;
  }

  peers(): readonly PeerLink[] {
    return this.#others().map((id) => ({
      id,
      connected: this.transport.isConnected(id),
      addresses: this.#book.of(id),
    }));
  }

  addAddress(address: string): Result<null> {
    const parsed = parsePeerAddress(address);
    if (parsed === null) {
      return fail(
        'bad-input',
        `${JSON.stringify(address.slice(0, 100))} is not an address of a machine.`,
        'Write it like /ip4/192.168.1.20/tcp/4100/p2p/12D3Koo….',
      );
    }
    if (!this.#options.membership.isMember(parsed.id))
      return fail('not-a-member', `${parsed.id} is not a member of this swarm.`, 'Invite that machine first.');
    this.#typed.add(`${parsed.address}/p2p/${parsed.id}`);
    this.#book.add(parsed.id, parsed.address);
    return ok(null);
  }

  async ping(id: NodeId): Promise<Result<number>> {
    const signal = AbortSignal.timeout(pingTimeoutMs);
    try {
      if (this.#node === null || !this.transport.isConnected(id))
        return fail('peer-unreachable', `${id} is not connected.`, 'Check that the machine is on and in the network.');
      return ok(await this.#node.services.ping.ping(peerIdFromString(id), { signal }));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return fail(signal.aborted ? 'timed-out' : 'peer-unreachable', `${id} did not answer a ping: ${reason}.`);
    }
  }

  counters(): NetworkCounters {
    return { ...this.transport.counters, strangersRefused: this.#strangersRefused };
  }

  /** A port somebody asked for must be free; a remembered one is only a wish. */
  async #listen(): Promise<Result<SkeinNode>> {
    const asked = this.#options.port;
    const first = await this.#tryListen(asked ?? this.#book.listenPort ?? 0);
    if (first.ok || !portFailures.has(first.failure.code) || asked !== undefined) return first;
    this.#options.logger.warn('the port of the last run cannot be had; using another', { ...first.failure });
    return this.#tryListen(0);
  }

  async #tryListen(port: number): Promise<Result<SkeinNode>> {
    const host = this.#options.listenHost ?? '0.0.0.0';
    const { identity, membership } = this.#options;
    const node = await createNode({
      identity,
      swarm: membership.swarm,
      admit: (peer) => this.#admit(nodeId(peer.toString())),
      listen: `/ip${isIP(host) === 6 ? '6' : '4'}/${host}/tcp/${String(port)}`,
      topics: this.broadcast.topics(),
      validators: this.dht.validators,
      selectors: this.dht.selectors,
    });
    try {
      // Handlers come first, so that the earliest connection already finds them.
      await this.transport.attach(node);
      await this.streams.attach(node);
      await node.start();
      this.dht.attach(node);
      this.broadcast.attach(node);
      return ok(node);
    } catch (cause) {
      await node.stop();
      return listenFailure(cause, host, port);
    }
  }

  #startParts(node: SkeinNode): void {
    const { identity, membership, logger } = this.#options;
    const dialler = new Dialler({ self: identity.id, book: this.#book, members: () => this.#others(), logger });
    const sync = new MembershipSync({
      membership,
      book: this.#book,
      frames: this.transport,
      streams: this.streams,
      ownAddresses: () => this.addresses(),
      logger,
    });
    this.#book.onNew((id) => {
      dialler.hurry(id);
    });
    dialler.start(node);
    sync.start();
    for (const address of [...this.#typed]) this.addAddress(address);
    const unsubscribe = membership.onChange(() => {
      this.#closeStrangers(node);
      dialler.refresh();
    });
    node.addEventListener('peer:identify', ({ detail }) => {
      const id = nodeId(detail.peerId.toString());
      for (const address of detail.listenAddrs) this.#book.add(id, address.toString());
    });
    const timer = setInterval(() => void this.#saveBook(), saveAddressesEveryMs);
    const stopLiveness = endDeadConnections(node, logger, {
      hasHeard: (peer, ms) => this.transport.hasHeard(nodeId(peer), ms),
    });
    this.#stops = [
      stopLiveness,
      () => {
        dialler.stop();
      },
      () => {
        sync.stop();
      },
      unsubscribe,
      () => {
        clearInterval(timer);
      },
    ];
    if (this.#options.mdns !== false) this.#startDiscovery();
  }

  #startDiscovery(): void {
    const { identity, membership, logger } = this.#options;
    const discovery = new MdnsDiscovery({
      swarm: membership.swarm,
      self: identity.id,
      addresses: () => this.addresses(),
      onFound: (id, address) => {
        if (membership.isMember(id)) this.#book.add(id, address);
      },
      logger,
    });
    discovery.start();
    this.#stops.push(() => discovery.stop());
  }

  #admit(id: NodeId): boolean {
    const admitted = this.#options.membership.isMember(id);
    if (!admitted) this.#strangersRefused += 1;
    return admitted;
  }

  /** A revoked member leaves at once, not when its connection happens to break. */
  #closeStrangers(node: SkeinNode): void {
    for (const connection of node.getConnections()) {
      if (!this.#options.membership.isMember(nodeId(connection.remotePeer.toString())))
        connection.abort(new Error('no longer a member'));
    }
  }

  #others(): readonly NodeId[] {
    return this.#options.membership
      .members()
      .map(({ id }) => id)
      .filter((id) => id !== this.#options.identity.id);
  }

  async #saveBook(): Promise<void> {
    const text = JSON.stringify([this.#book.listenPort, this.#book.toJson(() => true)]);
    if (text === this.#savedBook) return;
    this.#savedBook = text;
    const saved = await saveAddressBook(this.#options.home, this.#book);
    if (!saved.ok) this.#options.logger.warn('addresses could not be saved', { failure: saved.failure.message });
  }
}

function portOf(node: SkeinNode): number | null {
  const match = node
    .getMultiaddrs()
    .map((address) => /\/tcp\/(\d+)/.exec(address.toString()))
    .find((found) => found !== null);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/** Another port may do. Windows refuses ports that it keeps for itself, and not always the same ones. */
const portFailures: ReadonlySet<string> = new Set(['port-in-use', 'not-authorised']);

/** The library lists every address with a stack trace: people need the system's own words, once. */
function listenFailure(cause: unknown, host: string, port: number): ReturnType<typeof fail> {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = /Error: ([^\n]+)/.exec(text)?.[1] ?? text;
  const where = `port ${String(port)} on ${host}`;
  if (reason.includes('EADDRINUSE'))
    return fail(
      'port-in-use',
      `Another program has ${where}.`,
      'Choose another port with --port, or stop that program.',
    );
  if (reason.includes('EACCES'))
    return fail('not-authorised', `This user may not listen on ${where}.`, 'Choose a port from 1024 on with --port.');
  if (reason.includes('EADDRNOTAVAIL'))
    return fail('bad-input', `This machine has no address ${host}.`, 'Choose one of its own with --listen.');
  return fail('internal', `The network could not start on ${where}: ${reason}.`);
}
