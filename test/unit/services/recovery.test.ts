import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { nodeId, slot, wallTime, type NodeId } from '../../../shared/domain/ids.ts';
import { instant } from '../../../src-main/core/machine/time.ts';
import type { NodeInput } from '../../../src-main/core/node/messages.ts';
import type { VoterConfig } from '../../../src-main/core/paxos/voters.ts';
import { createState } from '../../../src-main/core/state-machine/state.ts';
import type { Clock } from '../../../src-main/ports/clock.ts';
import type { Logger } from '../../../src-main/ports/logger.ts';
import type { ByteStream } from '../../../src-main/ports/streams.ts';
import { Recovery } from '../../../src-main/services/recovery.ts';
import type { MembershipSet } from '../../../src-main/swarm/membership-set.ts';
import { parseRecovery, signRecovery } from '../../../src-main/swarm/recovery-record.ts';
import type { Signer } from '../../../src-main/swarm/signature.ts';
import { foundSwarm } from '../../../src-main/swarm/swarm-file.ts';

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A new machine with a key of its own, named as libp2p would name it. */
function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  let value = BigInt(`0x${Buffer.concat([Buffer.from('002408011220', 'hex'), raw]).toString('hex')}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = (alphabet[Number(value % 58n)] ?? '') + text;
  return { id: nodeId(`1${text}`), sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)) };
}

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const clock = {
  now: () => instant(0),
  wall: () => wallTime(1_000),
  setTimer: (_afterMs: number, fire: () => void) => {
    queueMicrotask(fire);
    return () => undefined;
  },
} as unknown as Clock;

const anna = newSigner();
const boris = newSigner();
const chloe = newSigner();
const incarnationOf = (node: NodeId): string => `i-${node.slice(-4)}`;

/** Streams between the machines of one test: what is asked of a machine is answered by its own handler. */
class Wire {
  readonly #handlers = new Map<NodeId, (stream: ByteStream) => Promise<void>>();
  readonly down = new Set<NodeId>();

  streamsOf(self: NodeId) {
    return {
      open: (to: NodeId) => {
        const handler = this.#handlers.get(to);
        if (handler === undefined || this.down.has(to)) return Promise.reject(new Error('unreachable'));
        const there = pipe();
        const back = pipe();
        const end = (peer: NodeId, out: ReturnType<typeof pipe>, into: ReturnType<typeof pipe>): ByteStream => ({
          peer,
          write: (bytes) => Promise.resolve(out.push(bytes)),
          chunks: into.chunks,
          closeWrite: () => Promise.resolve(out.end()),
          abort: () => undefined,
        });
        void handler(end(self, back, there));
        return Promise.resolve(end(to, there, back));
      },
      handle: (_service: string, handler: (stream: ByteStream) => Promise<void>) => {
        this.#handlers.set(self, handler);
      },
    };
  }
}

function pipe() {
  const waiting: Uint8Array[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    push: (bytes: Uint8Array) => {
      waiting.push(bytes);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    chunks: read(),
  };
}

const config: VoterConfig = {
  epoch: 0,
  id: 4,
  firstSlot: slot(40),
  voters: [anna, boris, chloe].map(({ id }) => ({ node: id, incarnation: incarnationOf(id), rank: 100 })),
  cuts: [],
};

describe('a forced new quorum', () => {
  let wire: Wire;
  let inputs: Map<NodeId, NodeInput[]>;

  function machine(signer: Signer, role: 'admin' | 'worker', committed: number, set: MembershipSet): Recovery {
    const seen: NodeInput[] = [];
    inputs.set(signer.id, seen);
    let promised = 0;
    let present = config;
    const recovery = new Recovery({
      signer,
      membership: set,
      replica: {
        status: () => ({ config: present, coordinator: present.epoch > 0 ? signer.id : null }),
        state: createState,
      } as never,
      streams: wire.streamsOf(signer.id),
      clock,
      logger: silent,
      connected: () => [anna.id, boris.id, chloe.id].filter((id) => id !== signer.id && !wire.down.has(id)),
      advance: () => ({
        incarnation: incarnationOf(signer.id),
        config: present,
        promised: null,
        epochPromised: promised,
        committed: slot(committed),
        votedThrough: slot(committed),
      }),
      setAside: () => [],
      input: (input) => {
        seen.push(input);
        if (input.type === 'promise-epoch') promised = input.epoch;
        if (input.type === 'open-epoch') present = { ...present, epoch: input.epoch, voters: input.voters };
      },
    });
    recovery.start();
    void role;
    return recovery;
  }

  function swarm(): MembershipSet {
    const founded = foundSwarm(anna, { name: 'home', founderName: 'anna', now: wallTime(1) });
    if (!founded.ok) throw new Error(founded.failure.message);
    const set = founded.value;
    set.grant(anna, { member: boris.id, name: 'boris', role: 'worker', now: wallTime(2) });
    set.grant(anna, { member: chloe.id, name: 'chloe', role: 'worker', now: wallTime(3) });
    return set;
  }

  beforeEach(() => {
    wire = new Wire();
    inputs = new Map();
  });

  it('is refused while a majority of the voters can be reached', async () => {
    const set = swarm();
    const recovery = machine(anna, 'admin', 50, set);
    machine(boris, 'worker', 50, set);
    wire.down.add(chloe.id);
    expect((await recovery.plan()).obstacle?.code).toBe('precondition-failed');
    await expect(recovery.recover(['chloe'])).rejects.toThrow('nothing to recover');
    expect(inputs.get(anna.id)).toEqual([]);
  });

  it('asks for exactly the machines that cannot be reached, promises first and opens then', async () => {
    const set = swarm();
    const recovery = machine(anna, 'admin', 50, set);
    for (const gone of [boris, chloe]) wire.down.add(gone.id);
    await expect(recovery.recover(['boris'])).rejects.toThrow('chloe must be given up');
    await expect(recovery.recover(['anna'])).rejects.toThrow('can be reached');
    const opened = await recovery.recover(['boris', 'chloe']);
    expect(opened.epoch).toBe(1);
    expect(inputs.get(anna.id)).toEqual([
      { type: 'promise-epoch', epoch: 1, to: anna.id },
      {
        type: 'open-epoch',
        epoch: 1,
        voters: [{ node: anna.id, incarnation: incarnationOf(anna.id), rank: 100 }],
        from: [anna.id],
      },
    ]);
  });

  it('lets no machine that is not an admin do it', async () => {
    const set = swarm();
    const recovery = machine(boris, 'worker', 50, set);
    for (const gone of [anna, chloe]) wire.down.add(gone.id);
    await expect(recovery.recover(['anna', 'chloe'])).rejects.toThrow('Only an admin');
  });

  it('is promised by a peer only on the word of an admin, for this swarm, and never for a lower epoch', async () => {
    const set = swarm();
    const order = { swarm: set.swarm, epoch: 3, opener: anna.id, abandoned: [chloe.id], issuedAt: wallTime(9) };
    const signed = signRecovery(anna, order);
    expect(parseRecovery(set.swarm, signed)).toEqual({ ok: true, value: { ...order, admin: anna.id } });
    const forged = { ...signed, text: signed.text.replace('"epoch":3', '"epoch":4') };
    expect(parseRecovery(set.swarm, forged)).toMatchObject({ ok: false, failure: { code: 'not-authorised' } });
    expect(parseRecovery(set.swarm, { text: '{}', signature: '' })).toMatchObject({ failure: { code: 'malformed' } });
    const elsewhere = signRecovery(anna, { ...order, swarm: 'ff' as never });
    expect(parseRecovery(set.swarm, elsewhere)).toMatchObject({ failure: { code: 'not-authorised' } });
  });
});
