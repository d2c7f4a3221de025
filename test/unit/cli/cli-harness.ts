import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { runCli } from '../../../src-main/hosts/cli/program.ts';
import { startNodeHost, type NodeHost } from '../../../src-main/hosts/node/node-host.ts';
import { fakeServices, noon, type Fakes } from '../api/fake-services.ts';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunningCli {
  readonly result: Promise<CliResult>;
  /** What was written so far. */
  out(): string;
  err(): string;
  interrupt(): void;
}

export interface CliHarness {
  readonly home: string;
  readonly host: NodeHost | null;
  skein(argv: readonly string[], stdin?: string): Promise<CliResult>;
  start(argv: readonly string[], stdin?: string): RunningCli;
  stop(): Promise<void>;
}

const silent = () => undefined;

/** A home of its own with a node that answers as told (null: no node runs), and the command line against it. */
export async function cliHarness(fakes: Fakes | null): Promise<CliHarness> {
  const home = await mkdtemp(join(tmpdir(), 'skein-cli-'));
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const host =
    fakes === null
      ? null
      : await startNodeHost({
          home,
          services: fakeServices(fakes),
          webPort: 0,
          uiFolder: null,
          requestStop: silent,
          log,
        });
  const start = (argv: readonly string[], stdin = ''): RunningCli => {
    let out = '';
    let err = '';
    const listeners = new Set<() => void>();
    const code = runCli({
      argv,
      env: { SKEIN_HOME: home, PATH: process.env['PATH'] },
      cwd: home,
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      onInterrupt(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      wall: () => noon + 90_000,
    });
    return {
      result: code.then((value) => ({ code: value, out, err })),
      out: () => out,
      err: () => err,
      interrupt: () => listeners.forEach((listener) => listener()),
    };
  };
  return {
    home,
    host,
    start,
    skein: (argv, stdin) => start(argv, stdin).result,
    async stop() {
      await host?.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export const hasColour = (text: string): boolean => stripVTControlCharacters(text) !== text;
