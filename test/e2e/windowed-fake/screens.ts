/** The screens that are looked at, by the name of their picture. `ready` is a text that must be on the page first. */
export interface Screen {
  readonly name: string;
  readonly route: string;
  readonly ready: string;
  readonly variant?: string;
  /** Kept in `docs/screenshots`; the others are only checked there, and pictured on a real swarm. */
  readonly pictured?: boolean;
}

export const screens: readonly Screen[] = [
  { name: 'overview', route: '#/overview', ready: 'Who decides' },
  { name: 'peers', route: '#/peers/render-box', ready: 'Addresses' },
  { name: 'peers-unpinned', route: '#/peers', ready: 'make it the home base', variant: 'unpinned' },
  { name: 'tasks', route: '#/tasks', ready: 'Reel 4, proxies' },
  { name: 'locks', route: '#/locks/nightly-backup', ready: 'Latest holders' },
  { name: 'job', route: '#/tasks/214', ready: 'A004_C001.mov' },
  { name: 'output', route: '#/tasks/214?tab=output', ready: 'frame=' },
  { name: 'new-job', route: '#/tasks/new', ready: 'The same on the command line' },
  { name: 'settings', route: '#/settings', ready: 'Run work from', pictured: true },
  { name: 'no-majority', route: '#/overview', ready: 'No majority', variant: 'no-quorum' },
  { name: 'first-run', route: '#/', ready: 'Create a swarm', variant: 'founding' },
  { name: 'locks-permits', route: '#/locks/graphics-cards', ready: 'attic waits for' },
  { name: 'locks-delayed', route: '#/locks/catalogue', ready: 'Places kept after a loss' },
  { name: 'consensus', route: '#/consensus', ready: 'One of 3 voters may be off' },
  { name: 'consensus-log', route: '#/consensus?show=log', ready: 'lock-force-released' },
  { name: 'consensus-no-majority', route: '#/consensus', ready: 'Everybody waits for', variant: 'no-quorum' },
  { name: 'values', route: '#/values/render%2Fquality', ready: 'Stays' },
  { name: 'values-empty', route: '#/values', ready: 'No values yet', variant: 'empty' },
  { name: 'overview-table', route: '#/overview?as=table', ready: 'learner' },
  {
    name: 'locks-no-majority',
    route: '#/locks/nightly-backup',
    ready: 'the holder may have changed',
    variant: 'no-quorum',
  },
  { name: 'tasks-empty', route: '#/tasks', ready: 'No work yet', variant: 'empty' },
  { name: 'locks-empty', route: '#/locks', ready: 'Nothing is locked', variant: 'empty' },
  { name: 'tasks-error', route: '#/tasks', ready: 'cannot be read', variant: 'error' },
  { name: 'tasks-filtered', route: '#/tasks?q=nothing-like-this', ready: 'No job matches' },
  { name: 'explain', route: '#/tasks/214?tab=explain', ready: 'What happened' },
  { name: 'invite', route: '#/settings/invite', ready: 'Make an invitation' },
  { name: 'down', route: '#/', ready: 'does not answer', variant: 'down' },
];
