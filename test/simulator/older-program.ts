import type { NodeFact, NodeMessage } from '../../src-main/core/node/messages.ts';
import type { Entry } from '../../src-main/core/paxos/messages.ts';
import type { Command, LoggedRequest } from '../../src-main/core/state-machine/command.ts';
import { decodeFrame, encodeFrames } from '../../src-main/wire/frame.ts';

/** What level 2 brought, in words of its own: the rule that the product goes by is what is checked. */
export const isOfLevel2 = (command: Command): boolean =>
  command.type === 'job-submitted' && command.spec.priority !== undefined;

const entryIsOfLevel2 = (entry: Entry<LoggedRequest>): boolean =>
  entry.type === 'payload' && isOfLevel2(entry.payload.request.command);

function messageIsOfLevel2(message: NodeMessage): boolean {
  switch (message.type) {
    case 'accept':
    case 'learn-reply':
      return message.entries.some(entryIsOfLevel2);
    case 'promise':
    case 'epoch-promise':
      return message.votes.some(({ entry }) => entryIsOfLevel2(entry));
    case 'propose':
      return message.requests.some(({ command }) => isOfLevel2(command));
    default:
      return false;
  }
}

/** The frame as the decoder of a program of level 1 hears it: without messages that hold what it does not know. */
export function heardByOlder(frame: Uint8Array): readonly Uint8Array[] {
  const decoded = decodeFrame(frame);
  if (!decoded.ok || !decoded.value.messages.some(messageIsOfLevel2)) return [frame];
  return encodeFrames(decoded.value.messages.filter((message) => !messageIsOfLevel2(message)));
}

/** Whether a program of level 1 can read what a newer one has left on the disk behind the snapshot. */
export const readableByOlder = (facts: readonly NodeFact[]): boolean =>
  !facts.some((fact) => 'entries' in fact && fact.entries.some(entryIsOfLevel2));
