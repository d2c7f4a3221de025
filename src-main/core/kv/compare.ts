import { assertNever } from '../../../shared/assert.ts';
import type { FencingToken, LockName } from '../../../shared/domain/ids.ts';
import type { KvCompare, KvRelation } from './commands.ts';
import type { KvEntry } from './records.ts';

export type IsLockHeld = (name: LockName, token: FencingToken) => boolean;

/** Whether one comparison holds for `entry`, which is the key it names, or null. */
export function holds(compare: KvCompare, entry: KvEntry | null, isLockHeld: IsLockHeld): boolean {
  switch (compare.type) {
    case 'value':
      return (entry !== null && entry.value === compare.value) === (compare.relation === 'equal');
    case 'revision':
      return relates(entry?.revision ?? 0, compare.relation, compare.revision);
    case 'created':
      return relates(entry?.created ?? 0, compare.relation, compare.revision);
    case 'version':
      return relates(entry?.version ?? 0, compare.relation, compare.version);
    case 'lock':
      return isLockHeld(compare.name, compare.token);
    default:
      return assertNever(compare);
  }
}

function relates(found: number, relation: KvRelation, wanted: number): boolean {
  switch (relation) {
    case 'equal':
      return found === wanted;
    case 'not-equal':
      return found !== wanted;
    case 'less':
      return found < wanted;
    case 'greater':
      return found > wanted;
    default:
      return assertNever(relation);
  }
}
