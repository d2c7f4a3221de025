import type { FencingToken, NodeId } from '../../shared/domain/ids.ts';
import type { TaskItem } from '../../shared/domain/task.ts';
import type { AttemptWork } from './attempt.ts';
import { expandPlaceholders } from './placeholders.ts';

/** What a program needs of its machine to run at all. Everything else, secrets above all, is not passed on. */
const inherited = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'USER',
  'LOGNAME',
  'SHELL',
  // Windows finds its own libraries, programs and folders by these.
  'SystemRoot',
  'SystemDrive',
  'ComSpec',
  'PATHEXT',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'ProgramFiles',
  'windir',
];

/** The whole environment of an attempt: the basics of its machine, what the job sets, and what Skein tells it. */
export function taskEnvironment(
  work: AttemptWork,
  item: TaskItem,
  self: NodeId,
  token: FencingToken,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  for (const [name, value] of Object.entries(work.spec.env)) env[name] = expandPlaceholders(value, item);
  return {
    ...env,
    SKEIN_TASK_ID: `${work.key.job}.${work.key.index}`,
    SKEIN_INDEX: String(item.index),
    SKEIN_ATTEMPT: String(work.key.attempt),
    SKEIN_FENCING_TOKEN: String(token),
    SKEIN_PEER: self,
  };
}
