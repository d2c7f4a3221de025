import type { KvChange as ChangeView, KvEntry as EntryView } from '../../shared/contract/kv.ts';
import type { SessionId } from '../../shared/domain/ids.ts';
import { nodeId } from '../../shared/domain/ids.ts';
import type { KvAnswer, KvChange, KvEntry } from '../core/kv/records.ts';
import { nodeRef } from './names.ts';
import type { RunningPeer } from './running-peer.ts';

export const entryView = (peer: RunningPeer, entry: KvEntry): EntryView => ({
  key: entry.key,
  value: entry.value,
  created: entry.created,
  revision: entry.revision,
  version: entry.version,
  endsWith: entry.session === null ? null : nodeRef(peer.membership, nodeOf(entry.session)),
  by: nodeRef(peer.membership, entry.by),
  at: entry.at,
});

export function changeView(peer: RunningPeer, change: KvChange): ChangeView {
  if (change.type === 'put') return { type: 'put', entry: entryView(peer, change.entry) };
  const { type, key, revision, cause, by, at } = change;
  return { type, key, revision, cause, by: nodeRef(peer.membership, by), at };
}

export const answerView = (peer: RunningPeer, answer: KvAnswer) =>
  answer.type === 'got' ? { ...answer, entry: answer.entry === null ? null : entryView(peer, answer.entry) } : answer;

/** A session id is `<NodeId>#<incarnation>.<boot>`. */
const nodeOf = (session: SessionId) => nodeId(session.slice(0, session.indexOf('#')));
