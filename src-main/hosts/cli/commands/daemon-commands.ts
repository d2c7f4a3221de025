import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { askControl } from '../connection.ts';
import { openInBrowser, runNode, startNodeInBackground, waitUntilStopped } from '../node-process.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Run } from '../command-action.ts';

interface NodeFlags {
  readonly name?: string;
  readonly port?: string;
  readonly listen?: string;
  readonly webPort?: string;
  readonly mdns?: boolean;
  readonly slots?: string;
  readonly sessionTtlMs?: string;
  readonly logLevel?: string;
}

/** The node process of this machine. */
export function addDaemonCommands(program: Command, run: Run): void {
  const daemon = program.command('daemon').description('the node process of this machine');
  addNodeFlags(daemon.command('start').description('start it in the background')).action(
    run((context, flags: NodeFlags) => start(context, flags)),
  );
  addNodeFlags(daemon.command('run').description('run it here until Ctrl+C')).action(
    run((context, flags: NodeFlags) => runNode(context, nodeArguments(context, flags))),
  );
  daemon.command('stop').description('stop it').action(run(stop));
  daemon.command('status').description('whether it runs, and where its window is').action(run(status));
  daemon.command('open').description('open its window in the browser').action(run(open));
}

function addNodeFlags(command: Command): Command {
  return command
    .option('--name <name>', 'what this machine is called in the swarm')
    .option('--port <n>', 'port for other machines')
    .option('--listen <address>', 'address to listen on for other machines')
    .option('--web-port <n>', 'port of the web server on this machine')
    .option('--no-mdns', 'do not look for machines nearby')
    .option('--slots <n>', 'tasks to run at the same time')
    .option('--session-ttl-ms <n>', 'how long others wait for this machine before its locks and tasks are given away')
    .option('--log-level <level>', 'debug, info, warn, error');
}

function nodeArguments(context: CliContext, flags: NodeFlags): string[] {
  const given: [string, string | undefined][] = [
    ['--home', context.home],
    ['--name', flags.name],
    ['--port', flags.port],
    ['--listen', flags.listen],
    ['--web-port', flags.webPort],
    ['--slots', flags.slots],
    ['--session-ttl-ms', flags.sessionTtlMs],
    ['--log-level', flags.logLevel],
  ];
  const args = given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return flags.mdns === false ? [...args, '--no-mdns'] : args;
}

async function start(context: CliContext, flags: NodeFlags): Promise<number> {
  const started = await startNodeInBackground(context, nodeArguments(context, flags));
  if (context.outJson('Daemon', { running: true, ...started })) return exitCodes.done;
  context.out(started.address);
  context.note(`The node runs as process ${started.pid} on ${context.home}. Next: skein init NAME, or skein join LINK`);
  return exitCodes.done;
}

async function stop(context: CliContext): Promise<number> {
  const before = await askControl(context.home, 'GET', '/control/status');
  await askControl(context.home, 'POST', '/control/stop');
  await waitUntilStopped(context.home, Number(before['pid']));
  if (!context.outJson('Daemon', { running: false })) context.note('The node has stopped.');
  return exitCodes.done;
}

async function status(context: CliContext): Promise<number> {
  const now = await askControl(context.home, 'GET', '/control/status');
  const pid = Number(now['pid']);
  const web = String(now['web']);
  if (context.outJson('Daemon', { running: true, pid, web, home: context.home })) return exitCodes.done;
  context.out(`running as process ${pid}`);
  context.out(`home  ${context.home}`);
  context.out(`web   ${web} (sign in with: skein daemon open)`);
  return exitCodes.done;
}

async function open(context: CliContext): Promise<number> {
  const address = String((await askControl(context.home, 'POST', '/control/ui-address'))['address']);
  if (context.outJson('Address', { address })) return exitCodes.done;
  context.out(address);
  if (context.world.stdout.isTTY === true && !openInBrowser(address, context.world.env)) {
    context.note('Open this address in a browser on this machine; it works once.');
  }
  return exitCodes.done;
}
