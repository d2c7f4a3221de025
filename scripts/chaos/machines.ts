import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalSwarm } from '../swarm/local-swarm.ts';
import { NodeProcess } from '../swarm/node-process.ts';
import { findProgram } from '../programs.ts';
import { run } from './isolation.ts';
import type { ChaosOptions } from './options.ts';
import type { Story } from './story.ts';
import type { Wires } from './wires.ts';

const names = ['one', 'two', 'three', 'four', 'five'];
/** Enough for the binary log, snapshots and logs of a run; small enough to be filled in a moment. */
const diskMegabytes = 64;
/** Debian's folders of the two kinds of processors that nodes run on. */
const architecture = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const libraries = {
  disk: ['/usr/lib/fiu/fiu_run_preload.so', '/usr/lib/fiu/fiu_posix_preload.so'],
  clock: `/usr/lib/${architecture}/faketime/libfaketimeMT.so.1`,
};

interface Disturbance {
  readonly from: number;
  to: number;
}

/** One machine: where its node process runs, what was done to it, and whether it should be up. */
export class Machine {
  readonly index: number;
  readonly node: NodeProcess;
  /** What the process says, of all its lives. */
  readonly log: string;
  readonly #clockFile: string;
  readonly #fiuPrefix: string;
  readonly #story: Story;
  /** While the process may be behind its leases without knowing it: stopped, or with a clock that jumps. */
  readonly #disturbances: Disturbance[] = [];
  #shouldRun = true;
  #stopped = false;
  /** The disk fails under the present process: it may end by itself, and only another process has a whole disk. */
  diskFailed = false;
  /** The disk was full under the present process: it may end by itself, but need not, and works again with space. */
  diskFilled = false;

  constructor(options: {
    index: number;
    node: NodeProcess;
    clockFile: string;
    fiuPrefix: string;
    log: string;
    story: Story;
  }) {
    this.index = options.index;
    this.node = options.node;
    this.log = options.log;
    this.#clockFile = options.clockFile;
    this.#fiuPrefix = options.fiuPrefix;
    this.#story = options.story;
  }

  get name(): string {
    return this.node.name;
  }

  /** Whether calls make sense: the process is ready and not stopped. */
  get awake(): boolean {
    return this.node.callable && !this.#stopped;
  }

  /** Whether it could have been behind at any time since `from`. */
  disturbedSince(from: number): boolean {
    return this.#disturbances.some(({ to }) => to >= from);
  }

