import { checkEffects, checkTenures } from '../../test/checkers/fencing.ts';
import { checkWindows } from '../../test/checkers/windows.ts';
import { checkWitness } from '../../test/checkers/witness.ts';
import type { Story } from './story.ts';

/** Judges everything that clients recorded; what is wrong becomes a violation of the story. */
export function judge(story: Story): void {
  const { operations, tenures, effects } = story;
  for (const problem of checkWitness(operations)) story.violation(`witness: ${problem}`);
  const windows = checkWindows(operations);
  if (windows.verdict !== 'ok') story.violation(`linearizability is ${windows.verdict}: ${windows.detail}`);
  // A tenure during which its machine was stopped or killed is recorded as over at once: others may overlap it.
  for (const problem of checkTenures(tenures, { exclusive: true })) story.violation(`holders: ${problem}`);
  for (const problem of checkEffects(effects)) story.violation(`fencing: ${problem}`);
  const refused = effects.filter(({ accepted }) => !accepted).length;
  story.say(
    `judged ${operations.length} operations (${windows.windows} windows, ${windows.configurations} configurations), ` +
      `${tenures.length} tenures, ${effects.length} writes under a lock, ${refused} of them stale and refused`,
  );
}
