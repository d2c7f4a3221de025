/** One of several clients that want the same lock. */
export interface Contender {
  /** Resolves once the lock is held, with what it takes to give it back. */
  acquire(): Promise<unknown>;
  /** Resolves once the release is durable. */
  release(held: unknown): Promise<void>;
}

export type Blow = 'SIGKILL' | 'SIGSTOP' | 'SIGTERM';

/** How a system is hit and probed for the time until it serves again. Servers are numbered from 0. */
export interface FailoverSubject {
  /** The server that leads now, once all are well. */
  leader(): Promise<number>;
  hit(server: number, blow: Blow): Promise<void>;
  /** One write on that server, given up after `timeoutMs`. Rejects when it was not acknowledged. */
  probe(server: number, timeoutMs: number): Promise<void>;
  /** Makes a server that was hit whole again and waits until it follows. */
  restore(server: number, blow: Blow): Promise<void>;
}

/** A system under measurement: three servers on this machine and a public client in this process. */
export interface Contestant {
  readonly name: string;
  /** Its version, its client and everything a fair reader must know. */
  readonly facts: { readonly server: string; readonly client: string; readonly caveats: readonly string[] };
  readonly serverCount: number;
  /** Processes of the servers that run. */
  pids(): readonly number[];
  /** One replicated write of 256 bytes, acknowledged. `client` numbers the callers. */
  write(client: number): Promise<unknown>;
  /** One linearizable read; absent where the system has none that compares. */
  readonly read?: (client: number) => Promise<unknown>;
  /** `count` clients for one lock; absent where the system has no valid lock. */
  readonly contenders?: (lock: string, count: number) => Promise<readonly Contender[]>;
  readonly failover: FailoverSubject;
  /** Ends the servers and removes every trace. */
  stop(): Promise<void>;
}

/** A rival that is not installed, and how to get it. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

export const valueBytes = 256;
/** Writes go round this many keys. */
export const keyCount = 1_000;
