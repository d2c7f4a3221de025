import { parseArgs } from 'node:util';
import { FailureError } from '../../../shared/domain/failure.ts';
import { homeFolder } from '../home-folder.ts';
import { logLevels, type LogLevel } from './node-log.ts';

/** How a node process was asked to run. */
export interface NodeOptions {
  readonly home: string;
  readonly name: string | undefined;
  /** Port for other machines; undefined for the one in the home or any free one. */
  readonly port: number | undefined;
  readonly listenHost: string | undefined;
  readonly webPort: number | null;
  readonly uiFolder: string | undefined;
  readonly mdns: boolean;
  readonly slots: number | undefined;
  readonly sessionTtlMs: number | undefined;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

export const nodeUsage = `usage: node process of Skein, normally started by “skein daemon start”
  --home DIR           folder with the identity and everything the node keeps
  --name NAME          what this machine is called in the swarm
  --port N             port for other machines (default: the last one, or any free one)
  --listen ADDRESS     address to listen on for other machines (default: all)
  --web-port N         port of the web server on 127.0.0.1 (default: the last one, or any free one)
  --ui DIR             folder of the built user interface
  --no-mdns            do not look for machines nearby
  --slots N            tasks to run at the same time
  --session-ttl-ms N   how long others wait for this machine before its locks and tasks are given away
  --log-level LEVEL    ${logLevels.join(', ')}
  --json               the ready line as JSON`;

/** Reads the flags of a node process. Throws `bad-input`, naming the flag. */
export function parseNodeOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): NodeOptions {
  const { values } = parse(args);
  const level = values['log-level'] ?? env['SKEIN_LOG'] ?? 'info';
  const logLevel = logLevels.find((known) => known === level);
  if (logLevel === undefined) throw refuse('--log-level', level, `one of ${logLevels.join(', ')}`);
  return {
    home: homeFolder(values.home, env),
    name: values.name,
    port: whole('--port', values.port, 0, 65_535),
    listenHost: values.listen,
    webPort: whole('--web-port', values['web-port'], 0, 65_535) ?? null,
    uiFolder: values.ui,
    mdns: values['no-mdns'] !== true,
    slots: whole('--slots', values.slots, 0, 1_024),
    sessionTtlMs: whole('--session-ttl-ms', values['session-ttl-ms'], 500, 3_600_000),
    logLevel,
    json: values.json === true,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        home: text,
        name: text,
        port: text,
        listen: text,
        'web-port': text,
        ui: text,
        'no-mdns': flag,
        slots: text,
        'session-ttl-ms': text,
        'log-level': text,
        json: flag,
      },
    });
  } catch (error) {
    throw new FailureError({
      code: 'bad-input',
      message: error instanceof Error ? error.message : String(error),
      hint: nodeUsage,
    });
  }
}

function whole(flag: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw refuse(flag, text, `a whole number from ${least} to ${most}`);
  return value;
}

const refuse = (flag: string, text: string, expected: string): FailureError =>
  new FailureError({ code: 'bad-input', message: `${flag} cannot be “${text}”`, hint: `Give ${expected}.` });
