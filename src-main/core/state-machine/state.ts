import type { LockName, NodeId } from '../../../shared/domain/ids.ts';
import { KvStore } from '../kv/kv-store.ts';
import { LevelTable } from '../levels/level-table.ts';
import { LockTable } from '../locks/lock-table.ts';
import { Sessions } from '../locks/sessions.ts';
import { RankTable } from '../ranks/rank-table.ts';
import type { PlacementView } from '../tasks/placement.ts';
import { TaskTable } from '../tasks/task-table.ts';
import type { Capacity } from './command.ts';
import { ClientTable } from './dedupe.ts';

/**
 * Everything the log decides. It changes only in `apply`; two nodes that applied the same entries hold the same
 * state, and `takeSnapshot` of both is the same text.
 */
export interface SwarmState {
  readonly sessions: Sessions<Capacity>;
  readonly locks: LockTable;
  readonly kv: KvStore;
  readonly ranks: RankTable;
  readonly levels: LevelTable;
  readonly tasks: TaskTable;
  readonly clients: ClientTable;
}

export function createState(): SwarmState {
  return {
    sessions: new Sessions(),
    locks: new LockTable(),
    kv: new KvStore(),
    ranks: new RankTable(),
    levels: new LevelTable(),
    tasks: new TaskTable(),
    clients: new ClientTable(),
  };
}

/** What placement and its explanations look at. `loadOf` and `roundRobinFrom` are the coordinator's own memory. */
export function placementViewOf(
  state: SwarmState,
  loadOf: (node: NodeId) => number | null,
  roundRobinFrom: number,
): PlacementView {
  return {
    tasks: state.tasks,
    workers: state.sessions.list().map(({ id, node, name, capacity }) => ({
      session: id,
      node,
      name,
      slots: capacity.slots,
      accepts: capacity.accepts,
    })),
    isLockFree: (name: LockName) => state.locks.isFree(name),
    loadOf,
    roundRobinFrom,
  };
}
