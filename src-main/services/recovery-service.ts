import { nodeId } from '../../shared/domain/ids.ts';
import type { SkeinServices } from '../api/services.ts';
import type { LoggedRequest } from '../core/state-machine/command.ts';
import { nodeRef } from './names.ts';
import { requirePeer, type PeerHolder } from './running-peer.ts';

/** What a person must know before a quorum is forced; one sentence, shown wherever it is asked for. */
const warning = 'If those machines are still running somewhere, the same job may run twice.';

type RecoveryMethods = Pick<SkeinServices['swarm'], 'recoverPlan' | 'recover' | 'recoverReview'>;

/** A forced new quorum as callers see it. */
export function createRecoveryService(holder: PeerHolder): RecoveryMethods {
  return {
    recoverPlan: async () => {
      const peer = requirePeer(holder);
      const { survivors, abandon, epoch, obstacle } = await peer.recovery.plan();
      return {
        obstacle: obstacle === null ? null : [obstacle.message, obstacle.hint ?? ''].join(' ').trim(),
        warning,
        epoch,
        abandon: abandon.map((node) => nodeRef(peer.membership, node)),
        survivors: survivors.map((survivor) => ({
          node: nodeRef(peer.membership, survivor.node),
          epoch: survivor.epoch,
          config: survivor.config,
          committed: survivor.committed,
          votedThrough: survivor.votedThrough,
        })),
      };
    },
    recover: async ({ abandon }) => {
      const peer = requirePeer(holder);
      const config = await peer.recovery.recover(abandon);
      const names = abandon.join(', ');
      peer.activity.note('config', `A new quorum was forced without ${names}: epoch ${config.epoch} has begun.`);
      return {
        epoch: config.epoch,
        from: config.firstSlot,
        voters: config.voters.map(({ node }) => nodeRef(peer.membership, node)),
      };
    },
    recoverReview: async ({ done }) => {
      const peer = requirePeer(holder);
      const items = peer.recovery.review().map(({ epoch, request }) => ({
        epoch,
        by: nodeRef(peer.membership, nodeId(request.request.client.split('#')[0] ?? '')),
        at: request.at,
        what: wordsOf(request),
      }));
      if (done) peer.recovery.reviewed();
      return { items };
    },
  };
}

/** One request in words that a person can decide on. */
function wordsOf({ request: { command } }: LoggedRequest): string {
  switch (command.type) {
    case 'job-submitted':
      return `submit job “${command.spec.name}” of ${command.taskCount} tasks: ${command.spec.argv.join(' ')}`.slice(
        0,
        300,
      );
    case 'lock-requested':
      return `take lock ${command.name} (${command.label})`;
    case 'lock-released':
      return `release lock ${command.name} of token ${command.token}`;
    case 'lock-force-released':
      return `force-release lock ${command.name}: ${command.reason}`;
    case 'tasks-cancelled':
      return `cancel tasks of job ${command.job}: ${command.reason}`;
    case 'tasks-retried':
      return `retry tasks of job ${command.job}`;
    case 'attempts-finished':
      return `results of ${command.results.length} attempts`;
    default:
      return command.type.replaceAll('-', ' ');
  }
}
