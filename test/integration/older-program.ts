/** Loaded ahead of a node process, makes it a program of level 1: one that has never heard of priorities. */
import { rewriteSources } from '../simulator/mutants/inject.ts';

rewriteSources([
  {
    file: 'src-main/core/levels/feature-levels.ts',
    original: 'export const supportedLevel = 2;',
    mutated: 'export const supportedLevel = 1;',
  },
  {
    file: 'src-main/wire/commands.ts',
    original: '  priority: optional(11, word(...jobPriorities)),\n',
    mutated: '',
  },
]);
