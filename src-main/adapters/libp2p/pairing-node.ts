import type { Libp2p } from '@libp2p/interface';
import { createLibp2p } from 'libp2p';
import { sharedParts, silentLogger } from './create-node.ts';
import type { Identity } from './identity.ts';
import { addressDialTimeoutMs } from './limits.ts';

export const pairingProtocol = '/skein/pair/1';

/**
 * The short-lived node that talks with strangers. It speaks nothing but pairing, has no peers of its own, and uses
 * the machine's key, so that the encrypted channel itself proves to each side whom it talks with.
 */
export const createPairingNode = (identity: Identity, listen: readonly string[]): Promise<Libp2p> =>
  createLibp2p({
    start: false,
    privateKey: identity.privateKey,
    logger: silentLogger,
    addresses: { listen: [...listen] },
    ...sharedParts(),
    connectionManager: {
      maxConnections: 16,
      maxIncomingPendingConnections: 4,
      inboundConnectionThreshold: 5,
      inboundUpgradeTimeout: 5_000,
      addressDialTimeout: addressDialTimeoutMs,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
  });
