/**
 * `npm run package -- [--dir] [--electron-dist DIR] [--linux|--win|--mac]`: builds everything and packs the desktop app with
 * electron-builder. Where no Electron can be had, `--dir` packs around a stand-in folder: the archive is the real
 * one, the program beside it is not, and that is said.
 */
import { chmod, glob, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listAsar, type PackedFile } from './asar-listing.ts';
import { buildDesktop } from './build-desktop.ts';
import { buildRenderer } from './build-renderer.ts';
import { distOf, electronProgram, findElectron } from './electron-binary.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mebibyte = 1024 * 1024;
/** The whole archive; a package that grew past it packed something it should not have. */
const asarBytesMax = 12 * mebibyte;
const neededFiles = [
  'package.json',
  'out/main/main.js',
  'out/preload/preload.cjs',
  'out/node/main.js',
  'out/node/spawn-helper.js',
  'out/renderer/index.html',
];

interface Dist {
  readonly folder: string;
  readonly isStandIn: boolean;
}

/** Electron's folder: the one given, the installed one, or a stand-in that holds no Electron. */
async function chooseDist(asked: string | undefined): Promise<Dist> {
  if (asked !== undefined) {
    const program = join(asked, electronProgram());
    if (!existsSync(program)) throw new Error(`--electron-dist ${asked} holds no Electron: ${program} is missing`);
    return { folder: asked, isStandIn: (await stat(program)).size < mebibyte };
  }
  const found = findElectron();
  if (found !== null) return { folder: distOf(found), isStandIn: false };
  const folder = join(root, 'out', 'electron-stand-in');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'electron'),
    '#!/bin/sh\necho "This is a stand-in for Electron. The app was packed without its program." >&2\nexit 1\n',
  );
  await chmod(join(folder, 'electron'), 0o755);
  return { folder, isStandIn: true };
}

async function pack(dist: Dist, isFolderOnly: boolean, system: string): Promise<void> {
  const { build, Platform, createTargets } = await import('electron-builder');
  const platform = system === 'win' ? Platform.WINDOWS : system === 'mac' ? Platform.MAC : Platform.LINUX;
  await build({
    projectDir: root,
    targets: createTargets([platform], isFolderOnly ? 'dir' : null),
    config: {
      extends: join(root, 'electron-builder.yml'),
      electronDist: dist.folder,
      // Fuses are bits inside Electron's program, and languages files beside it: a stand-in has neither.
      ...(dist.isStandIn ? { electronFuses: null } : { electronLanguages: ['en', 'en-US'] }),
    },
    publish: 'never',
  });
}

/** Looks into what was packed, and refuses what should not be there. */
async function verify(): Promise<void> {
  const archives: string[] = [];
  for await (const found of glob('dist/**/app.asar', { cwd: root })) archives.push(join(root, found));
  if (archives.length === 0) throw new Error('no app.asar was packed under dist/');
  for (const archive of archives) {
    const files = listAsar(archive);
    const bytes = (await stat(archive)).size;
    const problems = problemsOf(files, bytes);
    say(`\n${archive}: ${String(files.length)} files, ${(bytes / mebibyte).toFixed(2)} MiB`);
    for (const file of files.toSorted((left, right) => right.bytes - left.bytes).slice(0, 12))
      say(`  ${String(file.bytes).padStart(9)}  ${file.path}`);
    if (problems.length > 0) throw new Error(`the package is not right: ${problems.join('; ')}`);
  }
}

/** What is wrong with a package of these files, in words. */
export function problemsOf(files: readonly PackedFile[], bytes: number): readonly string[] {
  const paths = new Set(files.map((file) => file.path));
  return [
    ...neededFiles.filter((path) => !paths.has(path)).map((path) => `${path} is missing`),
    ...files
      .filter(({ path }) => /(^|\/)node_modules\/|\.toolchain\/|\.(ts|map|env|pem|key)$/.test(path))
      .map(({ path }) => `${path} must not be packed`),
    ...(bytes > asarBytesMax
      ? [`the archive has ${(bytes / mebibyte).toFixed(1)} MiB, more than ${String(asarBytesMax / mebibyte)}`]
      : []),
  ];
}

async function main(): Promise<void> {
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { dir: flag, linux: flag, win: flag, mac: flag, 'electron-dist': { type: 'string' } },
  });
  const own = process.platform === 'win32' ? 'win' : process.platform === 'darwin' ? 'mac' : 'linux';
  const system = values.win === true ? 'win' : values.mac === true ? 'mac' : values.linux === true ? 'linux' : own;
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const dist = await chooseDist(values['electron-dist']);
  if (dist.isStandIn && values.dir !== true) {
    throw new Error(
      'installers need a real Electron: give its folder with --electron-dist DIR, or pack a folder only with --dir',
    );
  }
  say(`packing Skein ${version} for ${system}`);
  await buildRenderer();
  await buildDesktop();
  await rm(join(root, 'dist'), { recursive: true, force: true });
  await pack(dist, values.dir === true, system);
  await verify();
  say(
    dist.isStandIn
      ? '\nNOT RUNNABLE: no Electron binary was found, so a stand-in lies where its program belongs and no fuses were set. The app.asar is the real one.'
      : '\nPacked with a real Electron; fuses are set as electron-builder.yml says.',
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
