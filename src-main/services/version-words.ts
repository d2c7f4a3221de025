import { fail, type Failure } from '../../shared/domain/failure.ts';
import type { Outdated } from '../core/node/level-gate.ts';
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
