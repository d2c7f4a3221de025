import type { NodeId, WallTime } from '../../../shared/domain/ids.ts';
import type { NodeTiming } from '../machine/timing.ts';
import type { Command, LoggedRequest } from '../state-machine/command.ts';
import type { Recovered } from './messages.ts';

export interface NodeOptions {
  readonly self: { readonly node: NodeId; readonly incarnation: string };
  readonly recovered: Recovered;
  /** Decides every draw this node makes. */
  readonly seed: number;
  readonly members: readonly NodeId[];
  /** The highest feature level that this program understands; lower only where one plays an older program. */
  readonly supports?: number;
  readonly timing?: Partial<NodeTiming>;
  /** Wall time: for the entries this node proposes as coordinator, for people to read, and to tell hours apart. */
  readonly wall: () => WallTime;
}

/** Estimated bytes of a logged request, never too low by much; only submitted jobs and stored values are ever large. */
export const weigh = ({ request }: LoggedRequest): number => weighCommand(request.command);

export function weighCommand(command: Command): number {
  switch (command.type) {
    case 'job-submitted': {
      const { argv, env, outputs } = command.spec;
      return [...argv, ...outputs, ...Object.entries(env).flat()].reduce(
        (bytes, text) => bytes + 2 * text.length,
        2_000,
      );
    }
    case 'kv-transacted':
      return [...command.compares, ...command.thenOperations, ...command.elseOperations].reduce(
        (bytes, step) => bytes + ('value' in step ? 2 * step.value.length : 0) + 200,
        400,
      );
    default:
      return 400;
  }
}
