import { assertNever } from '../../shared/assert.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { RankPin } from '../core/ranks/rank-table.ts';
import type { StateEvent } from '../core/state-machine/events.ts';
import type { Clock } from '../ports/clock.ts';
import { divergenceText } from './divergence-words.ts';

const entriesKept = 200;

export interface ActivityEntry {
  readonly id: number;
  readonly at: number;
  readonly kind: 'coordinator' | 'member' | 'task' | 'lock' | 'config' | 'refused' | 'policy';
  readonly text: string;
}

type Said = Pick<ActivityEntry, 'kind' | 'text'>;

/** What an owner asks of a machine as coordinator. */
const pinWords: Readonly<Record<RankPin, string>> = {
  'home-base': 'coordinate whenever you can',
  never: 'coordinate only when nobody else can',
  none: 'coordinate as the evidence says',
};

/** What happened lately, in sentences, newest first. Kept in memory only: the log is the record. */
export class Activity {
  readonly #clock: Clock;
  readonly #name: (node: NodeId) => string;
  #entries: ActivityEntry[] = [];
  #nextId = 1;

  constructor(clock: Clock, name: (node: NodeId) => string) {
    this.#clock = clock;
    this.#name = name;
  }

  entries(): readonly ActivityEntry[] {
    return this.#entries;
  }

  note(kind: ActivityEntry['kind'], text: string): void {
    this.#entries = [
      { id: this.#nextId++, at: this.#clock.wall(), kind, text },
      ...this.#entries.slice(0, entriesKept - 1),
    ];
  }

  heard(event: NodeEvent): void {
    switch (event.type) {
      case 'applied':
        for (const change of event.events) {
          const said = this.#ofChange(change);
          if (said !== null) this.note(said.kind, said.text);
        }
        return;
      case 'coordinator-changed':
        if (event.coordinator === null) this.note('coordinator', `No coordinator: ${event.reason}`);
        else this.note('coordinator', `${this.#name(event.coordinator)} coordinates: ${event.reason}`);
        return;
      case 'config-changed': {
        const names = event.config.voters.map((voter) => this.#name(voter.node)).join(', ');
        this.note('config', `Voters are now ${names}`);
        return;
      }
      case 'diverged':
        this.note(
          'refused',
          divergenceText(event.divergence, (node) => this.#name(node)),
        );
        return;
      case 'outdated':
      case 'state-replaced':
      case 'read-ready':
      case 'read-failed':
      case 'request-answered':
      case 'request-refused':
      case 'role-changed':
      case 'snapshot-taken':
        return;
      default:
        assertNever(event);
    }
  }

  #ofChange(change: StateEvent): Said | null {
    switch (change.type) {
      case 'session-opened':
        return { kind: 'member', text: `${this.#name(change.node)} is here` };
      case 'session-ended':
        return {
          kind: 'member',
          text: change.expired
            ? `${this.#name(change.node)} is gone: its session expired`
            : `${this.#name(change.node)} has ended its session`,
        };
      case 'lock-granted':
        return {
          kind: 'lock',
          text: `Lock ${change.name} granted to ${this.#nodeOf(change.session)} with token ${change.token}`,
        };
      case 'lock-ended':
        return change.cause === 'released' || change.cause === 'attempt-ended'
          ? null
          : { kind: 'lock', text: `Lock ${change.name} (token ${change.token}) ended: ${change.cause}` };
      case 'lock-downgraded':
        return {
          kind: 'lock',
          text: `Lock ${change.name} is shared now: ${this.#nodeOf(change.session)} reads on (token ${change.token})`,
        };
      case 'lock-delay-ended':
        return { kind: 'lock', text: `Lock ${change.name} is to be had again: its delay is over` };
      case 'job-submitted':
        return { kind: 'task', text: `${this.#name(change.submitter)} submitted job ${change.job}` };
      case 'attempt-ended':
        // Successes are counted elsewhere; what went wrong is what people look for here.
        return change.state === 'succeeded'
          ? null
          : {
              kind: 'task',
              text: `Attempt ${change.key.attempt} of ${change.key.job}.${change.key.index} on ${this.#name(change.node)}: ${change.state}`,
            };
      case 'result-refused':
        return {
          kind: 'refused',
          text: `A late result of ${change.key.job}.${change.key.index} (attempt ${change.key.attempt}) was refused: ${change.reason}`,
        };
      case 'rank-pinned':
        return { kind: 'config', text: `${change.by} asks of ${this.#name(change.node)}: ${pinWords[change.pin]}` };
      case 'ranks-changed': {
        const moved = change.moves.map(({ node, band }) => `${this.#name(node)} in band ${band}`).join(', ');
        return { kind: 'config', text: `Wanted as coordinator, from 0 to 4: ${moved}` };
      }
      case 'level-raised':
        return {
          kind: 'config',
          text: `Every machine understands level ${change.level} now: what it brought can be used`,
        };
      case 'attempt-assigned':
      case 'job-removed':
      case 'kv-changed':
        return null;
      default:
        return assertNever(change);
    }
  }

  #nodeOf(session: string): string {
    return this.#name(session.slice(0, session.indexOf('#')) as NodeId);
  }
}