  disturb(): () => void {
    const disturbance: Disturbance = { from: this.#story.now, to: Number.POSITIVE_INFINITY };
    this.#disturbances.push(disturbance);
    return () => {
      disturbance.to = this.#story.now;
    };
  }

  async kill(): Promise<void> {
    this.#shouldRun = false;
    this.#stopped = false;
    await this.node.kill();
  }

  /** The supervisor starts it again. */
  revive(): void {
    this.#shouldRun = true;
  }

  /** Stops the process where it stands, or lets it go on. */
  freeze(frozen: boolean): void {
    if (!this.node.running) return;
    this.#stopped = frozen;
    this.node.freeze(frozen);
  }

  setClock(offsetSeconds: number): void {
    writeFileSync(this.#clockFile, `${offsetSeconds >= 0 ? '+' : ''}${offsetSeconds}\n`);
  }

  /** Half of the process's syncs fail from now on, until it is another process. */
  failSyncs(): void {
    this.diskFailed = true;
    const command = 'enable_random name=posix/io/sync/*,probability=0.5,failinfo=5';
    run('fiu-ctrl', '-f', this.#fiuPrefix, '-c', command, String(this.node.pid));
  }

  async fillDisk(): Promise<void> {
    this.diskFilled = true;
    const { bavail, bsize } = await statfs(this.node.home);
    const ballast = Buffer.alloc(1024 * 1024);
    for (let left = Number(bavail) * Number(bsize), part = 0; left > 0; left -= ballast.length, part++) {
      try {
        writeFileSync(join(this.node.home, `ballast-${part}`), ballast);
      } catch {
        // Full, which was the aim: the last part is as long as there was room.
        return;
      }
    }
  }

  freeDisk(): void {
    for (let part = 0; part <= diskMegabytes; part++) rmSync(join(this.node.home, `ballast-${part}`), { force: true });
  }

  /** Keeps the process running for as long as it should; tells the story of every end that nobody asked for. */
  async supervise(running: () => boolean): Promise<void> {
    while (running()) {
      await sleep(100);
      if (!this.#shouldRun || this.node.running) continue;
      if (this.node.ending !== null) {
        const text = `${this.name} ended by itself with ${this.node.ending}`;
        if (this.diskFailed || this.diskFilled) this.#story.tell(`${text}, its disk having failed`);
        else this.#story.violation(text);
      }
      // The next process has a whole disk. Told later, whoever heals the disks would kill it while it starts.
      this.diskFailed = false;
      try {
        await this.node.start();
        this.diskFilled = false;
        this.#story.tell(`${this.name} runs again`);
      } catch (error) {
        this.#story.tell(`${this.name} does not start: ${String(error).slice(0, 300)}`);
        await sleep(500);
      }
    }
  }
}

export interface Machines {
  readonly swarm: LocalSwarm;
  readonly all: readonly Machine[];
  /** Null on loopback. */
  readonly wires: Wires | null;
}

/** What every process of a run gets: where it listens, which libraries stand between it and the system. */
export async function foundMachines(
  options: ChaosOptions,
  program: string,
  wires: Wires | null,
  story: Story,
): Promise<Machines> {
  const all: Machine[] = [];
  const build = (name: string, given: string): NodeProcess => {
    const index = all.length;
    const ownDisk = wires !== null && options.faults.includes('full-disk');
    // Outside of the swarm's folder, which is removed while the disk is still there: it goes with the run's namespaces.
    const home = ownDisk ? join(tmpdir(), `disk-${name}`) : given;
    const [clockFile, fiuPrefix, log] = [`${home}.clock`, `${home}.fiu`, `${home}.log`];
    mkdirSync(home, { recursive: true });
    if (ownDisk) run('mount', '-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', home);
    const preload = [
      ...(options.faults.includes('disk-error') ? libraries.disk : []),
      ...(options.faults.includes('clock') ? [libraries.clock] : []),
    ];
    const node = new NodeProcess({
      name,
      home,
      flags: [
        ...(wires === null ? [] : ['--listen', wires.address(index)]),
        ...['--slots', '2', '--session-ttl-ms', String(options.sessionTtlMs), '--log-level', 'info'],
      ],
      inside: wires?.inside(index) ?? [],
      program,
      log,
      environment: {
        ...(preload.length === 0 ? {} : { LD_PRELOAD: preload.join(' ') }),
        FIU_CTRL_FIFO: fiuPrefix,
        FAKETIME_TIMESTAMP_FILE: clockFile,
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        FAKETIME_CACHE_DURATION: '1',
      },
    });
    const machine = new Machine({ index, node, clockFile, fiuPrefix, log, story });
    machine.setClock(0);
    all.push(machine);
    return node;
  };
  const swarm = await LocalSwarm.found({
    name: 'chaos',
    machines: names.slice(0, options.nodes),
    say: (line) => story.tell(line),
    build,
  });
  return { swarm, all, wires };
}

/** Why this system cannot do a fault of a library; null when it can. */
export function whyNoLibrary(kind: 'disk' | 'clock'): string | null {
  const [file, from] = kind === 'disk' ? [libraries.disk[0], 'fiu-utils'] : [libraries.clock, 'faketime'];
  const missing = kind === 'disk' && findProgram('fiu-ctrl') === null;
  try {
    if (!missing && file !== undefined) run('test', '-r', file);
    else return `${from} is not installed (Debian: apt-get install ${from})`;
    return null;
  } catch {
    return `${from} is not installed (Debian: apt-get install ${from})`;
  }
}
