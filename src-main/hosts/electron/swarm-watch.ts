import type { MessagePortMain } from 'electron';
import type { SkeinClient } from '../../../shared/contract/client.ts';
import { createPortClient } from '../../../shared/contract/port-client.ts';
import type { NodeProcess } from './node-process.ts';
import type { SwarmGlance } from './tray-model.ts';

const lookEveryMs = 3_000;

/** Looks at the swarm for the tray, through a port like any window, and turns the machine's work off and on. */
export class SwarmWatch {
  readonly #node: NodeProcess;
  readonly #onGlance: (glance: SwarmGlance | null) => void;
  #client: SkeinClient | null = null;
  #port: MessagePortMain | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(node: NodeProcess, onGlance: (glance: SwarmGlance | null) => void) {
    this.#node = node;
    this.#onGlance = onGlance;
  }

  /** Opens a line to the node that has just become ready. */
  connect(): void {
    this.disconnect();
    this.#node.withPort((port) => {
      this.#port = port;
      this.#client = createPortClient(port);
      port.on('close', () => {
        if (this.#port === port) this.disconnect();
      });
      port.start();
      this.#lookSoon(0);
    });
  }

  disconnect(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#client = null;
    this.#port?.close();
    this.#port = null;
    this.#onGlance(null);
  }

  /** Takes no new tasks on this machine; for that many minutes, or until `resume`. The node keeps it across restarts. */
  async pause(minutes: number | null): Promise<void> {
    await this.#client?.policy.pause({ forMs: minutes === null ? null : minutes * 60_000 });
    this.#lookSoon(0);
  }

  async resume(): Promise<void> {
    await this.#client?.policy.resume();
    this.#lookSoon(0);
  }

  /** A new invitation link, good once; null while no node runs. */
  async invite(): Promise<string | null> {
    return this.#client === null ? null : (await this.#client.swarm.invite({})).link;
  }

  #lookSoon(afterMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#look()
        // The next look tells; a single failed one changes nothing that is shown.
        .catch((error: unknown) => console.warn('the tray could not look at the swarm:', error))
        .finally(() => {
          if (this.#client !== null) this.#lookSoon(lookEveryMs);
        });
    }, afterMs);
  }

  async #look(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    const overview = (await client.swarm.overview()).view;
    if (overview.swarm === null) {
      if (client === this.#client) this.#onGlance({ overview, jobs: [], peers: [], paused: null });
      return;
    }
    const [jobs, peers] = await Promise.all([client.tasks.list(), client.peers.list()]);
    if (client !== this.#client) return;
    const { paused } = overview.self;
    this.#onGlance({
      overview,
      jobs: jobs.view.jobs,
      peers: peers.view.peers,
      paused: paused === null ? null : { untilMs: paused.until },
    });
  }
}
