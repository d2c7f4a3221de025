import type { KvKey, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';
import type { KvSnapshot } from '../kv/kv-store.ts';
import type { KvAnswer, KvChange, KvEntry } from '../kv/records.ts';
import { anyOf, branded, isCount, isNumber, isText, listOf, objectOf, oneOf, orNull } from './shape.ts';

const isKey = branded<KvKey>(isText);
const isSlot = branded<Slot>(isCount);
const isNode = branded<NodeId>(isText);
const isTime = branded<WallTime>(isNumber);

const entryShape = objectOf<KvEntry>({
  key: isKey,
  value: isText,
  created: isSlot,
  revision: isSlot,
  version: isCount,
  session: orNull(branded<SessionId>(isText)),
  by: isNode,
  at: isTime,
});

const changeShape = anyOf<KvChange>(
  objectOf({ type: oneOf(['put']), entry: entryShape }),
  objectOf<Extract<KvChange, { type: 'removed' }>>({
    type: oneOf(['removed']),
    key: isKey,
    revision: isSlot,
    cause: oneOf(['deleted', 'session-ended']),
    by: isNode,
    at: isTime,
  }),
);

export const answerShape = anyOf<KvAnswer>(
  objectOf({ type: oneOf(['put']), key: isKey, previous: isCount, version: isCount }),
  objectOf({ type: oneOf(['deleted']), key: isKey, previous: isCount }),
  objectOf({ type: oneOf(['got']), key: isKey, entry: orNull(entryShape) }),
);

export const kvShape = objectOf<KvSnapshot>({
  entries: listOf(entryShape),
  history: objectOf<KvSnapshot['history']>({ compactedThrough: isSlot, changes: listOf(changeShape) }),
});
