import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src-main/core/machine/random.ts';
import { findProgram } from '../programs.ts';
import { whyNotIsolated } from './isolation.ts';
import { whyNoLibrary, type Machine } from './machines.ts';
import type { ChaosOptions, FaultKind } from './options.ts';
import type { Story } from './story.ts';
import type { Wires } from './wires.ts';

/** Session times to live that a process is stopped for: mostly around the mean, one time in six for as long as this. */
const stopTtlsMean = 1.5;
const stopTtlsMax = 10;
const backWithinMs = 20_000;
const hour = 3_600;
const clockJumps = [hour, -hour, 24 * hour, -24 * hour, 3_650 * 24 * hour, 5, -5];

/** Why a kind of fault cannot be done here, by kind; a kind that can be done is not in it. */
export function unavailableFaults(isolated: boolean): Map<FaultKind, string> {
  const reasons = new Map<FaultKind, string>();
  const noNamespaces = isolated ? null : (whyNotIsolated() ?? '--loopback was given');
  const noFilter = findProgram('nft') === null ? 'nft is not installed (Debian: apt-get install nftables)' : null;
  const note = (kinds: readonly FaultKind[], reason: string | null): void => {
    if (reason !== null) for (const kind of kinds) if (!reasons.has(kind)) reasons.set(kind, reason);
  };
  note(['cut', 'partition', 'loss', 'flap', 'full-disk'], noNamespaces);
  note(['cut', 'partition', 'loss'], noFilter);
  note(['disk-error'], whyNoLibrary('disk'));
  note(['clock'], whyNoLibrary('clock'));
  if (process.platform === 'win32') note(['stop'], 'Windows has no signal that stops a process');
  return reasons;
}

interface Scene {
  readonly machines: readonly Machine[];
  readonly wires: Wires | null;
  readonly options: ChaosOptions;
  readonly story: Story;
  readonly random: Random;
}

/** Inflicts faults one after another, some overlapping, until `until`; every one is undone by itself. */
export async function storm(scene: Scene, kinds: readonly FaultKind[], until: () => boolean): Promise<void> {
  const { random } = scene;
  const underway = new Set<Promise<void>>();
  while (until()) {
    const kind = kinds[random.below(kinds.length)];
    const machine = scene.machines[random.below(scene.machines.length)];
    if (kind === undefined || machine === undefined) return;
    const fault = inflict(scene, kind, machine).finally(() => underway.delete(fault));
    underway.add(fault);
    // Mostly one at a time, with time to recover; sometimes the next one strikes while this one lasts.
    if (random.below(10) < 7 || underway.size > 2) await Promise.race([Promise.all(underway), ended(until)]);
    await sleep(500 + random.below(2_500));
  }
  await Promise.all(underway);
}

async function ended(until: () => boolean): Promise<void> {
  while (until()) await sleep(100);
}

/** Exponential with this mean, cut at ten times it. */
const around = (random: Random, meanMs: number): number => Math.min(10 * meanMs, -Math.log(1 - random.next()) * meanMs);

const stopTtls = (random: Random): number =>
  random.below(6) === 0 ? stopTtlsMax : Math.min(stopTtlsMax, around(random, stopTtlsMean));

async function inflict(scene: Scene, kind: FaultKind, machine: Machine): Promise<void> {
  const { story, random, options } = scene;
  switch (kind) {
    case 'kill':
      story.fault(kind, machine.name);
      await machine.kill();
      await sleep(around(random, 400));
      return comeBack([machine]);
    case 'outage': {
      const victims = scene.machines.filter(() => random.below(10) < 7);
      story.fault(kind, victims.map(({ name }) => name).join(', '));
      await Promise.all(victims.map((victim) => victim.kill()));
      await sleep(around(random, 300));
      return comeBack(victims);
    }
    case 'stop':
      return stop(scene, machine, options.sessionTtlMs * stopTtls(random));
    case 'clock':
      return jump(scene, machine);
    case 'disk-error':
      if (!machine.awake) return;
      story.fault(kind, `half of the syncs of ${machine.name} fail`);
      machine.failSyncs();
      await sleep(around(random, 3_000));
      // A process that never noticed would go on with a failing disk for ever; the next one has a whole disk.
      if (machine.node.running && machine.diskFailed) await machine.kill();
      return comeBack([machine]);
    case 'full-disk': {
      const forMs = around(random, 3_000);
      story.fault(kind, `${machine.name} for ${forMs.toFixed(0)} ms`);
      await machine.fillDisk();
      await sleep(forMs);
      machine.freeDisk();
      return;
    }
    default:
      return disturbNetwork(scene, kind, machine);
  }
}

/** Starting takes its time: without waiting for it, the storm would only ever strike machines that are not there yet. */
async function comeBack(machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) machine.revive();
  for (let waited = 0; waited < backWithinMs && !machines.every(({ awake }) => awake); waited += 100) await sleep(100);
}

async function stop({ story }: Scene, machine: Machine, forMs: number): Promise<void> {
  if (!machine.awake) return;
  story.fault('stop', `${machine.name} for ${forMs.toFixed(0)} ms`);
  const over = machine.disturb();
  machine.freeze(true);
  await sleep(forMs);
  machine.freeze(false);
  // What it had believed is corrected in its first moments awake.
  setTimeout(over, 1_000).unref();
}

async function jump({ story, random, options }: Scene, machine: Machine): Promise<void> {
  const seconds = clockJumps[random.below(clockJumps.length)] ?? hour;
  story.fault('clock', `${machine.name} by ${seconds} s`);
  machine.setClock(seconds);
  await sleep(1_000 + around(random, options.sessionTtlMs));
  machine.setClock(0);
}

async function disturbNetwork(scene: Scene, kind: FaultKind, machine: Machine): Promise<void> {
  const { wires, story, random, machines } = scene;
  if (wires === null) return;
  const others = machines.filter((other) => other !== machine);
  const other = others[random.below(others.length)];
  if (other === undefined) return;
  const forMs = around(random, 3_000);
  switch (kind) {
    case 'cut':
      story.fault(kind, `${machine.name} -> ${other.name} for ${forMs.toFixed(0)} ms`);
      wires.drop(machine.index, other.index, 1);
      break;
    case 'partition':
      story.fault(kind, `${machine.name} from all others for ${forMs.toFixed(0)} ms`);
      for (const { index } of others) {
        wires.drop(machine.index, index, 1);
        wires.drop(index, machine.index, 1);
      }
      break;
    case 'loss': {
      const share = (1 + random.below(4)) / 10;
      story.fault(kind, `${share * 100} % of what ${machine.name} receives for ${forMs.toFixed(0)} ms`);
      for (const { index } of others) wires.drop(index, machine.index, share);
      break;
    }
    default: {
      const times = 1 + random.below(4);
      story.fault('flap', `${machine.name}, ${times} times`);
      for (let time = 0; time < times; time++) {
        wires.setLink(machine.index, 'down');
        await sleep(100 + random.below(600));
        wires.setLink(machine.index, 'up');
        await sleep(100 + random.below(600));
      }
      return;
    }
  }
  await sleep(forMs);
  // Heals the others' cuts with it: what overlapped ends early, which is a change like any other.
  wires.heal();
}
