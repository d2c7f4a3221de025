/**
 * Real node processes under real faults: `npm run test:chaos -- --help` tells the options. Clients take locks, write
 * keys and submit tasks meanwhile and record what they are told; afterwards everything is healed, must work again, and
 * the records are judged. The last line sums up; the exit code is 0 only if nothing was wrong and something was done.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src-main/core/machine/random.ts';
import { writeHistory } from '../test/checkers/history.ts';
import { storm, unavailableFaults } from './chaos/faults.ts';
import { buildNodeProgram } from './build-desktop.ts';
import { heal } from './chaos/healing.ts';
import { runIsolated, whyNotIsolated } from './chaos/isolation.ts';
import { judge } from './chaos/judgement.ts';
import { useKeys } from './chaos/kv-load.ts';
import { FencedResource, useLocks } from './chaos/lock-load.ts';
import { foundMachines, type Machines } from './chaos/machines.ts';
import { parseOptions, usage, type ChaosOptions } from './chaos/options.ts';
import { Story } from './chaos/story.ts';
import { TaskLoad } from './chaos/task-load.ts';
import { Wires } from './chaos/wires.ts';
import { until } from './swarm/node-process.ts';

/** Set inside the namespaces: the node's program, built outside. */
const insideVariable = 'SKEIN_CHAOS_INSIDE';
const lockClientsPerNode = 2;
/** Longer than any call of a client may take. */
const clientsEndMs = 60_000;

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const options = parseOptions(process.argv.slice(2), Date.now());
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${usage}\n`);
    return 2;
  }
  const built = process.env[insideVariable];
  if (built !== undefined) return chaos(options, built, true);
  // Whatever the run leaves in its folder goes with it, even when the run was killed.
  const folder = mkdtempSync(join(tmpdir(), 'skein-chaos-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  // As one file a node starts with a sixth of the work: on a busy machine five of them would not all be ready in time.
  const program = await buildNodeProgram(folder);
  if (options.loopback || whyNotIsolated() !== null) return chaos(options, program, false);
  const args = ['--seed', String(options.seed), ...process.argv.slice(2)];
  return runIsolated(fileURLToPath(import.meta.url), args, { [insideVariable]: program, TMPDIR: folder });
}

async function chaos(wanted: ChaosOptions, program: string, inside: boolean): Promise<number> {
  const story = new Story((line) => void process.stdout.write(`${line}\n`));
  const unavailable = unavailableFaults(inside);
  const options = { ...wanted, faults: wanted.faults.filter((kind) => !unavailable.has(kind)) };
  story.say(
    `chaos: ${options.nodes} nodes ${inside ? 'in network namespaces' : 'on loopback'} for ${options.minutes} min, seed ${options.seed}, faults ${options.faults.join(' ')}`,
  );
  for (const [kind, reason] of unavailable) if (wanted.faults.includes(kind)) story.say(`skipped: ${kind} (${reason})`);
  if (options.faults.length === 0) return 1;
  const machines = await foundMachines(options, program, inside ? new Wires(options.nodes) : null, story);
  let acknowledged = 0;
  try {
    const tasks = await weather(options, machines, story);
    acknowledged = tasks.ledger.size;
    for (const problem of tasks.problems()) story.violation(problem);
    judge(story);
  } catch (error) {
    story.violation(`the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    keepRecords(options, machines, story);
    await machines.swarm.dispose();
  }
  const kinds = [...story.faults].map(([kind, count]) => `${kind}:${count}`).join(' ');
  story.say(`faults ${kinds}; ${acknowledged} jobs acknowledged`);
  const done = story.operations.filter(({ end }) => end !== null).length;
  process.stdout.write(
    `chaos: nodes=${options.nodes} faults=${story.faultCount} operations=${done} violations=${story.violations.length} seed=${options.seed}\n`,
  );
  return story.violations.length === 0 && done > 0 && story.faultCount > 0 ? 0 : 1;
}

/** The storm, and the calm after it. */
async function weather(options: ChaosOptions, { swarm, all, wires }: Machines, story: Story): Promise<TaskLoad> {
  const cwd = join(swarm.folder, 'empty');
  mkdirSync(cwd);
  const random = seededRandom(options.seed);
  const [resource, tasks] = [new FencedResource(story), new TaskLoad({ machines: all, story, cwd })];
  let [works, supervised, followed] = [true, true, true];
  const clients = all.flatMap((machine, index) => [
    ...Array.from({ length: lockClientsPerNode }, (_, each) =>
      useLocks({
        machine,
        story,
        resource,
        random: seededRandom(options.seed * 1_000 + index * 10 + each),
        client: `${machine.name}-${each + 1}`,
        running: () => works,
      }),
    ),
    useKeys({
      machine,
      story,
      random: seededRandom(options.seed * 1_000 + index * 10 + 8),
      client: `${machine.name}-keys`,
      running: () => works,
    }),
    tasks.submit(machine, seededRandom(options.seed * 1_000 + index * 10 + 9), () => works),
  ]);
  const supervision = all.map((machine) => machine.supervise(() => supervised));
  const following = tasks.follow(seededRandom(options.seed + 1), () => followed);
  const stormEnds = story.now + options.minutes * 60_000;
  await storm({ machines: all, wires, options, story, random }, options.faults, () => story.now < stormEnds);
  await heal({
    swarm,
    machines: all,
    wires,
    story,
    openJobs: () => tasks.openCount,
    stopClients: () => (works = false),
  });
  followed = false;
  supervised = false;
  let over = false;
  const everybody = Promise.all([...clients, ...supervision, following]).then(() => (over = true));
  // A call that is never answered must end the run as a violation, not keep it from ending.
  await until('every client to end', clientsEndMs, () => Promise.resolve(over || null));
  await everybody;
  return tasks;
}

function keepRecords(options: ChaosOptions, { all }: Machines, story: Story): void {
  if (options.keep === null && story.violations.length === 0) return;
  const folder = keepFolder(options);
  writeFileSync(join(folder, 'history.jsonl'), writeHistory(story.operations));
  writeFileSync(join(folder, 'story.log'), `${story.lines.join('\n')}\n`);
  for (const { name, log } of all) cpSync(log, join(folder, `${name}.log`), { force: true });
  process.stdout.write(`records are in ${folder}\n`);
}

function keepFolder(options: ChaosOptions): string {
  const folder = options.keep ?? fileURLToPath(new URL(`../test-results/chaos-${options.seed}`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  return folder;
}

const code = await main().catch((error: unknown) => {
  process.stderr.write(`chaos: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
});
// After a failure clients may still wait for nodes that are gone.
process.exit(code);
