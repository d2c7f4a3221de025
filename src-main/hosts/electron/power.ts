import { powerMonitor } from 'electron';
import type { PowerNote } from './node-process.ts';

/** Passes on what happens to this machine's power: sleep and battery are inputs of scheduling, not failures. */
export function followPower(note: (power: PowerNote) => void): void {
  powerMonitor.on('suspend', () => note('suspend'));
  powerMonitor.on('resume', () => note('resume'));
  powerMonitor.on('on-battery', () => note('on-battery'));
  powerMonitor.on('on-ac', () => note('on-mains'));
  // Only noted: the system ends us in its own time, and what was acknowledged is on disk.
  powerMonitor.on('shutdown', () => note('shutdown'));
}
