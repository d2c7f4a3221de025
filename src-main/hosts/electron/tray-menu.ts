import type { MenuItemConstructorOptions } from 'electron';
import { count, trayStatus, type SwarmGlance, type TrayModel } from './tray-model.ts';

/** What the entries of the menu do. */
export interface TrayActions {
  readonly open: (place: string) => void;
  readonly openWeb: () => void;
  /** Minutes, or null until somebody says so. */
  readonly pause: (minutes: number | null) => void;
  readonly resume: () => void;
  readonly copy: (text: string) => void;
  readonly copyJoinLink: () => void;
  readonly tryAgain: () => void;
  readonly quit: () => void;
}

const runningHereMax = 5;
const recentJobsMax = 5;
const machinesMax = 20;
const labelCharsMax = 48;
const pauseMinutes = [15, 60, 240] as const;

/**
 * The whole menu of the tray. It holds everything, because on Linux a click on the icon may never reach us.
 */
export function trayMenu(model: TrayModel, actions: TrayActions, nowMs: number): MenuItemConstructorOptions[] {
  const { glance } = model;
  const failed = model.node.kind === 'failed';
  const inSwarm = glance !== null && glance.overview.swarm !== null;
  return [
    { label: trayStatus(model, nowMs), enabled: false },
    ...(failed ? [{ label: 'Try again', click: actions.tryAgain }] : []),
    { type: 'separator' },
    { label: 'Open Skein', click: () => actions.open('') },
    { label: 'Submit files…', enabled: inSwarm, click: () => actions.open('#/tasks/new') },
    pauseEntry(glance, actions, inSwarm),
    { type: 'separator' },
    { label: 'Running here', enabled: inSwarm, submenu: runningHere(glance, actions) },
    { label: 'My tasks', enabled: inSwarm, submenu: myJobs(glance, actions) },
    { label: 'Machines', enabled: inSwarm, submenu: machines(glance, actions) },
    { type: 'separator' },
    { label: 'Copy join link', enabled: inSwarm, click: actions.copyJoinLink },
    { label: 'Open in the browser', enabled: model.node.kind === 'running', click: actions.openWeb },
    { label: 'Settings', click: () => actions.open('#/settings') },
    { type: 'separator' },
    { label: 'Quit', click: actions.quit },
  ];
}

function pauseEntry(glance: SwarmGlance | null, actions: TrayActions, enabled: boolean): MenuItemConstructorOptions {
  if (glance !== null && glance.paused !== null) return { label: 'Resume', enabled, click: actions.resume };
  const timed = pauseMinutes.map((minutes) => ({
    label: minutes < 60 ? `For ${count(minutes, 'minute')}` : `For ${count(minutes / 60, 'hour')}`,
    click: () => actions.pause(minutes),
  }));
  return {
    label: 'Pause this machine',
    enabled,
    submenu: [...timed, { label: 'Until I resume', click: () => actions.pause(null) }],
  };
}

function runningHere(glance: SwarmGlance | null, actions: TrayActions): MenuItemConstructorOptions[] {
  const self = glance?.overview.self.id;
  const jobs = (glance?.jobs ?? []).filter(
    (job) => job.counts.active > 0 && job.where.some((node) => node.id === self),
  );
  return orNone(
    jobs.slice(0, runningHereMax).map((job) => ({
      label: short(`${job.name} (from ${job.submitter.name})`),
      click: () => actions.open(`#/tasks/${String(job.id)}`),
    })),
    'Nothing runs here',
  );
}

function myJobs(glance: SwarmGlance | null, actions: TrayActions): MenuItemConstructorOptions[] {
  const self = glance?.overview.self.id;
  const jobs = (glance?.jobs ?? [])
    .filter((job) => job.submitter.id === self)
    .toSorted((left, right) => right.submittedAt - left.submittedAt);
  return orNone(
    jobs.slice(0, recentJobsMax).map((job) => ({
      label: short(`${job.name}: ${job.state}`),
      click: () => actions.open(`#/tasks/${String(job.id)}`),
    })),
    'Nothing submitted from here yet',
  );
}

function machines(glance: SwarmGlance | null, actions: TrayActions): MenuItemConstructorOptions[] {
  const peers = glance?.peers ?? [];
  return orNone(
    peers.slice(0, machinesMax).map((peer) => ({
      label: short(`${peer.name}${peer.self ? ' (this machine)' : ''}: ${peer.state}`),
      toolTip: `Copies its address: ${peer.addresses[0] ?? peer.id}`,
      click: () => actions.copy(peer.addresses[0] ?? peer.id),
    })),
    'No machines yet',
  );
}

const orNone = (entries: MenuItemConstructorOptions[], none: string): MenuItemConstructorOptions[] =>
  entries.length > 0 ? entries : [{ label: none, enabled: false }];

/** Names come from other machines: cut to a length, and without characters that reorder or break a line. */
function short(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').replaceAll('&', '&&');
  return plain.length <= labelCharsMax ? plain : `${plain.slice(0, labelCharsMax - 1)}…`;
}
