/**
 * Passes on the frames of a subscription until it ends or its caller leaves. The source is told to stop in both cases,
 * also when it is in the middle of waiting for its next frame.
 */
export async function* relay<Frame>(
  source: AsyncIterable<Frame>,
  signal: AbortSignal,
  toError: (error: unknown) => Error,
): AsyncGenerator<Frame, void, void> {
  const frames = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextUnlessAborted(frames, signal);
      if (next === null || next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw toError(error);
  } finally {
    // Not awaited: a source that is stuck must not keep open the call of a caller who left.
    void Promise.resolve(frames.return?.()).catch(toError);
  }
}

/** The next frame, or null once the caller has left. The listener goes with each frame, so a long view holds only one. */
function nextUnlessAborted<Frame>(
  frames: AsyncIterator<Frame>,
  signal: AbortSignal,
): Promise<IteratorResult<Frame> | null> {
  return new Promise((resolve, reject) => {
    const leave = (): void => resolve(null);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    const settled = (): void => signal.removeEventListener('abort', leave);
    frames.next().then(
      (result) => {
        settled();
        resolve(result);
      },
      (error: unknown) => {
        settled();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
