import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { EndProcesses } from '../../ports/process-runner.ts';

const lookMs = 50;

/** Ends the process group `pid` leads; on Windows, which has no groups, the tree below it. */
export const endProcesses: EndProcesses = (pid, graceMs) =>
  process.platform === 'win32' ? endTree(pid) : endGroup(pid, graceMs);

async function endGroup(pid: number, graceMs: number): Promise<void> {
  if (!signalGroup(pid, 'SIGTERM')) return;
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += lookMs) {
    if (!signalGroup(pid, 0)) return;
    await pause(lookMs);
  }
  signalGroup(pid, 'SIGKILL');
}

/** False when the group is gone, or is none of ours. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

function endTree(pid: number): Promise<void> {
  return new Promise((resolve) => {
    // It fails when the process is gone already, which is what is wanted.
    execFile('taskkill', ['/pid', String(pid), '/t', '/f'], () => resolve());
  });
}
