import { ok, type Result } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { Recovered } from '../core/node/messages.ts';
import { foundingSnapshot } from '../core/node/founding.ts';
import type { Journal, OpenedJournal } from '../ports/journal.ts';
import { decodeJournal, encodeSnapshot } from '../wire/facts.ts';

/** What a journal says about the time before. `corrupt` or `unsupported-version`: this node must not vote from it. */
export const recover = (opened: OpenedJournal): Result<Recovered> => decodeJournal(opened.records);

/** Writes the first snapshot of a new swarm, whose only voter is its founder. Answers once it is on disk. */
export function found(
  journal: Journal,
  founder: { readonly self: { readonly node: NodeId; readonly incarnation: string }; readonly rank: number },
): Promise<Result<Recovered>> {
  const snapshot = foundingSnapshot(founder.self, founder.rank);
  return new Promise((resolve) => {
    journal.replaceHead(encodeSnapshot(snapshot), (failure) => {
      resolve(failure === undefined ? ok({ snapshot, facts: [] }) : { ok: false, failure });
    });
  });
}
