/** Finds the program of Electron. The package brings none by itself, and none is downloaded here. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isProgram } from './programs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The name of Electron's program inside its folder. */
export function electronProgram(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron';
  return platform === 'win32' ? 'electron.exe' : 'electron';
}

/** Path of an Electron that can be run: `ELECTRON_PATH`, or the one beside the installed package; null when there is none. */
export function findElectron(): string | null {
  const wished = process.env['ELECTRON_PATH'];
  const candidates =
    wished === undefined || wished === ''
      ? [join(root, 'node_modules', 'electron', 'dist', electronProgram())]
      : [wished];
  return candidates.find(isProgram) ?? null;
}

/** The folder that a found program belongs to, as packaging wants it. */
export function distOf(program: string): string {
  return process.platform === 'darwin' ? join(dirname(program), '..', '..', '..') : dirname(program);
}
