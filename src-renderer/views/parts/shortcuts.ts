import type { App } from '../../state/app.svelte.ts';
import type { Place } from '../../state/router.svelte.ts';

export interface Shortcut {
  /** As shown: keys that follow each other are separated by a space. */
  readonly keys: string;
  readonly what: string;
  readonly run: ((app: App) => void) | null;
}

const go =
  (place: Place, item: string | null = null) =>
  (app: App): void =>
    app.router.go(place, item);

/** The one table that the listener, the sheet and the palette read. Those without `run` belong to the view they work in. */
export const shortcuts: readonly Shortcut[] = [
  { keys: 'g o', what: 'Go to Overview', run: go('overview') },
  { keys: 'g t', what: 'Go to Tasks', run: go('tasks') },
  { keys: 'g p', what: 'Go to Peers', run: go('peers') },
  { keys: 'g l', what: 'Go to Locks', run: go('locks') },
  { keys: 'g v', what: 'Go to Values', run: go('values') },
  { keys: 'g c', what: 'Go to Consensus', run: go('consensus') },
  { keys: 'g ,', what: 'Go to Settings', run: go('settings') },
  { keys: 'n', what: 'New job', run: go('tasks', 'new') },
  { keys: 'Ctrl+K', what: 'Search and commands', run: (app) => (app.paletteOpen = true) },
  { keys: '?', what: 'Keyboard shortcuts', run: (app) => (app.shortcutsOpen = true) },
  { keys: '/', what: 'Search in this view', run: focusSearch },
  { keys: 'j', what: 'Next row', run: () => moveRow(1) },
  { keys: 'k', what: 'Previous row', run: () => moveRow(-1) },
  { keys: 'Enter', what: 'Open the row', run: null },
  { keys: 'Ctrl+Enter', what: 'Submit the job', run: null },
  { keys: 'Esc', what: 'Close, or go up', run: null },
  { keys: 'Space', what: 'Pause or resume live updates', run: (app) => app.togglePaused() },
];

const sequenceMs = 1_200;

/** Listens for the whole window. Single keys count only while nothing that takes keys has the focus. */
export function shortcutListener(app: App): (event: KeyboardEvent) => void {
  let first = '';
  let firstAt = 0;
  return (event) => {
    if (event.defaultPrevented || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      app.paletteOpen = !app.paletteOpen;
      return;
    }
    if (event.ctrlKey || event.metaKey || takesKeys(event)) return;
    const key = event.key === ' ' ? 'Space' : event.key;
    const sequence = event.timeStamp - firstAt < sequenceMs ? `${first} ${key}` : key;
    const found = shortcuts.find((entry) => entry.keys === sequence) ?? shortcuts.find((entry) => entry.keys === key);
    first = key;
    firstAt = event.timeStamp;
    if (found?.run === null || found === undefined) return;
    event.preventDefault();
    firstAt = 0;
    found.run(app);
  };
}

function takesKeys(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement || target instanceof SVGElement)) return false;
  if (target.closest('dialog, input, textarea, select, [contenteditable="true"]') !== null) return true;
  // Space and Enter press the control that has the focus.
  return (event.key === ' ' || event.key === 'Enter') && target.closest('button, a, summary, [role="button"]') !== null;
}

function focusSearch(): void {
  document.querySelector<HTMLInputElement>('main input[type="search"]')?.focus();
}

/** Moves the focus through the rows of the list on screen; each row's first control stands for it. */
function moveRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  const control = next?.querySelector<HTMLElement>('a, button');
  control?.focus();
  control?.scrollIntoView({ block: 'nearest' });
}
