import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import { compareText, type NodeId } from '../../../shared/domain/ids.ts';
import { membersMax } from '../machine/limits.ts';
import { lowestLevel } from './feature-levels.ts';

/** The program that a machine runs, as it says when its session opens. */
export interface Program {
  /** For people, such as `0.1.0`. */
  readonly version: string;
  /** The highest feature level that it understands. */
  readonly supports: number;
}

/** What a machine said last, whether or not it is here now. */
export interface MachineProgram extends Program {
  readonly node: NodeId;
  /** What people call it. */
  readonly name: string;
}

/** A machine that said nothing runs a program that knew nothing of levels. */
const silent: Program = { version: '', supports: lowestLevel };

export interface LevelSnapshot {
  readonly level: number;
  readonly machines: readonly MachineProgram[];
}

/**
 * The level up to which the log may use what versions of Skein brought, and what each machine said that it supports.
 * The level only grows: whatever was written at it stays in the log.
 */
export class LevelTable {
  readonly #machines = new Map<NodeId, MachineProgram>();
  #level = lowestLevel;

  get level(): number {
    return this.#level;
  }

  /** What the machine said last; null for one that never opened a session here. */
  programOf(node: NodeId): MachineProgram | null {
    return this.#machines.get(node) ?? null;
  }

  /** A machine begins a run. Where no more can be remembered, one that is not `here` is forgotten, and has to say it again. */
  note(node: NodeId, name: string, program: Program | undefined, isHere: (node: NodeId) => boolean): void {
    if (!this.#machines.has(node) && this.#machines.size >= membersMax) {
      const away = this.#sorted().find((known) => !isHere(known.node));
      if (away !== undefined) this.#machines.delete(away.node);
    }
    const { version, supports } = program ?? silent;
    this.#machines.set(node, { node, name, version, supports });
  }

  /** A level that was reached before is no failure. Fails as `precondition-failed` where a machine that is here does not support it. */
  raise(level: number, here: readonly NodeId[]): Result<boolean> {
    if (level <= this.#level) return ok(false);
    const behind = here.filter((node) => (this.#machines.get(node)?.supports ?? lowestLevel) < level);
    if (behind.length > 0) {
      return fail(
        'precondition-failed',
        `level ${level} is not supported by ${behind.join(', ')}`,
        'Update those machines.',
      );
    }
    this.#level = level;
    return ok(true);
  }

  /** The founder's own level, before there is a log. */
  begin(level: number): void {
    this.#level = level;
  }

  toSnapshot(): LevelSnapshot {
    return { level: this.#level, machines: this.#sorted() };
  }

  static restore({ level, machines }: LevelSnapshot): LevelTable {
    const table = new LevelTable();
    table.#level = level;
    for (const machine of machines) table.#machines.set(machine.node, machine);
    return table;
  }

  #sorted(): MachineProgram[] {
    return [...this.#machines.values()].sort((left, right) => compareText(left.node, right.node));
  }
}
