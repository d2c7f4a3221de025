import AlarmClockOff from '@lucide/svelte/icons/alarm-clock-off';
import Ban from '@lucide/svelte/icons/ban';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark';
import CircleX from '@lucide/svelte/icons/circle-x';
import Download from '@lucide/svelte/icons/download';
import Hourglass from '@lucide/svelte/icons/hourglass';
import House from '@lucide/svelte/icons/house';
import MoonStar from '@lucide/svelte/icons/moon-star';
import Play from '@lucide/svelte/icons/play';
import Scale from '@lucide/svelte/icons/scale';
import Send from '@lucide/svelte/icons/send';
import ShieldX from '@lucide/svelte/icons/shield-x';
import Unplug from '@lucide/svelte/icons/unplug';
import Upload from '@lucide/svelte/icons/upload';
import type { CoordinationPin } from '../../../shared/domain/member.ts';
import type { TaskState } from '../../../shared/domain/task.ts';
import type { Icon, Tone } from '../../components/Icon.ts';

/** One shape, one colour and one sentence per state of a task; the word is the state itself, as on the command line. */
export const taskVocabulary: Readonly<Record<TaskState, { icon: Icon; tone: Tone; meaning: string }>> = {
  waiting: { icon: Hourglass, tone: 'quiet', meaning: 'Not placed on a machine yet.' },
  assigned: { icon: Send, tone: 'busy', meaning: 'Given to a machine that has not started it yet.' },
  fetching: { icon: Download, tone: 'busy', meaning: 'Its machine is getting the input files.' },
  running: { icon: Play, tone: 'accent', meaning: 'The program runs.' },
  uploading: { icon: Upload, tone: 'busy', meaning: 'The program ended; its outputs are on their way back.' },
  succeeded: { icon: CircleCheck, tone: 'good', meaning: 'Done, and the result is accepted.' },
  failed: { icon: CircleX, tone: 'bad', meaning: 'The program failed and no tries are left.' },
  cancelled: { icon: Ban, tone: 'quiet', meaning: 'Someone stopped it.' },
  'timed-out': { icon: AlarmClockOff, tone: 'bad', meaning: 'It ran longer than it was allowed to.' },
  lost: { icon: Unplug, tone: 'warn', meaning: 'Its machine cannot be reached; it may still be running there.' },
  rejected: { icon: ShieldX, tone: 'warn', meaning: 'The owner of the machine does not allow it.' },
  unknown: { icon: CircleQuestionMark, tone: 'quiet', meaning: 'No majority is heard, so nobody can say.' },
};

/** What people ask of a machine as the one that decides for all. */
export const pinVocabulary: Readonly<Record<CoordinationPin, { icon: Icon; word: string; about: string }>> = {
  'home-base': {
    icon: House,
    word: 'Home base',
    about:
      'For a machine that is always on. It decides whenever it can; the others may all sleep. While it is off, they wait for it or vote without it.',
  },
  'never-coordinate': {
    icon: MoonStar,
    word: 'Never coordinates',
    about: 'For a machine that sleeps much or has a slow disk. It decides only when nobody else is there.',
  },
  none: {
    icon: Scale,
    word: 'As the swarm sees it',
    about: 'The more of the time it is seen awake, the more it decides.',
  },
};

export const peerStateWords = { online: 'Online', unreachable: 'Unreachable', 'never-seen': 'Never seen' } as const;

export const swarmStateWords = {
  none: { word: 'No swarm', tone: 'quiet' },
  alone: { word: 'Alone', tone: 'accent' },
  healthy: { word: 'Healthy', tone: 'good' },
  degraded: { word: 'Degraded', tone: 'warn' },
  electing: { word: 'Electing', tone: 'busy' },
  'no-quorum': { word: 'No majority', tone: 'bad' },
} as const satisfies Record<string, { word: string; tone: Tone }>;

/** Who runs whose work, as a sentence for its owner. */
export function acceptWords(accepts: { from: string; members?: readonly string[] }): string {
  if (accepts.from === 'nobody') return 'Runs only your own work';
  if (accepts.from === 'everyone') return 'Runs work from everyone in the swarm';
  const count = accepts.members?.length ?? 0;
  return `Runs work from ${count} ${count === 1 ? 'machine' : 'machines'} you chose`;
}
