import type { TaskState } from '../../../shared/domain/task.ts';

export type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'quiet' | 'strong';

/** Paints text for a terminal, or leaves it plain. */
export type Paint = (tone: Tone, text: string) => string;

const sequences: Readonly<Record<Tone, string>> = {
  good: '32',
  bad: '31',
  busy: '36',
  warn: '33',
  quiet: '2',
  strong: '1',
};

export const plain: Paint = (_tone, text) => text;
export const coloured: Paint = (tone, text) => `\u001B[${sequences[tone]}m${text}\u001B[0m`;

/**
 * Whether to use colour: `NO_COLOR` and `TERM=dumb` say no, `FORCE_COLOR` says yes, otherwise a terminal decides.
 * See no-color.org.
 */
export function choosePaint(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): Paint {
  if ((env['NO_COLOR'] ?? '') !== '') return plain;
  const forced = env['FORCE_COLOR'] ?? '';
  if (forced !== '' && forced !== '0') return coloured;
  return isTerminal && env['TERM'] !== 'dumb' ? coloured : plain;
}

/** Each state has its own shape besides its word, so that colour is never needed to tell them apart. */
const looks: Readonly<Record<TaskState, readonly [glyph: string, tone: Tone]>> = {
  waiting: ['○', 'quiet'],
  assigned: ['◔', 'busy'],
  fetching: ['↓', 'busy'],
  running: ['●', 'busy'],
  uploading: ['↑', 'busy'],
  succeeded: ['✓', 'good'],
  failed: ['✗', 'bad'],
  cancelled: ['⊘', 'quiet'],
  'timed-out': ['⧖', 'bad'],
  lost: ['?', 'warn'],
  rejected: ['⊗', 'warn'],
  unknown: ['·', 'quiet'],
};

export function stateWords(state: TaskState, paint: Paint): string {
  const [glyph, tone] = looks[state];
  return paint(tone, `${glyph} ${state}`);
}
