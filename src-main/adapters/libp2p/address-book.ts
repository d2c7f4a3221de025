import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import type { Result } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { readSmallFile, writeFileAtomically } from '../../swarm/atomic-file.ts';
import { isObject, parseJson } from '../../swarm/records.ts';
import { isNodeId } from '../../swarm/signature.ts';
import { addressCharsMax, addressesPerPeerMax } from './limits.ts';

const bookBytesMax = 2 * 1_024 * 1_024;
const peersMax = 1_000;

export interface PeerAddress {
  readonly id: NodeId;
  /** Without the id at its end. */
  readonly address: string;
}

/** Where members were last seen: hints for the dialler. What worked last comes first, and every list is bounded. */
export class AddressBook {
  readonly #addresses = new Map<NodeId, readonly string[]>();
  /** Port of the last run, so that addresses others remember stay true. */
  listenPort: number | null = null;
  #onNew: (id: NodeId) => void = () => undefined;

  of(id: NodeId): readonly string[] {
    return this.#addresses.get(id) ?? [];
  }

  /** Called for every address that was not known before. */
  onNew(handler: (id: NodeId) => void): void {
    this.#onNew = handler;
  }

  /** Takes an address unless it is none we could dial. `worked` puts it first. */
  add(id: NodeId, text: string, worked = false): void {
    const address = dialableAddress(text);
    if (address === null) return;
    const known = this.of(id);
    if (known.includes(address) && !worked) return;
    if (!this.#addresses.has(id) && this.#addresses.size >= peersMax) return;
    const others = known.filter((other) => other !== address);
    // A newcomer goes behind the one that worked, and pushes out the oldest hint.
    const next = worked ? [address, ...others] : [...others.slice(0, 1), address, ...others.slice(1)];
    this.#addresses.set(id, next.slice(0, addressesPerPeerMax));
    if (!known.includes(address)) this.#onNew(id);
  }

  /** Plain data for disk and for other members. */
  toJson(isWanted: (id: NodeId) => boolean): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#addresses].filter(([id]) => isWanted(id)));
  }

  /** Takes what it understands from anything at all. */
  addJson(value: unknown, isWanted: (id: NodeId) => boolean): void {
    if (!isObject(value)) return;
    for (const [id, list] of Object.entries(value).slice(0, peersMax)) {
      if (!isNodeId(id) || !isWanted(id) || !Array.isArray(list)) continue;
      for (const address of (list as readonly unknown[]).slice(0, addressesPerPeerMax)) {
        if (typeof address === 'string') this.add(id, address);
      }
    }
  }
}

const pathOf = (home: string): string => join(home, 'addresses.json');

/** The remembered addresses; a damaged file is only hints lost, so it counts as empty. */
export async function openAddressBook(home: string): Promise<AddressBook> {
  const book = new AddressBook();
  const read = await readSmallFile(pathOf(home), bookBytesMax);
  const document = read.ok && read.value !== null ? parseJson(read.value.toString('utf8')) : null;
  if (!isObject(document)) return book;
  book.addJson(document['peers'], () => true);
  const port = document['listenPort'];
  if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536) book.listenPort = port;
  return book;
}

export const saveAddressBook = (home: string, book: AddressBook): Promise<Result<null>> =>
  writeFileAtomically(
    pathOf(home),
    `${JSON.stringify({ version: 1, listenPort: book.listenPort, peers: book.toJson(() => true) }, null, 1)}\n`,
  );

/** Adds addresses to the file of a machine whose network is not running, as after pairing. */
export async function rememberAddresses(home: string, addresses: readonly string[]): Promise<Result<null>> {
  const book = await openAddressBook(home);
  for (const text of addresses) {
    const parsed = parsePeerAddress(text);
    if (parsed !== null) book.add(parsed.id, parsed.address);
  }
  return saveAddressBook(home, book);
}

/** Splits `/ip4/…/tcp/…/p2p/ID`; null for anything else. */
export function parsePeerAddress(text: string): PeerAddress | null {
  const match = /^(.*)\/p2p\/([1-9A-HJ-NP-Za-km-z]{1,64})$/.exec(text.slice(0, addressCharsMax));
  const address = dialableAddress(match?.[1] ?? '');
  const id = match?.[2];
  return address !== null && isNodeId(id) ? { id: nodeId(id), address } : null;
}

function dialableAddress(text: string): string | null {
  if (text.length > addressCharsMax || !/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+(\/p2p\/[^/]+)?$/.test(text))
    return null;
  const plain = text.replace(/\/p2p\/[^/]+$/, '');
  try {
    return multiaddr(plain).toString();
  } catch {
    return null;
  }
}
