import type { Result } from '../../../shared/domain/failure.ts';
import type { CommandResult, Request } from '../../../src-main/core/state-machine/command.ts';
import { canonical } from './canonical.ts';
import type { AgreedEntry, Broken, Checker } from './checker.ts';

const nameOf = ({ client, sequence }: Pick<Request, 'client' | 'sequence'>): string => `${client}/${sequence}`;

/** P2: a named request takes effect once. P3: whatever was acknowledged is in the agreed log, with that result. */
export class Requests implements Checker {
  readonly name = 'requests';
  readonly #broken: Broken;
  readonly #effects = new Map<string, { readonly slot: number; readonly result: string }>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  onAgreed({ slot, request, result, events }: AgreedEntry): void {
    if (request === null || request.sequence === 0) return;
    const name = nameOf(request);
    const known = this.#effects.get(name);
    const told = canonical(result);
    if (known === undefined) {
      this.#effects.set(name, { slot, result: told });
      return;
    }
    const forgotten = result.type === 'refused' && result.failure.code === 'unknown-outcome';
    if (events.length > 0 || (known.result !== told && !forgotten)) {
      this.#broken(
        'at most once',
        `${name} takes effect at slot ${known.slot} as ${known.result} and at slot ${slot} as ${told}`,
      );
    }
  }

  /** A client was told this about its request. */
  acknowledged(client: string, sequence: number, result: Result<CommandResult>): void {
    if (!result.ok) return;
    const known = this.#effects.get(nameOf({ client, sequence }));
    const told = canonical(result.value);
    if (known?.result !== told) {
      this.#broken(
        'acknowledged is durable',
        `${client}/${sequence} was answered ${told}; the log has ${known?.result ?? 'nothing'}`,
      );
    }
  }
}
