import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { lineReader, type HelperOrder, type HelperReport } from './spawn-messages.ts';

export interface HelperLinkOptions {
  readonly nodePath: string;
  readonly helperPath: string;
  readonly markPrefix: string;
  readonly onReport: (report: HelperReport) => void;
  /** Once, when the helper has ended or could not be started. */
  readonly onGone: (reason: string) => void;
}

/** The helper needs little: a small heap makes its forks fast. */
const helperFlags = ['--max-old-space-size=64', '--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];
/** Characters kept of what the helper says on its way out. */
const lastWordsMax = 2_000;
/** A helper that was told to end has this long before it is ended. */
const closeMs = 5_000;

/** One helper process and the two pipes to it. */
export class HelperLink {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #gone = Promise.withResolvers<void>();

  constructor(options: HelperLinkOptions) {
    this.#child = spawn(options.nodePath, [...helperFlags, options.helperPath, options.markPrefix], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Of its own group: a Ctrl+C meant for this process must not end the helper before its work is ended in order.
      detached: process.platform !== 'win32',
      windowsHide: true,
      env: helperEnvironment(),
    });
    let lastWords = '';
    this.#child.stdout.setEncoding('utf8');
    this.#child.stdout.on('data', lineReader((line) => options.onReport(JSON.parse(line) as HelperReport)));
    this.#child.stderr.setEncoding('utf8');
    this.#child.stderr.on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-lastWordsMax);
    });
    let told = false;
    const gone = (reason: string): void => {
      if (told) return;
      told = true;
      options.onGone(`${reason} ${lastWords}`.trim());
      this.#gone.resolve();
    };
    this.#child.on('error', (error) => gone(error.message));
    this.#child.on('close', (code, signal) => gone(`it ended with ${String(signal ?? code)}.`));
    // A pipe to a helper that just ended breaks; its end is reported above.
    this.#child.stdin.on('error', (error) => {
      lastWords = (lastWords + error.message).slice(-lastWordsMax);
    });
  }

  send(order: HelperOrder): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  /** Closes the helper's input, by which it ends all its trees and itself. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), closeMs);
    await this.#gone.promise;
    clearTimeout(timer);
  }
}

/** What a runtime needs to run a script: where it lies, and, under Electron, to behave as plain Node. */
function helperEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'TEMP', 'LD_LIBRARY_PATH'];
  const env: Record<string, string> = {};
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  if (process.versions['electron'] !== undefined) env['ELECTRON_RUN_AS_NODE'] = '1';
  return env;
}
