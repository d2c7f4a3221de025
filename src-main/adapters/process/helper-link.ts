import { startHelper, type HelperProgram, type HelperProgramOptions } from './helper-program.ts';
import { lineReader, type HelperOrder, type HelperReport } from './spawn-messages.ts';

export interface HelperLinkOptions extends HelperProgramOptions {
  readonly onReport: (report: HelperReport) => void;
  /** Once, when the helper has ended or could not be started. */
  readonly onGone: (reason: string) => void;
}

/** Characters kept of what the helper says on its way out. */
const lastWordsMax = 2_000;
/** A helper that was told to end has this long before it is ended. */
const closeMs = 5_000;

/** One helper process and the two pipes to it. */
export class HelperLink {
  readonly #child: HelperProgram;
  readonly #gone = Promise.withResolvers<void>();

  constructor(options: HelperLinkOptions) {
    this.#child = startHelper(options);
    let lastWords = '';
    this.#child.stdout.setEncoding('utf8');
    this.#child.stdout.on(
      'data',
      lineReader((line) => options.onReport(JSON.parse(line) as HelperReport)),
    );
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
    this.#child.onError((error) => gone(error.message));
    this.#child.onClose((how) => gone(`it ended with ${how}.`));
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
    const timer = setTimeout(() => this.#child.kill(), closeMs);
    await this.#gone.promise;
    clearTimeout(timer);
  }
}
