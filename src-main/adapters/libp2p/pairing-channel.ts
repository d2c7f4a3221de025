import type { Stream } from '@libp2p/interface';
import { FailureError } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { decodePairing, encodePairing } from '../../swarm/pairing.ts';
import type { PairingMessage } from '../../swarm/pairing.ts';
import { Libp2pByteStream } from './byte-stream.ts';
import { frameHeader } from './deframer.ts';

/** Pairing messages over one stream, each after its length. Every wait and every length has a bound. */
export class PairingChannel {
  readonly peer: NodeId;
  readonly #stream: Libp2pByteStream;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(peer: NodeId, stream: Stream) {
    this.peer = peer;
    this.#stream = new Libp2pByteStream(peer, stream);
    this.#chunks = this.#stream.chunks[Symbol.asyncIterator]();
  }

  async send(message: PairingMessage): Promise<void> {
    const bytes = encodePairing(message);
    await this.#stream.write(Buffer.concat([frameHeader(bytes.length), bytes]));
  }

  /** The next message. Rejects with `malformed`, `timed-out` or `peer-unreachable`, and ends the stream then. */
  async receive(options: { readonly bytesMax: number; readonly timeoutMs: number }): Promise<PairingMessage> {
    const timer = setTimeout(() => {
      this.close('the other side took too long');
    }, options.timeoutMs);
    try {
      const length = (await this.#take(4)).readUInt32BE(0);
      if (length > options.bytesMax) throw this.#malformed();
      const message = decodePairing(await this.#take(length));
      if (message === null) throw this.#malformed();
      return message;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves once the other side has gone, whatever it sent before; for waiting on a person meanwhile. */
  async gone(): Promise<void> {
    try {
      for (let next = await this.#chunks.next(); next.done !== true; next = await this.#chunks.next()) void next.value;
    } catch (cause) {
      // Broken and finished mean the same here.
      if (!(cause instanceof FailureError)) throw cause;
    }
  }

  finish(): Promise<void> {
    return this.#stream.closeWrite();
  }

  close(reason: string): void {
    this.#stream.abort(reason);
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      const next = await this.#chunks.next();
      if (next.done === true) throw this.#malformed();
      this.#bytes = Buffer.concat([this.#bytes, next.value]);
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  #malformed(): FailureError {
    this.close('broken message');
    return new FailureError({ code: 'malformed', message: `${this.peer} sent something that is no pairing message.` });
  }
}
