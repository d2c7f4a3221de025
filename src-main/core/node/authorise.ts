import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Request } from '../state-machine/command.ts';

/**
 * Whether a member may propose this: only under its own name and about its own sessions. Connections are
 * authenticated by the peer's key, so `from` is certain. Expiry and placement come from the coordinator alone.
 */
export function mayPropose(from: NodeId, request: Request): boolean {
  const own = `${from}#`;
  // Sequence 0 is the coordinator's own: commands that are conditional in themselves and need no de-duplication.
  if (!request.client.startsWith(own) || request.sequence < 1) return false;
  const { command } = request;
  switch (command.type) {
    case 'session-opened':
      return command.node === from && command.session.startsWith(own);
    case 'session-renewed':
    case 'session-closed':
    case 'capacity-changed':
    case 'lock-requested':
    case 'locks-requested':
    case 'lock-abandoned':
    case 'lock-released':
    case 'locks-released':
    case 'lock-downgraded':
    case 'attempts-progressed':
    case 'attempts-finished':
      return command.session.startsWith(own);
    case 'kv-transacted':
      return (
        command.by === from &&
        [...command.thenOperations, ...command.elseOperations].every(
          (operation) => operation.type !== 'put' || operation.session === null || operation.session.startsWith(own),
        )
      );
    case 'job-submitted':
      return command.submitter === from;
    case 'lock-force-released':
    case 'rank-pinned':
    case 'tasks-cancelled':
    case 'tasks-retried':
      return true;
    case 'session-expired':
    case 'lock-delay-ended':
    case 'tasks-assigned':
    case 'ranks-changed':
    case 'level-raised':
      return false;
  }
}
