/**
 * Founds a swarm of three node processes on loopback, has it compress real files one task each, kills the
 * coordinator midway, starts it again, and checks every output against a compression done here.
 */
import { createHash } from 'node:crypto';
import { cp, glob, mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { JobDetail } from '../shared/contract/tasks.ts';
import { buildRenderer } from './build-renderer.ts';
import { LocalSwarm } from './swarm/local-swarm.ts';
import { until, type NodeProcess } from './swarm/node-process.ts';

const usage = `usage: npm run demo -- [--once] [FOLDER]
  --once   run the job, check it, print one line and stop
  FOLDER   the files to compress (default: this project's own sources and documents)`;

const filesMax = 400;
const root = fileURLToPath(new URL('..', import.meta.url));
/** Short, so that the tasks of the killed machine do not keep the demo waiting for the usual twenty seconds. */
const sessionTtlMs = 5_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Outcome {
  readonly tasks: number;
  readonly verified: number;
  readonly lost: number;
  readonly acceptedDuplicates: number;
  readonly coordinatorChanges: number;
  readonly failoverMs: number;
}

/** Counts the ballots under which somebody coordinated, as the survivors see them, beyond the first. */
function countCoordinatorChanges(swarm: LocalSwarm): () => number {
  const ballots = new Set<string>();
  const look = async (): Promise<void> => {
    for (const node of swarm.running()) {
      // A node that is being killed cannot answer; the others can.
      const overview = await Promise.resolve()
        .then(() => node.api.swarm.overview())
        .catch(() => null);
      if (overview?.view.coordinator) ballots.add(overview.view.coordinator.ballot);
    }
  };
  const timer = setInterval(() => void look(), 200);
  timer.unref();
  return () => {
    clearInterval(timer);
    return Math.max(0, ballots.size - 1);
  };
}

/** The files to work on, by their paths below `source`. */
interface Work {
  readonly source: string;
  readonly files: readonly string[];
}

async function findWork(folder: string | undefined): Promise<Work> {
  const source = folder === undefined ? root : resolve(folder);
  const globs =
    folder === undefined
      ? ['src-main/**/*', 'src-renderer/**/*', 'shared/**/*', 'test/**/*', 'docs/**/*', 'scripts/**/*', '*.md']
      : ['**/*'];
  const files: string[] = [];
  for await (const path of glob(globs, {
    cwd: source,
    exclude: (name) => name === 'node_modules' || name === '.git',
  })) {
    const info = await stat(join(source, path));
    if (!info.isFile() || info.size === 0 || path.endsWith('.gz')) continue;
    files.push(path);
    if (files.length >= filesMax) break;
  }
  if (files.length === 0) throw new Error(`${source} holds no files. Name a folder with some: npm run demo -- FOLDER`);
  return { source, files };
}

const counts = (detail: JobDetail): string => {
  const { waiting, active, succeeded, failed } = detail.job.counts;
  return `${succeeded} done, ${active} under way, ${waiting} waiting, ${failed} failed`;
};

async function watchJob(
  node: NodeProcess,
  job: number,
  done: (detail: JobDetail) => boolean,
  withinMs: number,
): Promise<JobDetail> {
  return until(`job ${job}`, withinMs, async () => {
    const { view } = await node.api.tasks.show({ selector: String(job), limit: 1 });
    return done(view) ? view : null;
  });
}

/** Kills the coordinator and measures how long until a write succeeds on a survivor. */
async function killCoordinator(swarm: LocalSwarm): Promise<{ victim: NodeProcess; failoverMs: number }> {
  const victim = await swarm.coordinator();
  say(`killing the coordinator ${victim.name} (pid ${victim.pid}) with SIGKILL`);
  const startedAt = performance.now();
  await victim.kill();
  const [survivor] = swarm.running();
  if (survivor === undefined) throw new Error('nobody survived');
  // Force-releasing a lock that nobody holds changes nothing, yet its refusal must go through the log.
  await until(
    'a write after the kill',
    60_000,
    async () => {
      try {
        await survivor.api.locks.forceRelease({ name: 'demo-probe', token: 1, reason: 'probing the failover' });
      } catch (error) {
        if (isAnswer(error)) return true;
        throw error;
      }
      return true;
    },
    5,
  );
  const failoverMs = Math.round(performance.now() - startedAt);
  say(`the survivors chose ${(await swarm.coordinator()).name}; writes work again after ${failoverMs} ms`);
  return { victim, failoverMs };
}

/** A refusal by the replicated state, as against a coordinator that is missing. */
function isAnswer(error: unknown): boolean {
  const code = (error as { data?: { code?: string } }).data?.code ?? '';
  return code === 'not-found' || code === 'precondition-failed';
}

async function verifyOutputs(files: readonly string[], source: string, outputs: string): Promise<number> {
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  let verified = 0;
  for (const path of files) {
    try {
      const [original, compressed] = await Promise.all([
        readFile(join(source, path)),
        readFile(join(outputs, `${path}.gz`)),
      ]);
      if (digest(gunzipSync(compressed)) === digest(original)) verified += 1;
      else say(`  differs: ${path}`);
    } catch (error) {
      say(`  missing: ${path}.gz (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
    }
  }
  return verified;
}

/** Tasks whose log shows more than one accepted success. There must be none. */
async function countAcceptedDuplicates(node: NodeProcess, job: number, total: number): Promise<number> {
  let duplicates = 0;
  for (let offset = 0; offset < total; offset += 500) {
    const { view } = await node.api.tasks.show({ selector: String(job), offset, limit: 500 });
    for (const task of view.tasks) {
      const accepted = task.attempts.filter(({ state }) => state === 'succeeded').length;
      if (accepted > 1) duplicates += 1;
    }
  }
  return duplicates;
}

async function runJob(swarm: LocalSwarm, work: Work): Promise<Outcome> {
  const source = join(swarm.folder, 'work');
  const outputs = join(swarm.folder, 'compressed');
  await mkdir(source, { recursive: true });
  // Copied aside, so that the job's folder holds them and nothing else.
  const { files } = work;
  for (const path of files) await cp(join(work.source, path), join(source, path));
  const first = await swarm.coordinator();
  const coordinatorChanges = countCoordinatorChanges(swarm);
  const submitter = swarm.nodes.find((node) => node !== first);
  if (submitter === undefined) throw new Error('the demo needs three machines');
  say(`${first.name} coordinates; ${submitter.name} submits ${files.length} files, one task each`);

  const { job } = await submitter.api.tasks.submit({
    name: 'compress',
    // A moment of thinking per file, so that there is something left to do when the coordinator dies.
    argv: [process.execPath, '-e', compressProgram, '{file}'],
    cwd: source,
    each: { type: 'files', globs: ['**/*'] },
    outputs: ['{file}.gz'],
    outputFolder: outputs,
    retries: 2,
  });
  const third = Math.ceil(files.length / 3);
  const midway = await watchJob(
    submitter,
    job,
    ({
      job: {
        counts: { succeeded },
      },
    }) => succeeded >= third,
    240_000,
  );
  say(`midway: ${counts(midway)}`);
  const { victim, failoverMs } = await killCoordinator(swarm);
  await sleep(2_000);
  await victim.start();
  say(`${victim.name} is back and catches up`);

  const ended = await watchJob(
    submitter,
    job,
    ({ job: { endedAt, delivery } }) => endedAt !== null && (delivery?.pending ?? 0) === 0,
    400_000,
  );
  say(
    `the job has ended: ${counts(ended)}; ${ended.job.extraAttempts} attempts were repeated, ${ended.job.refusedResults} late results refused`,
  );
  for (const { name } of ended.job.where) say(`  worked on it: ${name}`);
  const verified = await verifyOutputs(files, source, outputs);
  return {
    tasks: files.length,
    verified,
    lost: files.length - ended.job.counts.succeeded,
    acceptedDuplicates: await countAcceptedDuplicates(submitter, job, files.length),
    coordinatorChanges: coordinatorChanges(),
    failoverMs,
  };
}

const compressProgram = `
const { readFileSync, writeFileSync } = require('node:fs');
const { gzipSync } = require('node:zlib');
const [file] = process.argv.slice(1);
writeFileSync(file + '.gz', gzipSync(readFileSync(file), { level: 9 }));
console.log('compressed ' + file);
`;

/** Until Ctrl+C, after which the swarm is to be stopped in order. */
async function interruption(swarm: LocalSwarm): Promise<void> {
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
    swarm.ignoreInterruptions();
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { once: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help === true || positionals.length > 1) {
    say(usage);
    return values.help === true ? 0 : 2;
  }
  const work = await findWork(positionals[0]);
  await buildRenderer();
  const flags = ['--session-ttl-ms', String(sessionTtlMs)];
  const swarm = await LocalSwarm.found({ name: 'demo', machines: ['anna', 'boris', 'chloe'], flags, slots: 2, say });
  try {
    const address = swarm.nodes[0]?.address ?? '';
    say(`open the window: ${address}`);
    const outcome = await runJob(swarm, work);
    const good =
      outcome.verified === outcome.tasks &&
      outcome.lost === 0 &&
      outcome.acceptedDuplicates === 0 &&
      outcome.coordinatorChanges > 0;
    if (values.once !== true) {
      for (const node of swarm.nodes) say(`  ${node.name}: ${node.address}\n    npx skein --home ${node.home} status`);
      say('The swarm stays up for you to play with. Ctrl+C ends it.');
    } else {
      say(
        `demo: tasks=${outcome.tasks} verified=${outcome.verified} lost=${outcome.lost} ` +
          `accepted-duplicates=${outcome.acceptedDuplicates} coordinator-changes=${outcome.coordinatorChanges} failover-ms=${outcome.failoverMs}`,
      );
      return good ? 0 : 1;
    }
    await interruption(swarm);
    return good ? 0 : 1;
  } finally {
    await swarm.dispose();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
