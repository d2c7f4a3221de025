import { FailureError, type Failure } from '../../../shared/domain/failure.ts';
import { connectToNode, type NodeConnection } from './connection.ts';
import { documentOf, provenanceFields } from './json-output.ts';
import type { Paint } from './style.ts';
import { tableLines } from './table.ts';

export const outputFormats = ['table', 'json', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** The world around one run of the command line. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  /** Calls `listener` at each Ctrl+C (or request to end) instead of ending the process; answers with its removal. */
  onInterrupt(listener: () => void): () => void;
  wall(): number;
}

/** What a frame of a live view looks like. */
export interface ViewFrame<View> {
  readonly sequence: number;
  readonly provenance: { readonly consistency: string; readonly ageMs: number; readonly slot: number };
  readonly view: View;
}

export interface Listing {
  readonly headers: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What `-o name` prints, one a line. */
  readonly names: readonly string[];
  /** Shown instead of a table without rows. */
  readonly empty: string;
}

/** What every command has at hand. Data goes to `out`, everything else to `note`. */
export interface CliContext {
  readonly world: Surroundings;
  readonly home: string;
  readonly format: OutputFormat;
  readonly paint: Paint;
  /** Everything after `--`; null where the command line has no `--`. */
  readonly command: readonly string[] | null;
  out(line: string): void;
  note(line: string): void;
  /** Prints a document where JSON is wanted; answers whether it was. */
  outJson(kind: string, fields: object): boolean;
  list<View>(kind: string, frame: ViewFrame<View>, items: readonly object[], listing: Listing): void;
  /** The line to the node, opened at the first call. */
  node(): Promise<NodeConnection>;
  failureOf(error: unknown): Failure;
  close(): void;
}

export interface ContextOptions {
  readonly home: string;
  readonly format: OutputFormat;
  readonly headers: boolean;
  readonly paint: Paint;
  readonly command: readonly string[] | null;
}

export function createContext(world: Surroundings, options: ContextOptions): CliContext {
  let connection: NodeConnection | null = null;
  const context: CliContext = {
    world,
    home: options.home,
    format: options.format,
    paint: options.paint,
    command: options.command,
    out: (line) => void world.stdout.write(`${line}\n`),
    note: (line) => void world.stderr.write(`${line}\n`),
    outJson(kind, fields) {
      if (options.format !== 'json') return false;
      context.out(documentOf(kind, fields));
      return true;
    },
    list(kind, frame, items, listing) {
      if (context.outJson(kind, { ...provenanceFields(frame, world.wall()), items })) return;
      if (options.format === 'name') {
        for (const name of listing.names) context.out(name);
        return;
      }
      noteProvenance(context, frame);
      if (listing.rows.length === 0) {
        context.note(listing.empty);
        return;
      }
      const columns = world.stdout.isTTY === true ? (world.stdout.columns ?? 80) : null;
      for (const line of tableLines(listing.headers, listing.rows, {
        paint: options.paint,
        headers: options.headers,
        columns,
      }))
        context.out(line);
    },
    async node() {
      connection ??= await connectToNode(options.home);
      return connection;
    },
    failureOf(error) {
      if (error instanceof FailureError) return error.failure;
      if (connection !== null) return connection.failureOf(error);
      return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
    },
    close: () => connection?.close(),
  };
  return context;
}

/** A number that is not the swarm's present word is never shown without saying so. */
export function noteProvenance(context: CliContext, frame: ViewFrame<unknown>): void {
  const { consistency, ageMs } = frame.provenance;
  if (consistency !== 'stale') return;
  context.note(
    context.paint('warn', `No coordinator is heard: this is the last known state, ${Math.round(ageMs / 1_000)} s old.`),
  );
}

/** Wrong use of the command line: what is wrong, and how it is meant. */
export const usage = (message: string, hint: string): FailureError =>
  new FailureError({ code: 'bad-input', message, hint });
