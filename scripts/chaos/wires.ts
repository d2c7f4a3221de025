import { mkdirSync } from 'node:fs';
import { findProgram } from '../programs.ts';
import { run } from './isolation.ts';

/** Long names: iproute2 reads short ones as abbreviations of its own words. */
const bridge = 'skein-bridge';
const port = (index: number): string => `skein-port-${index}`;
const namespace = (index: number): string => `skein-node-${index}`;

/**
 * One bridge and a pair of virtual interfaces per node, inside the namespaces of this run. Filters sit where a node
 * receives, so that each direction of a link can be cut by itself.
 */
export class Wires {
  readonly #nodes: number;
  readonly canFilter: boolean;

  constructor(nodes: number) {
    this.#nodes = nodes;
    this.canFilter = findProgram('nft') !== null;
    mkdirSync('/run/netns', { recursive: true });
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/run/netns');
    run('ip', 'link', 'set', 'lo', 'up');
    run('ip', 'link', 'add', bridge, 'type', 'bridge');
    run('ip', 'link', 'set', bridge, 'up');
    for (let index = 0; index < nodes; index++) this.#attach(index);
  }

  #attach(index: number): void {
    const own = namespace(index);
    run('ip', 'netns', 'add', own);
    run('ip', 'link', 'add', port(index), 'type', 'veth', 'peer', 'name', 'skein-ethernet', 'netns', own);
    run('ip', 'link', 'set', port(index), 'master', bridge, 'up');
    run('ip', '-n', own, 'link', 'set', 'lo', 'up');
    run('ip', '-n', own, 'address', 'add', `${this.address(index)}/24`, 'dev', 'skein-ethernet');
    run('ip', '-n', own, 'link', 'set', 'skein-ethernet', 'up');
    if (!this.canFilter) return;
    this.#nft(index, 'add table ip chaos');
    this.#nft(index, 'add chain ip chaos arriving { type filter hook input priority 0 ; }');
  }

  address(index: number): string {
    return `10.77.0.${10 + index}`;
  }

  /** What to put before a command so that it runs on the machine of this number. */
  inside(index: number): readonly string[] {
    return [findProgram('nsenter') ?? 'nsenter', `--net=/run/netns/${namespace(index)}`];
  }

  /** Drops this share of what `to` receives from `from`; 1 cuts the direction. */
  drop(from: number, to: number, share: number): void {
    const percent = Math.round(share * 100);
    const sometimes = percent >= 100 ? '' : `numgen random mod 100 < ${percent} `;
    this.#nft(to, `add rule ip chaos arriving ip saddr ${this.address(from)} ${sometimes}drop`);
  }

  setLink(index: number, state: 'up' | 'down'): void {
    run('ip', 'link', 'set', port(index), state);
  }

  /** Every link whole again. */
  heal(): void {
    for (let index = 0; index < this.#nodes; index++) {
      this.setLink(index, 'up');
      if (this.canFilter) this.#nft(index, 'flush chain ip chaos arriving');
    }
  }

  #nft(index: number, rule: string): void {
    run('ip', 'netns', 'exec', namespace(index), findProgram('nft') ?? 'nft', ...rule.split(' '));
  }
}
