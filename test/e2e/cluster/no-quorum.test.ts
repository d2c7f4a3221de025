import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, overviewOf, ThreeNodes } from './node-processes.ts';

const ttlMs = 4_000;
const flags = ['--session-ttl-ms', String(ttlMs)];

describe('one of three node processes, alone', () => {
  let three: ThreeNodes;

  beforeAll(async () => {
    three = await ThreeNodes.found(flags);
  }, 90_000);

  afterAll(async () => {
    await three.processes.end();
  }, 30_000);

  it('says so, stops what works under a lease it can no longer renew, and goes on when the others are back', async () => {
    const { processes } = three;
    const survivor = three.of(0);
    const folder = join(processes.folder, 'work');
    await mkdir(folder);
    const { job } = await survivor.line.client.tasks.submit({
      // Writes a line every 50 ms for as long as it lives; its own folder is removed with it, so it writes outside.
      argv: ['sh', '-c', 'while true; do date +%s%N >> "$BEATS"; sleep 0.05; done'],
      env: { BEATS: join(folder, 'beats') },
      cwd: folder,
      on: survivor.name,
    });
    await eventually('the task runs', 20_000, async () => ((await beats()) > 3 ? true : null));
    const holding = await survivor.line.client.locks.hold({ name: 'store' });
    const events: string[] = [];
    const reading = (async () => {
      for await (const event of holding) {
        events.push(event.type);
        if (event.type === 'lost') break;
      }
    })();
    await eventually('the lock is held', 20_000, async () => (events.includes('granted') ? true : null));

    await Promise.all([processes.kill(three.of(1)), processes.kill(three.of(2))]);
    const lostAt = performance.now();
    await eventually('the holder is told', 2 * ttlMs, async () => (events.includes('lost') ? true : null));
    await reading;
    let before = await beats();
    await eventually('the task is dead', 2 * ttlMs, async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const now = await beats();
      const still = now === before;
      before = now;
      return still ? true : null;
    });
    expect(performance.now() - lostAt).toBeLessThan(2 * ttlMs);
    const alone = await eventually('it says that there is no majority', 20_000, async () => {
      const view = await overviewOf(survivor);
      return view.state === 'no-quorum' ? view : null;
    });
    expect(alone.coordinator).toBeNull();
    expect(alone.message).toContain('1 of 3 voters can be reached, 2 are needed');
    expect((await survivor.line.client.tasks.list()).provenance.consistency).toBe('stale');

    const back = await processes.start('birch', flags);
    await eventually('the swarm works again', 40_000, async () =>
      (await overviewOf(back)).coordinator === null ? null : true,
    );
    await eventually('the task runs again, as another attempt', 40_000, async () => {
      const { view } = await survivor.line.client.tasks.show({ selector: String(job) });
      return (view.tasks[0]?.attempts.length ?? 0) > 1 && view.job.state === 'running' ? true : null;
    });
    expect((await survivor.line.client.tasks.cancel({ selector: String(job) })).cancelled).toBe(1);

    async function beats(): Promise<number> {
      const text = await readFile(join(folder, 'beats'), 'utf8').catch(() => '');
      return text.split('\n').length;
    }
  }, 180_000);
});
