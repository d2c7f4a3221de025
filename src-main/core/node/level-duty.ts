import type { Instant } from '../machine/time.ts';
import type { LevelCommand } from '../levels/commands.ts';
import { levelToRaiseTo, type LevelView } from './level-gate.ts';

/** A raise that has not been applied after this is proposed again: it was lost, or came before the session of an older program. */
const repeatMs = 2_000;

/** The coordinator raises the feature level as soon as every member supports a higher one. */
export class LevelDuty {
  readonly #supports: number;
  #proposedAt: Instant | null = null;

  constructor(supports: number) {
    this.#supports = supports;
  }

  due(now: Instant, view: LevelView): LevelCommand | null {
    const level = levelToRaiseTo(view, this.#supports);
    if (level === null || (this.#proposedAt !== null && now - this.#proposedAt < repeatMs)) return null;
    this.#proposedAt = now;
    return { type: 'level-raised', level };
  }
}
