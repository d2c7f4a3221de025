import type { Mutant } from './mutant.ts';

/** Faults in how two versions live in one swarm. */
export const versionMutants: readonly Mutant[] = [
  {
    name: 'level-raised-by-majority',
    fault: 'the level rises once most members support it',
    file: 'src-main/core/node/level-gate.ts',
    original: '  const level = Math.min(supports, ...said);',
    mutated:
      '  const level = Math.min(supports, said.sort((left, right) => right - left)[Math.floor(said.length / 2)] ?? 0);',
    seedsMax: 50,
  },
  {
    name: 'gated-entry-proposed-early',
    fault: 'what a level brought goes into the log before that level is reached',
    file: 'src-main/core/node/level-gate.ts',
    original: '  if (level <= view.state.levels.level) return null;',
    mutated: '  if (level <= view.state.levels.level + 1) return null;',
    seedsMax: 50,
  },
  {
    name: 'too-old-goes-on',
    fault: 'a machine goes on though the log has come to a level that its program does not understand',
    file: 'src-main/core/node/replicated-state.ts',
    original: '    if (level > this.#supports) this.#outdated ??=',
    mutated: '    if (level > this.#supports + 1) this.#outdated ??=',
    seedsMax: 100,
  },
  {
    name: 'level-left-out-of-snapshot',
    fault: 'the level does not survive a snapshot',
    file: 'src-main/core/state-machine/snapshot.ts',
    original: 'levels: state.levels.toSnapshot(),',
    mutated: 'levels: new LevelTable().toSnapshot(),',
    seedsMax: 100,
  },
];
