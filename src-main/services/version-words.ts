import type { Versions } from '../../shared/contract/peers.ts';
import { fail, type Failure } from '../../shared/domain/failure.ts';
import { supportedLevel } from '../core/levels/feature-levels.ts';
import { membersBelow, type Outdated } from '../core/node/level-gate.ts';
import { nodeRef } from './names.ts';
import type { RunningPeer } from './running-peer.ts';
import { version } from './version.ts';

/** Why this machine takes no part any more, and what to do about it. */
export function outdatedFailure({ level, supports }: Outdated): Failure {
  const reached = level === null ? 'a level that it cannot read' : `level ${level}`;
  return fail(
    'unsupported-version',
    `This machine runs Skein ${version}, which understands the swarm’s log up to level ${supports}; the swarm has moved to ${reached}.`,
    'Update Skein on this machine. What it has on its disk is kept, and it goes on from there.',
  ).failure;
}

/** The same in a few sentences. */
export function outdatedNotice(outdated: Outdated): string {
  const { message, hint } = outdatedFailure(outdated);
  return `${message} It takes no part now. ${hint ?? ''}`;
}

/** What waits until every machine is updated; null where nothing does. */
export function versionsView(peer: Pick<RunningPeer, 'replica' | 'membership'>): Versions | null {
  const state = peer.replica.state();
  const { level } = state.levels;
  if (level >= supportedLevel || peer.replica.status().config === null) return null;
  const members = new Set(peer.membership.members().map(({ id }) => id));
  const waitsFor = membersBelow(supportedLevel, { state, members }).map((node) => nodeRef(peer.membership, node).name);
  return { level, supports: supportedLevel, waitsFor, words: versionsWords(waitsFor, level) };
}

function versionsWords(waitsFor: readonly string[], level: number): string {
  const used = `The swarm uses level ${level} of ${supportedLevel}`;
  if (waitsFor.length === 0) return `${used} and is about to move on.`;
  return `${used}: what the newest version brought waits until Skein is updated on ${waitsFor.join(', ')}.`;
}
