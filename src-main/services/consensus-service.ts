import type { LogEntry } from '../../shared/contract/consensus.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { SkeinServices } from '../api/services.ts';
import type { Command, CommandResult } from '../core/state-machine/command.ts';
import { consensusView } from './consensus-view.ts';
import type { AppliedEntry } from './coordination-record.ts';
import type { Changes } from './live-view.ts';
import { nodeRef } from './names.ts';
import { provenanceOf, type Frame } from './provenance.ts';
import { requirePeer, type PeerHolder, type RunningPeer } from './running-peer.ts';

/** Keys of a transaction that are named. */
const keysShown = 3;

type LogTail = Awaited<ReturnType<SkeinServices['consensus']['log']>>['view'];
type Status = Awaited<ReturnType<SkeinServices['consensus']['status']>>['view'];

/** How the log is agreed on, for people who want to see it, and for those who must find out what is wrong. */
export function createConsensusService(holder: PeerHolder, changes: Changes): SkeinServices['consensus'] {
  const frame = <View>(view: (peer: RunningPeer) => View): Frame<View> => {
    const peer = requirePeer(holder);
    return { sequence: changes.sequence, provenance: provenanceOf(peer), view: view(peer) };
  };
  const status = (): Frame<Status> => frame(consensusView);
  const log = (limit: number): Frame<LogTail> => frame((peer) => tail(peer, limit));
  return {
    status: async () => status(),
    watch: (call) => changes.watch(status, call.signal),
    log: async ({ limit }) => log(limit),
    watchLog: ({ limit }, call) => changes.watch(() => log(limit), call.signal),
  };
}

function tail(peer: RunningPeer, limit: number): LogTail {
  const entries = peer.coordination.entries(limit);
  return {
    entries: entries.map((entry) => entryView(peer, entry)),
    firstSlot: peer.coordination.entries(Number.MAX_SAFE_INTEGER).at(-1)?.slot ?? 0,
  };
}

function entryView(peer: RunningPeer, { slot, at, request, result }: AppliedEntry): LogEntry {
  if (request === null) {
    const text = 'An entry without a command: a barrier, a filled gap or a change of voters';
    return { slot, at, type: 'barrier', node: null, text, outcome: '', refused: false };
  }
  const { command, client } = request;
  return {
    slot,
    at,
    type: command.type,
    node: nodeRef(peer.membership, client.slice(0, client.indexOf('#')) as NodeId),
    text: wordsOf(peer, command),
    outcome: outcomeOf(result),
    refused: result.type === 'refused',
  };
}

function outcomeOf(result: CommandResult): string {
  if (result.type === 'refused') return `refused: ${result.failure.message}`;
  if (result.type === 'lock-granted') return `granted, token ${result.token}`;
  if (result.type === 'lock-waiting') return `waits at place ${result.position}`;
  if (result.type === 'job-accepted') return `job ${result.job}`;
  if (result.type === 'kv-transacted') return result.succeeded ? 'taken over' : 'did not hold';
  return result.type === 'tasks-changed' ? `${result.count} changed` : '';
}

/** The gist of a command. Kinds that are not named here are shown by their type alone. */
function wordsOf(peer: RunningPeer, command: Command): string {
  const fields = new Map<string, unknown>(Object.entries(command));
  const count = (name: string): number => {
    const list = fields.get(name);
    return Array.isArray(list) ? list.length : 0;
  };
  switch (command.type) {
    case 'session-opened':
      return `${command.name}, for ${Math.round(command.ttlMs / 1_000)} s at a time`;
    case 'session-renewed':
    case 'session-expired':
      return `renewal ${command.renewal} of ${nodeRef(peer.membership, nodeOf(command.session)).name}`;
    case 'session-closed':
      return nodeRef(peer.membership, nodeOf(command.session)).name;
    case 'job-submitted':
      return `“${command.spec.name}”, ${command.taskCount} ${command.taskCount === 1 ? 'task' : 'tasks'}`;
    case 'tasks-assigned':
      return `${count('assignments')} assigned`;
    case 'attempts-progressed':
      return `${count('changes')} noted`;
    case 'attempts-finished':
      return `${count('results')} reported`;
    case 'kv-transacted': {
      const touched = [...command.thenOperations, ...command.elseOperations].filter(({ type }) => type !== 'get');
      return [...new Set(touched.map(({ key }) => key))].slice(0, keysShown).join(', ');
    }
    case 'lock-force-released':
      return `${command.name}, expecting token ${command.expectedToken}, by ${command.by}: ${command.reason}`;
    default: {
      const name = fields.get('name') ?? fields.get('job');
      return typeof name === 'string' || typeof name === 'number' ? String(name) : '';
    }
  }
}

const nodeOf = (session: string): NodeId => session.slice(0, session.indexOf('#')) as NodeId;
