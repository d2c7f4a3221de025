import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Command, Request } from '../state-machine/command.ts';
import { requiredLevel } from '../state-machine/required-level.ts';
import type { SwarmState } from '../state-machine/state.ts';

/** Machines that a refusal names; the rest are counted. */
const namedMax = 5;

/** A feature level above what this program understands, as the swarm has it; null where that cannot even be read. */
export interface Outdated {
  readonly level: number | null;
  readonly supports: number;
}

export interface LevelView {
  readonly state: SwarmState;
  readonly members: ReadonlySet<NodeId>;
}

/** Members that are not known to support a level, sorted: they run an older program, or have not said yet what they run. */
export function membersBelow(level: number, { state, members }: LevelView): readonly NodeId[] {
  return [...members].filter((node) => (state.levels.programOf(node)?.supports ?? 0) < level).sort();
}

/**
 * The level to raise the swarm's to; null while it has to stay. Every member counts, here or not, voter or not: each may
 * come back, and would have to stop. A machine that never will is for people to remove.
 */
export function levelToRaiseTo(view: LevelView, supports: number): number | null {
  const said = [...view.members].map((node) => view.state.levels.programOf(node)?.supports ?? 0);
  const level = Math.min(supports, ...said);
  return level > view.state.levels.level ? level : null;
}

/** Why the log must not hold this yet: some machine could not read it, or would do something else. Null when it may. */
export function tooEarly({ command }: Pick<Request, 'command'>, view: LevelView): Failure | null {
  const level = requiredLevel(command);
  if (level <= view.state.levels.level) return null;
  return {
    code: 'unsupported-version',
    message: `${whatFor(command)} needs every machine of the swarm to run a newer version of Skein${waitsFor(level, view)}.`,
    hint: 'Update Skein there, or remove machines that will not come back; then ask again.',
  };
}

function waitsFor(level: number, view: LevelView): string {
  const { levels } = view.state;
  const names = membersBelow(level, view).map((node) => levels.programOf(node)?.name ?? node);
  if (names.length === 0) return '; the last of them has just been updated';
  const more = names.length > namedMax ? ` and ${names.length - namedMax} more` : '';
  return `, and there are still machines of an older version or not heard since: ${names.slice(0, namedMax).join(', ')}${more}`;
}

const whatFor = (command: Command): string =>
  command.type === 'job-submitted' ? 'A job with a priority' : `The command ${command.type}`;
