import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailureError } from '../../../shared/domain/failure.ts';
import type { SkeinServices } from '../../../src-main/api/services.ts';
import { createFilesService } from '../../../src-main/services/files-service.ts';
import { RecentFolders } from '../../../src-main/services/recent-folders.ts';
import { silentLogger } from './fakes.ts';

const call = { signal: new AbortController().signal };

describe('the folders of this machine', () => {
  let folder: string;
  let recent: RecentFolders;
  let files: SkeinServices['files'];

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'skein-files-')));
    recent = await RecentFolders.open(folder, silentLogger);
    files = createFilesService(recent);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const refused = async (path: string): Promise<string> => {
    const failure: unknown = await files.look({ path }, call).catch((error: unknown) => error);
    return failure instanceof FailureError ? failure.failure.code : 'no failure';
  };

  it('are listed with folders first, sizes, and without what is hidden', async () => {
    await mkdir(join(folder, 'zoo'));
    await writeFile(join(folder, 'b.txt'), 'four');
    await writeFile(join(folder, 'a.txt'), '');
    await writeFile(join(folder, '.secret'), 'x');
    expect(await files.look({ path: join(folder, 'zoo', '..') }, call)).toMatchObject({
      path: folder,
      writable: true,
      total: 3,
      entries: [
        { name: 'zoo', folder: true },
        { name: 'a.txt', folder: false, bytes: 0 },
        { name: 'b.txt', folder: false, bytes: 4 },
      ],
    });
    expect((await files.look({ path: '~' }, call)).path).toBe(homedir());
  });

  it('are refused with what is wrong: missing, a file, or no whole path', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(await refused(join(folder, 'gone'))).toBe('not-found');
    expect(await refused(join(folder, 'file'))).toBe('bad-input');
    expect(await refused('photos')).toBe('bad-input');
  });

  it('that work came from are remembered across restarts, the latest first and each once', async () => {
    for (let at = 0; at < 20; at++) await recent.used(`/projects/${at}`);
    await recent.used('/projects/15');
    const again = createFilesService(await RecentFolders.open(folder, silentLogger));
    const places = await again.places(call);
    expect(places.recent).toHaveLength(8);
    expect(places.recent.slice(0, 3)).toEqual(['/projects/15', '/projects/19', '/projects/18']);
  });
});
