import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino, type DestinationStream, type Level } from 'pino';
import type { Logger } from '../../ports/logger.ts';

export interface JsonLoggerOptions {
  /** A file, or null for standard error. */
  readonly path: string | null;
  readonly level?: Level;
  /** A file that would grow past this becomes `<path>.1`, that one `<path>.2`, up to `filesMax` files. */
  readonly fileBytesMax?: number;
  readonly filesMax?: number;
  /** On every line, such as which machine speaks. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const fileBytesDefault = 16 * 1_024 * 1_024;
const filesDefault = 3;
/** Never written, at the top of the fields or one level down. */
const secretNames = ['token', 'secret', 'password', 'privateKey', 'invitation', 'authorization'];

/** A logger that writes one JSON document per line and withholds secrets. A log that cannot be written is dropped. */
export function openJsonLogger(options: JsonLoggerOptions): Logger & { close(): void } {
  const destination = options.path === null ? standardError : new RotatingFile(options.path, options);
  const paths = secretNames.flatMap((name) => [name, `*.${name}`]);
  const log = pino(
    {
      level: options.level ?? 'info',
      base: options.fields ?? {},
      redact: { paths, censor: '(withheld)' },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination,
  );
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
    close: () => (destination instanceof RotatingFile ? destination.close() : undefined),
  };
}

const standardError: DestinationStream = {
  write: (line) => {
    process.stderr.write(line);
  },
};

class RotatingFile implements DestinationStream {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #filesMax: number;
  #descriptor: number | null = null;
  #bytes = 0;

  constructor(path: string, options: JsonLoggerOptions) {
    this.#path = path;
    this.#bytesMax = options.fileBytesMax ?? fileBytesDefault;
    this.#filesMax = Math.max(1, options.filesMax ?? filesDefault);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#open();
  }

  write(line: string): void {
    try {
      const bytes = Buffer.from(line);
      if (this.#bytes > 0 && this.#bytes + bytes.byteLength > this.#bytesMax) this.#rotate();
      if (this.#descriptor === null) return;
      this.#bytes += writeSync(this.#descriptor, bytes);
    } catch {
      // The work goes on when its log cannot be written: a full disk is reported where it stops the work.
      this.#bytes += line.length;
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #open(): void {
    this.#descriptor = openSync(this.#path, 'a', 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  #rotate(): void {
    this.close();
    rmSync(this.#nameOf(this.#filesMax - 1), { force: true });
    for (let age = this.#filesMax - 2; age >= 0; age--) {
      try {
        renameSync(this.#nameOf(age), this.#nameOf(age + 1));
      } catch {
        // No file of that age yet.
        continue;
      }
    }
    this.#open();
  }

  #nameOf(age: number): string {
    return age === 0 ? this.#path : `${this.#path}.${String(age)}`;
  }
}
