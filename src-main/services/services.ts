import type { SkeinServices } from '../api/services.ts';
import type { Clock } from '../ports/clock.ts';
import type { EndProcesses } from '../ports/process-runner.ts';
import { createKvService } from './kv-service.ts';
import type { Changes } from './live-view.ts';
import { createConsensusService } from './consensus-service.ts';
import { createFilesService } from './files-service.ts';
import { createLocksService } from './locks-service.ts';
import type { SelfFacts } from './overview-view.ts';
import type { PairingRequests } from './pairing-requests.ts';
import { createPeersService, createPolicyService } from './peers-service.ts';
import type { PolicyFile } from './policy.ts';
import type { RecentFolders } from './recent-folders.ts';
import type { PeerHolder } from './running-peer.ts';
import { createSwarmService, type SwarmDoor } from './swarm-service.ts';
import { createTasksService } from './tasks-service.ts';

export interface ServicesOptions {
  readonly holder: PeerHolder;
  readonly door: SwarmDoor;
  readonly requests: PairingRequests;
  readonly policy: PolicyFile;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly recentFolders: RecentFolders;
  readonly facts: () => SelfFacts;
  readonly endProcesses: EndProcesses;
}

/** One method per procedure of the contract. */
export function createServices(options: ServicesOptions): SkeinServices {
  const { holder, changes } = options;
  return {
    swarm: createSwarmService(options),
    peers: createPeersService(holder, changes),
    policy: createPolicyService(options),
    tasks: createTasksService(holder, changes, options.recentFolders),
    locks: createLocksService(holder, changes, options.endProcesses),
    consensus: createConsensusService(holder, changes),
    files: createFilesService(options.recentFolders),
    kv: createKvService(holder),
  };
}
