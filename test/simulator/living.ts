import type { NodeId } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import { between, chance } from './forks.ts';
import { hourMs, schedule, type Habit, type Life, type Transition } from './household.ts';
import { bestPossible } from './oracle.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** Times in milliseconds. */
export interface HouseholdReport {
  readonly transitions: number;
  /** Time in which some machine was wanted awake, crashed or not, and of that the part in which one also coordinated. */
  readonly someoneAwakeMs: number;
  readonly coordinatedMs: number;
  /** The same of the time in which two or more were wanted awake. */
  readonly twoAwakeMs: number;
  readonly coordinatedTwoMs: number;
  /** The most of `someoneAwakeMs` and of `twoAwakeMs` that any course of voters could have coordinated (`oracle.ts`). */
  readonly possibleMs: number;
  readonly possibleTwoMs: number;
  /** The longest uninterrupted time in which somebody was awake and nobody coordinated. */
  readonly longestOutageMs: number;
  readonly coordinatorChanges: number;
}

/** How long the world is simulated in full after each transition. Longer than a session lives, so that expiry is in it. */
const sceneMs = 30_000;
/** A scene in which coordination is lost goes on for so long at most; restarts and elections take seconds. */
const prolongedMs = 60_000;
const lookEveryMs = 1_000;
/** In each of the hours behind a scene the world runs for so long: time enough to notice who is there. */
const glimpseMs = 2_000;
/** Most machines say goodbye; a battery that runs out does not. */
const goodbyeShare = 0.85;
const founded = 30_000;
const pinnedMs = 5_000;

/** Who coordinated while who was awake, added up as a life goes on. */
class Tally {
  someoneAwakeMs = 0;
  coordinatedMs = 0;
  twoAwakeMs = 0;
  coordinatedTwoMs = 0;
  longestOutageMs = 0;
  coordinatorChanges = 0;
  leader: NodeId | null = null;
  #outageMs = 0;
  #lastLeader: NodeId | null = null;

