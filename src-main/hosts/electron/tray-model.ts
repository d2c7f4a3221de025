import type { Overview } from '../../../shared/contract/swarm.ts';
import type { Peer } from '../../../shared/contract/peers.ts';
import type { Job } from '../../../shared/contract/tasks.ts';
import type { NodeState } from './node-process.ts';

export const trayShapes = ['idle', 'working', 'paused', 'attention', 'offline'] as const;
export type TrayShape = (typeof trayShapes)[number];

/** What the tray knows of the swarm: the last answers of the node, or none while it does not run. */
export interface SwarmGlance {
  readonly overview: Overview;
  readonly jobs: readonly Job[];
  readonly peers: readonly Peer[];
  /** This machine takes no tasks; until when in wall time, or null when until somebody says so. */
  readonly paused: { readonly untilMs: number | null } | null;
}

export interface TrayModel {
  readonly node: NodeState;
  readonly glance: SwarmGlance | null;
}

/** Which shape the icon takes: states differ by shape, never by colour alone. */
export function trayShape({ node, glance }: TrayModel): TrayShape {
  if (node.kind === 'failed' || node.kind === 'restarting') return 'attention';
  if (node.kind !== 'running' || glance === null) return 'offline';
  const { state } = glance.overview;
  if (state === 'no-quorum') return 'attention';
  if (state === 'none') return 'offline';
  if (glance.paused !== null) return 'paused';
  return glance.overview.self.running > 0 ? 'working' : 'idle';
}

/** One sentence about how things stand: the tooltip and the first line of the menu. */
export function trayStatus({ node, glance }: TrayModel, nowMs: number): string {
  if (node.kind === 'failed') return 'Skein does not run: see the window';
  if (node.kind === 'restarting') return 'Skein starts again after a crash';
  if (node.kind === 'stopped') return 'Skein is stopped';
  if (node.kind === 'starting' || glance === null) return 'Skein is starting';
  const { overview, paused } = glance;
  if (overview.swarm === null) return 'No swarm yet';
  const here = overview.self.running;
  const work = `${count(here, 'task')} here, ${String(overview.tasks.running)} in ${overview.swarm.name}`;
  if (overview.state === 'no-quorum') return `${work}; waiting for more machines`;
  return paused === null ? work : `${work}; ${pausedFor(paused.untilMs, nowMs)}`;
}

/** What stops when the app quits, as a question; null when nothing does. */
export function quitQuestion(glance: SwarmGlance | null): string | null {
  const running = glance?.overview.self.running ?? 0;
  return running === 0 ? null : `Quit and stop ${count(running, 'task')} on this machine?`;
}

export const count = (number: number, noun: string): string => `${String(number)} ${noun}${number === 1 ? '' : 's'}`;

function pausedFor(untilMs: number | null, nowMs: number): string {
  if (untilMs === null) return 'paused';
  return `paused ${String(Math.max(1, Math.ceil((untilMs - nowMs) / 60_000)))} min`;
}
