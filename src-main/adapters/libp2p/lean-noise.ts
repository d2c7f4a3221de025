import { noise } from '@chainsafe/libp2p-noise';
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface';

/** Bytes of the length before each message of Noise. */
const lengthBytes = 2;

type Bytes = Parameters<MessageStream['send']>[0];
type EncrypterFactory = ReturnType<typeof noise>;

/** What cuts the bytes of a connection into messages of Noise, as the library's own does. */
interface Decoder {
  /** What arrived of a message that is not whole yet. */
  readonly buffer: Bytes;
  decode(arrived: Bytes): Iterable<Uint8Array>;
}

/**
 * Noise with less work per message, which a log of small messages feels: a message leaves in one write, where the
 * library makes one of its two bytes of length and one of the rest, each a packet that wakes the peer; and the end of
 * what has arrived is found by counting, where the library throws and catches an error with a stack trace each time.
 */
export function leanNoise(): EncrypterFactory {
  const create = noise();
  return (components) => {
    const encrypter = create(components);
    const { secureInbound, secureOutbound } = encrypter;
    const lean =
      (secure: ConnectionEncrypter['secureInbound']): ConnectionEncrypter['secureInbound'] =>
      async (connection, options) => {
        joinWrites(connection);
        return withDecoder(await secure.call(encrypter, connection, options));
      };
    return Object.assign(encrypter, { secureInbound: lean(secureInbound), secureOutbound: lean(secureOutbound) });
  };
}

/** The pieces of one send become one write to the socket. */
function joinWrites(connection: MessageStream): void {
  const send = connection.send.bind(connection);
  connection.send = (data) => send(data.subarray());
}

function withDecoder<Extension>(secured: SecuredConnection<Extension>): SecuredConnection<Extension> {
  const connection: MessageStream & { decoder?: Decoder } = secured.connection;
  if (connection.decoder !== undefined) connection.decoder = new NoiseMessages(connection.decoder.buffer.subarray());
  return secured;
}

/** Cuts arriving bytes into whole messages. */
export class NoiseMessages implements Decoder {
  #left: Uint8Array;

  /** `left`: bytes of a message that began to arrive earlier. */
  constructor(left: Uint8Array = new Uint8Array(0)) {
    this.#left = left;
  }

  get buffer(): Uint8Array {
    return this.#left;
  }

  *decode(arrived: Bytes): Generator<Uint8Array, void> {
    const chunk = arrived.subarray();
    const bytes = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk]);
    this.#left = bytes;
    let at = 0;
    while (bytes.length - at >= lengthBytes) {
      const start = at + lengthBytes;
      const end = start + ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
      if (end > bytes.length) break;
      at = end;
      this.#left = bytes.subarray(at);
      if (end > start) yield bytes.subarray(start, end);
    }
  }
}
