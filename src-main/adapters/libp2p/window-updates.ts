import type { Stream } from '@libp2p/interface';

/** What the multiplexer's streams have beyond the interface. */
interface WindowedStream {
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate: () => void;
}

const isWindowed = (stream: object): stream is WindowedStream =>
  'recvWindow' in stream && 'recvWindowCapacity' in stream && 'sendWindowUpdate' in stream;

/**
 * Lets a stream grant its peer more room only once half of its window is used, as other implementations of Yamux do. The
 * library answers every message with an update: one more packet, encrypted and decrypted, that wakes the sender.
 */
export function saveWindowUpdates(stream: Stream): void {
  if (!isWindowed(stream)) return;
  const update = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    if (stream.recvWindowCapacity < stream.recvWindow / 2) update();
  };
}
