import type { LockName, NodeId, SessionId, Slot } from '../../shared/domain/ids.ts';
import { reasonCharsMax } from '../core/machine/limits.ts';
import { text, uint53 } from './codec.ts';

/** What many messages have in common, with the bounds of each. */
export const idCharsMax = 200;
export const nameCharsMax = 200;

export const node = text<NodeId>(idCharsMax);
export const session = text<SessionId>(idCharsMax);
export const lock = text<LockName>(nameCharsMax);
export const slot = uint53<Slot>();
export const name = text(nameCharsMax);
export const reason = text(reasonCharsMax);
