/** What the node process and its spawn helper say to each other: one JSON document per line. */
export interface StartOrder {
  readonly type: 'start';
  readonly id: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly outputBytesMax: number;
  readonly timeoutMs: number | null;
}

export interface KillOrder {
  readonly type: 'kill';
  readonly id: number;
  readonly graceMs: number;
}

export type HelperOrder = StartOrder | KillOrder;

export type HelperExit =
  | { readonly type: 'exited'; readonly exitCode: number }
  | { readonly type: 'signalled'; readonly signal: string }
  | { readonly type: 'timed-out' }
  | { readonly type: 'killed' };

export type HelperReport =
  | { readonly type: 'ready' }
  | { readonly type: 'started'; readonly id: number; readonly pid: number }
  | {
      readonly type: 'refused';
      readonly id: number;
      readonly code: 'not-found' | 'not-authorised' | 'internal';
      readonly message: string;
    }
  | {
      readonly type: 'ended';
      readonly id: number;
      readonly exit: HelperExit;
      readonly dropped: { readonly stdout: number; readonly stderr: number };
    };

/** Splits a byte stream into lines. Pieces of a line are kept apart until its end, so that long lines stay linear. */
export function lineReader(onLine: (line: string) => void): (chunk: string) => void {
  let pieces: string[] = [];
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
      pieces.push(chunk.slice(from, end));
      const line = pieces.join('');
      pieces = [];
      from = end + 1;
      onLine(line);
    }
    if (from < chunk.length) pieces.push(chunk.slice(from));
  };
}