  /** What is the case now counts for the last `forMs`. */
  look(world: World, forMs: number): void {
    const wanted = world.nodes.filter((each) => !each.retired).length;
    const running = world.nodes.filter((each) => each.up && !each.clock.asleep);
    this.leader = running.find(({ machine }) => machine?.role === 'coordinator')?.id ?? null;
    const coordinated = this.leader === null ? 0 : forMs;
    if (wanted >= 1) this.someoneAwakeMs += forMs;
    if (wanted >= 1) this.coordinatedMs += coordinated;
    if (wanted >= 2) this.twoAwakeMs += forMs;
    if (wanted >= 2) this.coordinatedTwoMs += coordinated;
    if (this.leader !== null) this.#outageMs = 0;
    else if (wanted >= 1) this.#outageMs += forMs;
    this.longestOutageMs = Math.max(this.longestOutageMs, this.#outageMs);
  }

  sceneEnded(): void {
    if (this.leader === null) return;
    if (this.#lastLeader !== null && this.#lastLeader !== this.leader) this.coordinatorChanges += 1;
    this.#lastLeader = this.leader;
  }
}

/**
 * Lives through the schedule. After each transition the world runs in full for a scene. Of the hours behind it only
 * glimpses are run: between them the whole world stands still, and only the calendars, by which people and machines tell
 * hours and days, go on.
 */
export function liveThrough(world: World, habits: readonly Habit[], { days, silent }: Life): HouseholdReport {
  const goodbyes = silent ? 0 : goodbyeShare;
  const random = world.forks.named('household');
  const transitions = schedule(habits, days, random);
  world.runUntil(world.queue.now + founded);
  world.nodes.forEach((node, index) => {
    if (habits[index]?.homeBase === true) node.client?.pin(node.id, 'home-base');
  });
  world.runUntil(world.queue.now + pinnedMs);
  firstNight(world, habits, transitions, (node, shutDownShare) =>
    leave(world, node, random, { shutDownShare, goodbyes }),
  );
  const tally = new Tally();
  for (const [index, transition] of transitions.entries()) {
    const node = world.nodes[transition.machine];
    if (node === undefined || world.isBroken) break;
    const gapMs = (transitions[index + 1]?.atMs ?? days * 24 * hourMs) - transition.atMs;
    if (transition.awake) rouse(world, node);
    else leave(world, node, random, { shutDownShare: habits[transition.machine]?.shutDownShare ?? 0, goodbyes });
    const playedMs = play(world, sceneMs, gapMs, tally);
    pass(world, gapMs - playedMs, tally);
    tally.sceneEnded();
  }
  for (const node of world.nodes) rouse(world, node);
  const { someoneAwakeMs, coordinatedMs, twoAwakeMs, coordinatedTwoMs, longestOutageMs, coordinatorChanges } = tally;
  return {
    transitions: transitions.length,
    someoneAwakeMs,
    coordinatedMs,
    twoAwakeMs,
    coordinatedTwoMs,
    possibleMs: bestPossible(transitions, days, 1),
    possibleTwoMs: bestPossible(transitions, days, 2),
    longestOutageMs,
    coordinatorChanges,
  };
}

/** The evening before: whoever is not awake at midnight goes, one after the other. */
function firstNight(
  world: World,
  habits: readonly Habit[],
  transitions: readonly Transition[],
  goes: (node: SimNode, shutDownShare: number) => void,
): void {
  world.nodes.forEach((node, index) => {
    if (transitions.some(({ atMs, machine }) => atMs === 0 && machine === index)) return;
    goes(node, habits[index]?.shutDownShare ?? 0);
    world.runUntil(world.queue.now + sceneMs);
  });
}

/**
 * Runs the world for so long, or for all of `gapMs` if that is shorter; answers for how long it did. Where coordination is
 * lost meanwhile, as when a machine crashes or its clock is set, it goes on, so that a moment does not stand for hours.
 */
function play(world: World, forMs: number, gapMs: number, tally: Tally): number {
  let led = tally.leader !== null;
  let playedMs = 0;
  while (playedMs < Math.min(gapMs, forMs + prolongedMs) && !world.isBroken) {
    if (playedMs >= forMs && (tally.leader !== null || !led)) break;
    const stepMs = Math.min(lookEveryMs, gapMs - playedMs);
    world.runUntil(world.queue.now + stepMs);
    tally.look(world, stepMs);
    led ||= tally.leader !== null;
    playedMs += stepMs;
  }
  return playedMs;
}

/** The hours until the next transition. A night in which everybody sleeps is only counted. */
function pass(world: World, forMs: number, tally: Tally): void {
  for (let leftMs = forMs; leftMs > 0 && !world.isBroken;) {
    const dark = world.nodes.every((each) => each.retired);
    const stepMs = dark ? leftMs : Math.min(hourMs, leftMs);
    const glimpsedMs = dark ? 0 : play(world, glimpseMs, stepMs, tally);
    world.turnCalendars(stepMs - glimpsedMs);
    tally.look(world, stepMs - glimpsedMs);
    leftMs -= stepMs;
  }
}

function leave(
  world: World,
  node: SimNode,
  random: Random,
  { shutDownShare, goodbyes }: { readonly shutDownShare: number; readonly goodbyes: number },
): void {
  const shutsDown = chance(random, shutDownShare);
  if (chance(random, goodbyes)) {
    node.tell({ type: 'departing', departure: shutsDown ? 'shutdown' : 'suspend' });
    world.runUntil(world.queue.now + between(random, 100, 2_000));
  }
  rest(world, node, shutsDown);
}

function rest(world: World, node: SimNode, shutsDown: boolean): void {
  world.line(`${node.id} ${shutsDown ? 'is shut down' : 'falls asleep'}`);
  // Nobody starts it until it is wanted again: neither one that has just crashed, nor one that loses power in its sleep.
  node.retired = true;
  if (shutsDown || !node.up) return node.stop(false);
  node.clock.sleep(1_000 * hourMs);
  world.network.suspend(node.id);
}

function rouse(world: World, node: SimNode): void {
  world.line(`${node.id} wakes`);
  node.retired = false;
  node.clock.wakeNow();
  world.network.resume(node.id);
  node.start();
  node.tell({ type: 'departing', departure: null });
}
