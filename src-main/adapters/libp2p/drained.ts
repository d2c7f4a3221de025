import type { Stream } from '@libp2p/interface';

/**
 * Resolves when the stream takes more bytes; rejects when it breaks or stalls for `stallMs`. The library's own
 * `onDrain` resolves at once after the first drain, so this waits for the event itself.
 */
export async function drained(stream: Stream, stallMs: number): Promise<void> {
  while (stream.writableNeedsDrain) {
    if (stream.status !== 'open') throw new Error('the stream is closed');
    await nextDrain(stream, stallMs);
  }
}

function nextDrain(stream: Stream, stallMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      stream.removeEventListener('drain', onDrain);
      stream.removeEventListener('close', onClose);
      act();
    };
    // The library empties its own queue in a microtask of the same event; ours must come after it.
    const onDrain = (): void => {
      settle(() => {
        queueMicrotask(resolve);
      });
    };
    const onClose = (): void => {
      settle(() => {
        reject(new Error('the stream closed while writing'));
      });
    };
    const timer = setTimeout(() => {
      settle(() => {
        reject(new Error(`nothing was taken for ${String(stallMs)} ms`));
      });
    }, stallMs);
    stream.addEventListener('drain', onDrain);
    stream.addEventListener('close', onClose);
  });
}
