import { readFileSync } from 'node:fs';

/** True while a process with this number runs. One that has ended but was not collected by its parent does not count. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform !== 'linux' || !isEnded(pid);
}

/** Reads the state letter after the name in parentheses; see proc(5), `/proc/[pid]/stat`. */
function isEnded(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
  } catch {
    return false; // No such file system here: what the signal said stands.
  }
}
