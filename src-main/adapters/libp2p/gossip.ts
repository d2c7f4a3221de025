import { TopicValidatorResult } from '@libp2p/gossipsub';
import { nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId, SwarmId } from '../../../shared/domain/ids.ts';
import type { Broadcast } from '../../ports/broadcast.ts';
import type { Logger } from '../../ports/logger.ts';
import type { SkeinNode } from './create-node.ts';
import { gossipBytesMax } from './limits.ts';

type GossipHandler = (from: NodeId, bytes: Uint8Array) => void;

/** Broadcast over gossipsub. Every message is signed by its publisher, who must be a member when it arrives. */
export class Libp2pGossip implements Broadcast {
  readonly #prefix: string;
  readonly #isMember: (id: NodeId) => boolean;
  readonly #logger: Logger;
  readonly #allowed: Set<string>;
  readonly #handlers = new Map<string, GossipHandler[]>();
  #node: SkeinNode | null = null;

  constructor(options: {
    readonly swarm: SwarmId;
    readonly topics: readonly string[];
    readonly isMember: (id: NodeId) => boolean;
    readonly logger: Logger;
  }) {
    this.#prefix = `/skein/${options.swarm.slice(0, 16)}/`;
    this.#isMember = options.isMember;
    this.#logger = options.logger;
    this.#allowed = new Set(options.topics);
  }

  /** Topics as they are on the wire; asked for once, when the node is made. */
  topics(): readonly string[] {
    return [...this.#allowed].map((topic) => this.#prefix + topic);
  }

  publish(topic: string, bytes: Uint8Array): void {
    if (this.#node === null || bytes.length > gossipBytesMax) return;
    void this.#node.services.pubsub.publish(this.#prefix + topic, bytes).catch((cause: unknown) => {
      this.#logger.debug('a broadcast was not sent', { topic, cause: String(cause) });
    });
  }

  /** Before `start` for topics that were not listed in the options. */
  subscribe(topic: string, handler: GossipHandler): void {
    this.#allowed.add(topic);
    this.#handlers.set(topic, [...(this.#handlers.get(topic) ?? []), handler]);
    if (this.#node !== null) this.#join(this.#node, topic);
  }

  attach(node: SkeinNode): void {
    this.#node = node;
    for (const topic of this.#allowed) this.#join(node, topic);
    node.services.pubsub.addEventListener('message', ({ detail }) => {
      if (detail.type !== 'signed' || !detail.topic.startsWith(this.#prefix)) return;
      const from = nodeId(detail.from.toString());
      if (!this.#isMember(from)) return;
      for (const handler of this.#handlers.get(detail.topic.slice(this.#prefix.length)) ?? [])
        handler(from, detail.data);
    });
  }

  detach(): void {
    this.#node = null;
  }

  #join(node: SkeinNode, topic: string): void {
    const name = this.#prefix + topic;
    node.services.pubsub.topicValidators.set(name, (_relay, message) =>
      message.type === 'signed' &&
      message.data.length <= gossipBytesMax &&
      this.#isMember(nodeId(message.from.toString()))
        ? TopicValidatorResult.Accept
        : TopicValidatorResult.Reject,
    );
    node.services.pubsub.subscribe(name);
  }
}
