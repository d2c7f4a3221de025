import { gossipsub, StrictSign } from '@libp2p/gossipsub';
import type { GossipSub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { Identify } from '@libp2p/identify';
import type { ComponentLogger, Libp2p, PeerId } from '@libp2p/interface';
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import type { KadDHT, SelectFn, ValidateFn } from '@libp2p/kad-dht';
import { ping } from '@libp2p/ping';
import type { Ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import type { SwarmId } from '../../../shared/domain/ids.ts';
import type { Identity } from './identity.ts';
import { leanNoise } from './lean-noise.ts';
import { addressDialTimeoutMs, dialTimeoutMs, gossipBytesMax, streamWindowBytesMax } from './limits.ts';

export type SkeinServices = { identify: Identify; ping: Ping; pubsub: GossipSub; dht: KadDHT };
export type SkeinNode = Libp2p<SkeinServices>;

export interface NodeOptions {
  readonly identity: Identity;
  readonly swarm: SwarmId;
  /** Whether a machine may connect or be dialled. Asked before any protocol runs. */
  readonly admit: (peer: PeerId) => boolean;
  readonly listen: string;
  readonly topics: readonly string[];
  readonly validators: Record<string, ValidateFn>;
  readonly selectors: Record<string, SelectFn>;
}

/** Members for whom the limits are sized, with room for a doubled connection each. */
const connectionsMax = 1_024;

/** The main node: members only. Not started; `start` may reject when the port is taken. */
export function createNode(options: NodeOptions): Promise<SkeinNode> {
  const deny = (peer: PeerId): boolean => !options.admit(peer);
  return createLibp2p<SkeinServices>({
    start: false,
    privateKey: options.identity.privateKey,
    nodeInfo: { userAgent: 'skein' },
    logger: silentLogger,
    addresses: { listen: [options.listen] },
    ...sharedParts(),
    connectionManager: {
      maxConnections: connectionsMax,
      maxParallelDials: 32,
      dialTimeout: dialTimeoutMs,
      addressDialTimeout: addressDialTimeoutMs,
      // Many members come back at once after a power cut, often from one address; strangers end at the gater.
      inboundConnectionThreshold: 200,
      maxIncomingPendingConnections: 64,
      inboundUpgradeTimeout: 5_000,
      reconnectRetries: 0,
    },
    // See liveness.ts, which does its work.
    connectionMonitor: { enabled: false },
    connectionGater: {
      denyDialPeer: deny,
      denyDialMultiaddr: () => false,
      denyOutboundConnection: deny,
      denyInboundEncryptedConnection: deny,
      denyOutboundEncryptedConnection: deny,
      denyInboundUpgradedConnection: deny,
      denyOutboundUpgradedConnection: deny,
    },
    services: {
      identify: identify({ protocolPrefix: 'skein' }),
      ping: ping(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictSign,
        fallbackToFloodsub: false,
        doPX: false,
        allowPublishToZeroTopicPeers: true,
        ignoreDuplicatePublishError: true,
        emitSelf: false,
        allowedTopics: [...options.topics],
        maxInboundDataLength: gossipBytesMax,
        maxInboundStreams: 4,
        maxOutboundStreams: 4,
        decodeRpcLimits: {
          maxSubscriptions: 128,
          maxMessages: 256,
          maxIhaveMessageIDs: 1_000,
          maxIwantMessageIDs: 1_000,
          maxIdontwantMessageIDs: 1_000,
          maxControlMessages: 256,
          maxPeerInfos: 0,
        },
        // Machines of one home share one address, and the default would grey-list the eleventh.
        scoreParams: { IPColocationFactorWeight: 0 },
      }),
      dht: kadDHT({
        protocol: `/skein/${options.swarm.slice(0, 16)}/kad/1.0.0`,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        networkDialTimeout: { minTimeout: 400, maxTimeout: 1_000 },
        validators: options.validators,
        selectors: options.selectors,
      }),
    },
  });
}

/** What the main node and the short-lived pairing node have in common. */
export function sharedParts() {
  return {
    transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    // Its default takes the system's cipher for bulk under Node; Electron's crypto has none, and there it takes wasm.
    connectionEncrypters: [leanNoise()],
    streamMuxers: [
      yamux({
        enableKeepAlive: false,
        // Windows begin at their largest: growing needs round trips that a busy machine makes long.
        streamOptions: { initialStreamWindowSize: streamWindowBytesMax, maxStreamWindowSize: streamWindowBytesMax },
      }),
    ],
  };
}

/** The library's chatter says nothing a person could act on; what matters is logged by our own adapters. */
export const silentLogger: ComponentLogger = {
  forComponent: () => {
    const none = (): void => undefined;
    return Object.assign(none, {
      error: none,
      trace: none,
      enabled: false,
      newScope: () => silentLogger.forComponent(''),
    });
  },
};
