import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fail, FailureError, ok } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import { openContentStore } from '../../../src-main/adapters/disk/file-content-store.ts';
import { readManifest } from '../../../src-main/services/manifest.ts';
import { valueOf } from '../../../src-main/services/running-peer.ts';
import { outputsCollide } from '../../../src-main/services/submission-records.ts';
import { planSubmission, storePlan, type CheckedSubmission } from '../../../src-main/services/submission.ts';

describe('a submission', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skein-submission-'));
    await mkdir(join(folder, 'lib', 'deep'), { recursive: true });
    for (const name of ['b.txt', 'a.txt', 'c.md', 'photo[1].jpg', 'lib/one.js', 'lib/deep/two.js']) {
      await writeFile(join(folder, ...name.split('/')), name);
    }
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const submission = (change: Partial<CheckedSubmission>): CheckedSubmission => ({
    argv: ['true'],
    env: {},
    cwd: folder,
    inputs: [],
    each: { type: 'once' },
    outputs: [],
    retries: 0,
    policy: 'least-loaded',
    slots: 1,
    ...change,
  });
  const member = (text: string) => (text === 'here' ? ok(nodeId('n1')) : fail('not-found', `no member ${text}`));
  const plan = (change: Partial<CheckedSubmission>) => planSubmission(submission(change), member);
  const refusal = async (change: Partial<CheckedSubmission>): Promise<unknown> => {
    try {
      await plan(change);
      return null;
    } catch (error) {
      if (error instanceof FailureError) return `${error.failure.code}: ${error.failure.message}`;
      throw error;
    }
  };

  it('makes one task per file, sorted, each with its own input', async () => {
    const planned = await plan({ argv: ['gzip', '{file}'], each: { type: 'files', globs: ['*.txt'] } });
    expect(planned.items.map((item) => item.file?.path)).toEqual(['a.txt', 'b.txt']);
    expect(planned.taskCount).toBe(2);
    expect(planned.inputBytes).toBe(10);
  });

  it('takes a name that exists literally before it takes it as a pattern', async () => {
    const planned = await plan({ each: { type: 'files', globs: ['photo[1].jpg'] } });
    expect(planned.items.map((item) => item.file?.path)).toEqual(['photo[1].jpg']);
  });

  it('takes whole folders as shared inputs', async () => {
    const planned = await plan({ inputs: ['lib', 'c.md', 'lib/one.js'] });
    expect(planned.shared.map((file) => file.path)).toEqual(['lib/deep/two.js', 'lib/one.js', 'c.md']);
  });

  it('counts a range with its ends', async () => {
    const planned = await plan({ each: { type: 'range', from: 10, to: 20, step: 5 } });
    expect(planned.items.map((item) => item.index)).toEqual([10, 15, 20]);
  });

  it('is refused, naming what is wrong', async () => {
    expect(await refusal({ each: { type: 'files', globs: ['*.png'] } })).toContain('not-found: Nothing matches *.png');
    expect(await refusal({ inputs: ['../other'] })).toMatch(/^(bad-input|not-found): /);
    expect(await refusal({ inputs: [tmpdir()] })).toContain('is outside the folder');
    expect(await refusal({ argv: ['{line}'] })).toContain('bad-input: {line} stands for nothing here');
    expect(await refusal({ outputs: ['../x'] })).toContain('bad-input: The output ../x');
    expect(await refusal({ outputs: ['/etc/passwd'] })).toContain('bad-input: The output /etc/passwd');
    expect(await refusal({ cwd: 'relative' })).toContain('bad-input: The folder relative');
    expect(await refusal({ on: 'nowhere' })).toBe('not-found: no member nowhere');
    expect(await refusal({ each: { type: 'range', from: 2, to: 1, step: 1 } })).toContain(
      'bad-input: The range 2 to 1',
    );
    expect(await refusal({ each: { type: 'range', from: 1, to: 200_000, step: 1 } })).toContain('limit-reached');
    expect(await refusal({ env: { BIG: 'x'.repeat(70_000) } })).toContain('limit-reached');
    expect(await refusal({ lock: 'a\u0000b' })).toContain('bad-input: A lock name');
  });

  it('keeps its files and its list of tasks by hash', async () => {
    const store = valueOf(await openContentStore(join(folder, '.store')));
    const planned = await plan({ inputs: ['c.md'], each: { type: 'files', globs: ['*.txt'] }, on: 'here' });
    const hash = await storePlan(planned, store, new AbortController().signal);
    const manifest = await readManifest(store, hash);
    expect(manifest.items.map((item) => [item.index, item.file, item.inputs.length])).toEqual([
      [0, 'a.txt', 1],
      [1, 'b.txt', 1],
    ]);
    const first = manifest.items[0]?.inputs[0];
    expect(first === undefined ? null : await store.has(first.hash)).toBe(true);
    expect(await storePlan(planned, store, new AbortController().signal)).not.toBe(hash);
  });

  it('gives tasks folders of their own only when their outputs would meet', () => {
    const items = [
      { index: 0, file: 'a/x.txt' },
      { index: 1, file: 'b/x.txt' },
    ];
    expect(outputsCollide(['{file}.gz'], items)).toBe(false);
    expect(outputsCollide(['{name}.gz'], items)).toBe(true);
    expect(outputsCollide(['out.txt'], items)).toBe(true);
    expect(outputsCollide(['out.txt'], items.slice(0, 1))).toBe(false);
  });
});
