import type { Command } from '../state-machine/command.ts';

/**
 * What a machine whose disk is full still asks for, and still proposes for others: whatever ends or gives back
 * something, and what keeps sessions alive. Anything not named here begins something new and waits for room.
 */
const essentialTypes: ReadonlySet<string> = new Set([
  'session-opened',
  'session-renewed',
  'session-closed',
  'session-expired',
  'capacity-changed',
  'lock-abandoned',
  'lock-released',
  'locks-released',
  'lock-downgraded',
  'lock-delay-ended',
  'lock-force-released',
  'attempts-progressed',
  'attempts-finished',
  'tasks-cancelled',
] satisfies readonly Command['type'][]);

export const isEssential = (command: Command): boolean => essentialTypes.has(command.type);
