import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createSkein, openJsonLogger } from '../../compose.ts';
import { FailureError, type Failure } from '../../../shared/domain/failure.ts';
import { isNodeAnswering } from './control-socket.ts';
import { claimHome } from './home-claim.ts';
import { startNodeHost, type NodeHost } from './node-host.ts';
import type { NodeLog } from './node-log.ts';
import { parseNodeOptions, type NodeOptions } from './node-options.ts';
import { followParent, parentPort } from './parent-port.ts';

/** A stop that takes longer than this is cut short. Nothing is lost by it: what was acknowledged is on disk. */
const stopWithinMs = 10_000;

/** Runs one node until it is told to stop. */
async function run(options: NodeOptions): Promise<void> {
  const log = openJsonLogger({ path: null, level: options.logLevel, fields: { pid: process.pid } });
  const stopping = Promise.withResolvers<string>();
  const requestStop = (cause: string): void => stopping.resolve(cause);
  watchProcess(log, requestStop);

  const claim = await claimHome(options.home, () => isNodeAnswering(options.home));
  const skein = await createSkein({
    home: options.home,
    ...given({
      name: options.name,
      listenHost: options.listenHost,
      port: options.port,
      sessionTtlMs: options.sessionTtlMs,
      slots: options.slots,
    }),
    mdns: options.mdns,
    logger: log,
  });
  await skein.start();
  const host = await startNodeHost({
    home: options.home,
    services: skein.services,
    webPort: options.webPort,
    uiFolder: options.uiFolder ?? builtUi(),
    requestStop: () => requestStop('asked to'),
    log,
  });
  const parent = parentPort();
  if (parent !== null)
    followParent(parent, host.rpcPorts, {
      stop: () => requestStop('the desktop app ended'),
      sleep: (aboutToSleep) => skein.noteSleep(aboutToSleep),
    });
  announce(host, options);

  log.info('stopping', { cause: await stopping.promise });
  const overdue = setTimeout(() => {
    log.error('stopping took too long', { stopWithinMs });
    process.exit(1);
  }, stopWithinMs);
  await host.stop();
  await skein.stop();
  await claim.release();
  clearTimeout(overdue);
  // Whatever still holds the loop open must not keep a stopped node alive.
  process.exit(0);
}

function watchProcess(log: NodeLog, requestStop: (cause: string) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => requestStop(signal));
  // What cannot be written down, because the disk of the log is full, must not end the node.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const crash =
    (kind: string) =>
    (error: unknown): void => {
      // What this process still believes cannot be trusted; the journal holds what was acknowledged.
      log.error(kind, { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.exit(70);
    };
  process.on('uncaughtException', crash('uncaught exception'));
  process.on('unhandledRejection', crash('unhandled rejection'));
}

function announce(host: NodeHost, options: NodeOptions): void {
  const address = host.web.newAddress();
  const { home } = options;
  parentPort()?.postMessage({ type: 'ready', address, home });
  const line = options.json
    ? JSON.stringify({ v: 1, kind: 'Ready', pid: process.pid, home, address, control: host.control.path })
    : `skein is ready: ${address}`;
  process.stdout.write(`${line}\n`);
}

/** The built user interface, beside the bundled program or in the checkout this runs from. */
function builtUi(): string | null {
  const places = [join(import.meta.dirname, '../renderer'), join(import.meta.dirname, '../../../out/renderer')];
  return places.find((place) => existsSync(join(place, 'index.html'))) ?? null;
}

/** Only what was given: an absent option is not the same as one that is undefined. */
function given<Options extends Record<string, unknown>>(
  options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Options]?: Exclude<Options[Name], undefined> };
}

function report(failure: Failure): void {
  const { code, message, hint = '' } = failure;
  parentPort()?.postMessage({ type: 'failed', code, message, hint });
  process.stderr.write(
    process.argv.includes('--json')
      ? `${JSON.stringify({ error: { code: code.toUpperCase().replaceAll('-', '_'), message, hint } })}\n`
      : `skein: ${message}\n${hint}\n`,
  );
}

try {
  await run(parseNodeOptions(process.argv.slice(2), process.env));
} catch (error) {
  const failure: Failure =
    error instanceof FailureError
      ? error.failure
      : {
          code: 'internal',
          message: `the node could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        };
  report(failure);
  process.exit(failure.code === 'bad-input' ? 2 : 1);
}
