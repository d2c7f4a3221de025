import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { FailureError } from '../../../../shared/domain/failure.ts';
import { usage, type CliContext } from '../cli-context.ts';
import type { Run } from '../command-action.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { startGroup } from '../process-group.ts';
import { wholeNumber } from '../submission-flags.ts';

interface BarrierFlags {
  readonly parties: string;
  readonly timeout?: string;
}

const nameCharsMax = 200;

/** A barrier over stored values: nobody goes on before so many have come, and nobody leaves before all are done. */
export function addBarrierCommand(lock: Command, run: Run): void {
  lock
    .command('barrier')
    .argument('<name>', 'which barrier')
    .description('wait until --parties have come; with a command, run it and wait until all have ended theirs')
    .usage('NAME --parties N [-- COMMAND…]')
    .requiredOption('--parties <n>', 'how many must come; all must say the same number')
    .action(
      run((context, flags: BarrierFlags, name: string) =>
        meet(context, { ...flags, ...lock.opts<Pick<BarrierFlags, 'timeout'>>() }, name),
      ),
    );
}

async function meet(context: CliContext, flags: BarrierFlags, name: string): Promise<number> {
  const parties = wholeNumber('--parties', flags.parties, 1, 1_000) ?? 1;
  if (name.length > nameCharsMax) throw usage('the name is too long', `Use at most ${nameCharsMax} characters.`);
  const leaving = new AbortController();
  const unhook = context.world.onInterrupt(() => leaving.abort());
  const timeout = flags.timeout === undefined ? null : AbortSignal.timeout(parseDuration(flags.timeout, '--timeout'));
  const signal = timeout === null ? leaving.signal : AbortSignal.any([leaving.signal, timeout]);
  const barrier = new Barrier(context, name, signal);
  try {
    await barrier.enter(parties);
    const code = context.command === null ? exitCodes.done : await runCommand(context, context.command);
    await barrier.leave();
    return code;
  } catch (error) {
    await barrier.withdraw();
    if (timeout?.aborted === true) throw new FailureError(notAll(name, parties));
    if (leaving.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    unhook();
    leaving.abort();
  }
}

async function runCommand(context: CliContext, argv: readonly string[]): Promise<number> {
  const group = startGroup({ argv, cwd: context.world.cwd, env: context.world.env });
  const { code, problem } = await group.exit;
  if (problem !== '') context.note(`skein: ${problem}`);
  return code;
}

/** ZooKeeper's double barrier (its recipes page): a key for each that has come, and one that says it is open. */
class Barrier {
  readonly #context: CliContext;
  readonly #signal: AbortSignal;
  readonly #prefix: string;
  readonly #own: string;
  readonly #open: string;
  #isIn = false;
  /** The revision at which it was opened: no other meeting has the same. */
  #round: number | null = null;

  constructor(context: CliContext, name: string, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
    this.#prefix = `barrier/${name}/in/`;
    this.#own = `${this.#prefix}${randomUUID()}`;
    this.#open = `barrier/${name}/open`;
  }

  async enter(parties: number): Promise<void> {
    const { client } = await this.#context.node();
    await this.#until(async () => {
      // Those of the round before have not all left yet: the next round begins after them.
      const done = await client.kv.transact({
        compares: [{ type: 'version', key: this.#open, version: 0 }],
        thenOperations: [{ type: 'put', key: this.#own, value: '', withSession: true }],
      });
      this.#isIn = done.succeeded;
      return done.succeeded;
    });
    await this.#until(async () => {
      const { total } = await client.kv.range({ prefix: this.#prefix, limit: 1, keysOnly: true });
      if (total >= parties) {
        await client.kv.transact({
          compares: [{ type: 'version', key: this.#open, version: 0 }],
          thenOperations: [{ type: 'put', key: this.#open, value: String(parties) }],
        });
      }
      this.#round = await this.#openSince();
      if (this.#round === null) this.#context.note(`${total} of ${parties} have come.`);
      return this.#round !== null;
    });
  }

  async leave(): Promise<void> {
    const { client } = await this.#context.node();
    await client.kv.delete({ key: this.#own });
    this.#isIn = false;
    await this.#until(async () => {
      // Once it is closed, the others may have met again already.
      if ((await this.#openSince()) !== this.#round) return true;
      const { total } = await client.kv.range({ prefix: this.#prefix, limit: 1, keysOnly: true });
      if (total > 0 || this.#round === null) return false;
      await client.kv.transact({
        compares: [{ type: 'revision', key: this.#open, revision: this.#round }],
        thenOperations: [{ type: 'delete', key: this.#open }],
      });
      return true;
    });
  }

  /** Nobody shall wait for one that gave up. */
  async withdraw(): Promise<void> {
    if (!this.#isIn) return;
    const { client } = await this.#context.node();
    await client.kv.delete({ key: this.#own }).catch((error: unknown) => {
      this.#context.note(
        `skein: ${this.#context.failureOf(error).message}; the node’s end removes it from the barrier`,
      );
    });
  }

  async #openSince(): Promise<number | null> {
    const { client } = await this.#context.node();
    return (await client.kv.get({ key: this.#open })).entry?.revision ?? null;
  }

  /** Looks now and after every change of the barrier. */
  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const { client } = await this.#context.node();
    const prefix = this.#prefix.slice(0, -'in/'.length);
    for await (const _frame of await client.kv.watch({ prefix }, { signal: this.#signal })) {
      if (await isSo()) return;
    }
    throw new FailureError({ code: 'cancelled', message: 'Waiting at the barrier was given up.' });
  }
}

const notAll = (name: string, parties: number) => ({
  code: 'timed-out' as const,
  message: `Not all of ${parties} came to the barrier ${name} in time.`,
  hint: `See who is there: skein kv range barrier/${name}/`,
});
