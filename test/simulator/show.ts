import type { NodeEvent, NodeInput, NodeMessage } from '../../src-main/core/node/messages.ts';
import { showBallot } from '../../src-main/core/paxos/ballot.ts';
import type { NodeEffect } from '../../src-main/runtime/outbox.ts';

/** Every line of a transcript in words short enough to read. */
export function showInput(input: NodeInput): string {
  switch (input.type) {
    case 'received':
      return `<- ${input.from} ${showMessage(input.message)}`;
    case 'timer':
      return `timer ${input.timer}`;
    case 'peer-connected':
    case 'peer-disconnected':
      return `${input.type} ${input.peer}`;
    case 'requested':
      return `asks ${input.requests.map(({ sequence, command }) => `${sequence} ${command.type}`).join(', ')}`;
    default:
      return input.type;
  }
}

function showMessage(message: NodeMessage): string {
  switch (message.type) {
    case 'accept':
    case 'learn-reply':
      return `${message.type} ${message.firstSlot}+${message.entries.length}${'ballot' in message ? ` ${showBallot(message.ballot)}` : ''} c${message.committed}`;
    case 'accepted':
      return `accepted ${message.firstSlot}-${message.lastSlot} ${showBallot(message.ballot)}`;
    case 'prepare':
      return `prepare ${showBallot(message.ballot)} from ${message.fromSlot}`;
    case 'promise':
      return `promise ${showBallot(message.ballot)} c${message.committed} votes ${message.votes.length}`;
    case 'refuse':
      return `refuse ${showBallot(message.ballot)} ${message.reason}`;
    case 'heartbeat':
    case 'heartbeat-ack':
      return `${message.type} ${message.beat} ${showBallot(message.ballot)} c${message.committed}`;
    case 'pre-vote-answer':
      return `pre-vote-answer ${message.coordinatorAlive ? 'alive' : 'silent'}`;
    case 'answer':
      return `answer ${message.verdict}`;
    case 'checkpoint':
    case 'divergence':
      return `${message.type} ${message.checkpoint.slot} ${message.checkpoint.chain.link.slice(0, 8)} ${message.checkpoint.state.slice(0, 8)}`;
    case 'read-index-answer':
      return `read-index-answer ${message.slot ?? 'nothing'}`;
    case 'propose':
      return `propose ${message.requests.map((request) => request.sequence).join(',')}`;
    default:
      return message.type;
  }
}

export function showEffect(effect: NodeEffect): string {
  switch (effect.type) {
    case 'send':
      return `${effect.message.type}>${effect.to}`;
    case 'persist':
    case 'record':
      return `${effect.type}:${effect.facts.map((fact) => fact.type).join(',')}`;
    case 'emit':
      return effect.event.type === 'applied' ? `applied:${effect.event.slot}` : effect.event.type;
    case 'set-timer':
      return `${effect.timer}@${effect.afterMs.toFixed(0)}`;
    case 'cancel-timer':
      return `-${effect.timer}`;
  }
}

export function showEvent(event: NodeEvent): string {
  switch (event.type) {
    case 'coordinator-changed':
      return `follows ${event.coordinator ?? 'nobody'}: ${event.reason}`;
    case 'role-changed':
      return `is ${event.role}: ${event.reason}`;
    case 'config-changed':
      return `config ${event.config.id}: ${event.config.voters.map((voter) => voter.node).join(',')}`;
    case 'diverged': {
      const { node, which, slot, settled } = event.divergence;
      return `finds that ${node} has another ${which} at ${slot}${settled ? '' : ', and nobody knows who is right'}`;
    }
    case 'state-replaced':
      return `state replaced at ${event.slot}`;
    case 'read-ready':
      return `read ${event.id} is ready at ${event.slot}`;
    case 'read-failed':
      return `read ${event.id} failed: ${event.failure.message}`;
    default:
      return event.type;
  }
}
