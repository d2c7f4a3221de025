import type { KvChange as ChangeView, KvEntry as EntryView } from '../../shared/contract/kv.ts';
import type { NodeId, SessionId } from '../../shared/domain/ids.ts';
import { nodeId } from '../../shared/domain/ids.ts';
import type { KvAnswer, KvChange, KvEntry } from '../core/kv/records.ts';

/** What people call a machine. */
export type NameOf = (node: NodeId) => { readonly id: string; readonly name: string };

export const entryView = (nameOf: NameOf, entry: KvEntry): EntryView => ({
  key: entry.key,
  value: entry.value,
  created: entry.created,
  revision: entry.revision,
  version: entry.version,
  endsWith: entry.session === null ? null : nameOf(nodeOf(entry.session)),
  by: nameOf(entry.by),
  at: entry.at,
});

export function changeView(nameOf: NameOf, change: KvChange): ChangeView {
  if (change.type === 'put') return { type: 'put', entry: entryView(nameOf, change.entry) };
  const { type, key, revision, cause, by, at } = change;
  return { type, key, revision, cause, by: nameOf(by), at };
}

export const answerView = (nameOf: NameOf, answer: KvAnswer) =>
  answer.type === 'got' ? { ...answer, entry: answer.entry === null ? null : entryView(nameOf, answer.entry) } : answer;

/** A session id is `<NodeId>#<incarnation>.<boot>`. */
const nodeOf = (session: SessionId): NodeId => nodeId(session.slice(0, session.indexOf('#')));
