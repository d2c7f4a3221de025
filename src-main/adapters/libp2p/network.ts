export type { ClosestPeer, HashTable, NetworkCounters, PeerLink, SkeinNetwork, SkeinNetworkOptions } from './facade.ts';
