import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJournal } from '../../src-main/adapters/disk/segment-journal.ts';
import { journalSuite } from '../acceptance/journal.suite.ts';

const journalUrl = new URL('../../src-main/adapters/disk/segment-journal.ts', import.meta.url).href;

journalSuite('the segment journal on this machine', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skein-journal-'));
  return {
    open: () => openJournal(join(dir, 'journal'), { segmentBytesMax: 300_000 }),
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
});

describe('a journal on this machine', () => {
  it('is held by one process, is free again when that is killed, and has kept what it acknowledged', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'skein-journal-'));
    const script = join(dir, 'owner.ts');
    await writeFile(
      script,
      `import { openJournal } from ${JSON.stringify(journalUrl)};
       const opened = await openJournal(${JSON.stringify(join(dir, 'journal'))});
       if (!opened.ok) throw new Error(opened.failure.message);
       let number = 0;
       const next = () => opened.value.journal.append([Buffer.from(String(number))], { sync: true }, () => {
         process.stdout.write(number++ + '\\n');
         next();
       });
       next();`,
    );
    const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    const ended = new Promise((resolve) => owner.once('close', resolve));
    const enough = new Promise<void>((resolve) => {
      owner.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (printed.split('\n').length > 50) resolve();
      });
    });
    await enough;
    const refused = await openJournal(join(dir, 'journal'));
    expect(refused).toMatchObject({ failure: { code: 'already-exists' } });
    expect(!refused.ok && refused.failure.message).toContain(String(owner.pid));
    owner.kill('SIGKILL');
    await ended;
    const acknowledged = printed.slice(0, printed.lastIndexOf('\n')).split('\n');
    const opened = await openJournal(join(dir, 'journal'));
    if (!opened.ok) throw new Error(opened.failure.message);
    const records = opened.value.records.map((record) => Buffer.from(record).toString());
    expect(records.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(records.length).toBeLessThanOrEqual(acknowledged.length + 1);
    await opened.value.journal.close();
    await rm(dir, { recursive: true, force: true });
  });
});
