import { lowestLevel } from '../levels/feature-levels.ts';
import type { Command } from './command.ts';

/** The lowest feature level at which the log may hold this command: what an older program could not read or would not apply alike. */
export function requiredLevel(command: Command): number {
  return command.type === 'job-submitted' && command.spec.priority !== undefined ? 2 : lowestLevel;
}
