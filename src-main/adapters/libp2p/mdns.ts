import { createHash, randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import multicastDns from 'multicast-dns';
import type { NodeId, SwarmId } from '../../../shared/domain/ids.ts';
import type { Logger } from '../../ports/logger.ts';
import { parsePeerAddress } from './address-book.ts';
import { addressCharsMax } from './limits.ts';

const queryEveryMs = 10_000;
const interfacesMax = 16;
const answersMax = 32;

export interface MdnsOptions {
  readonly swarm: SwarmId;
  readonly self: NodeId;
  readonly addresses: () => readonly string[];
  readonly onFound: (id: NodeId, address: string) => void;
  readonly logger: Logger;
}

/**
 * Finds members of the same swarm in the local network, in the format of the libp2p mDNS specification. The library's
 * own discovery speaks on the system's default interface only, so there is one responder per usable interface here.
 * What it hears is a hint that anyone can forge; the handshake decides who it is.
 */
export class MdnsDiscovery {
  readonly #options: MdnsOptions;
  /** Carries a hash, so that a listener learns neither the swarm's id nor its name. */
  readonly #service: string;
  /** New on every start: it must not follow a machine from network to network. */
  readonly #label = randomBytes(16).toString('hex');
  readonly #responders = new Map<string, multicastDns.MulticastDNS>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: MdnsOptions) {
    this.#options = options;
    this.#service = `_skein-${createHash('sha256').update(`mdns ${options.swarm}`).digest('hex').slice(0, 20)}._udp.local`;
  }

  start(): void {
    this.#round();
    this.#timer = setInterval(() => {
      this.#round();
    }, queryEveryMs);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const responders = [...this.#responders.values()];
    this.#responders.clear();
    await Promise.all(
      responders.map(
        (responder) =>
          new Promise<void>((resolve) => {
            responder.destroy(resolve);
          }),
      ),
    );
  }

  /** Looks at the interfaces each time, because cables and radios come and go. */
  #round(): void {
    const usable = usableInterfaces();
    for (const [address, responder] of this.#responders) {
      if (usable.includes(address)) continue;
      this.#responders.delete(address);
      responder.destroy();
    }
    for (const address of usable) {
      if (!this.#responders.has(address)) this.#open(address);
      this.#responders.get(address)?.query({ questions: [{ name: this.#service, type: 'PTR' }] });
    }
  }

  #open(address: string): void {
    const responder = multicastDns({ interface: address, bind: '0.0.0.0' });
    const complain = (cause: Error): void => {
      this.#options.logger.debug('local discovery is hindered', { interface: address, cause: cause.message });
    };
    responder.on('warning', complain);
    responder.on('error', complain);
    responder.on('query', ({ questions }) => {
      if (questions?.some(({ name }) => name === this.#service) === true) this.#answer(responder);
    });
    responder.on('response', ({ answers, additionals }) => {
      this.#hear([...(answers ?? []), ...(additionals ?? [])].slice(0, answersMax));
    });
    this.#responders.set(address, responder);
  }

  #answer(responder: multicastDns.MulticastDNS): void {
    const instance = `${this.#label}.${this.#service}`;
    const texts = this.#options
      .addresses()
      .map((address) => `dnsaddr=${address}`)
      .filter(({ length }) => length <= 255)
      .slice(0, answersMax - 1);
    responder.respond([
      { name: this.#service, type: 'PTR', class: 'IN', ttl: 120, data: instance },
      ...texts.map((data) => ({ name: instance, type: 'TXT', class: 'IN', ttl: 120, data }) as const),
    ]);
  }

  #hear(answers: readonly { readonly name: string; readonly type: string; readonly data?: unknown }[]): void {
    if (!answers.some(({ name, type }) => type === 'PTR' && name === this.#service)) return;
    for (const { type, data } of answers) {
      if (type !== 'TXT') continue;
      for (const text of [data].flat().slice(0, answersMax)) {
        const found = parsePeerAddress(
          String(text)
            .slice(0, addressCharsMax + 8)
            .replace(/^dnsaddr=/, ''),
        );
        if (found !== null && found.id !== this.#options.self) this.#options.onFound(found.id, found.address);
      }
    }
  }
}

function usableInterfaces(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses?.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? [])
    .slice(0, interfacesMax);
}
