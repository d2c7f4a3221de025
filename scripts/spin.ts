/** Finds Spin and a C compiler for the models, and installs Debian's where that is allowed and possible. */
import { spawnSync } from 'node:child_process';
import { findProgram, installPackages, mayInstallPackages } from './programs.ts';

export interface ModelTools {
  readonly spin: string;
  readonly compiler: string;
}

/** Exit code of `models` on a machine that cannot check any: for `npm test`, a step skipped and not failed. */
export const modelToolsMissing = 3;

const packageManagerMsMax = 5 * 60_000;

/** Returns both programs, or null after saying what is missing and how to get it. */
export function findModelTools(
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): ModelTools | null {
  const found = installedTools();
  if (found !== null) return found;
  if (mayInstallPackages()) {
    say('models: spin or a C compiler is not there; installing them with apt-get');
    if (installPackages(['spin', 'gcc', 'libc6-dev'], packageManagerMsMax)) return installedTools();
    say('models: apt-get could not install them');
  }
  say(
    'models: they need spin (6.5 or later, spinroot.com) and gcc or clang on the PATH.\n' +
      '  Debian, Ubuntu: sudo apt-get install spin gcc libc6-dev    macOS: brew install spin',
  );
  return null;
}

function installedTools(): ModelTools | null {
  const spin = findProgram('spin');
  const compiler = findProgram('gcc') ?? findProgram('clang') ?? findProgram('cc');
  // Programs of other trades are called spin, too.
  const isModelChecker =
    spin !== null && spawnSync(spin, ['-V'], { encoding: 'utf8' }).stdout.startsWith('Spin Version');
  return isModelChecker && compiler !== null ? { spin, compiler } : null;
}
