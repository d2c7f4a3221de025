import type { Command } from 'commander';

/** “Did you mean …?” for a word that is not a command, or where to find all of them. */
export function nearest(parent: Command, word: string): string {
  const names = parent.commands.flatMap((command) => [command.name(), ...command.aliases()]);
  const [best] = names
    .map((name) => ({ name, distance: editDistance(name, word) }))
    .sort((left, right) => left.distance - right.distance);
  return best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3))
    ? `Did you mean “${best.name}”?`
    : 'See: skein help';
}

/** Letters to change, add or leave out (Levenshtein), two neighbours swapped counting as one. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_value, at) => at);
  for (let row = 1; row <= left.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1] ? 0 : 1;
      let cost = Math.min((last[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + same);
      if (left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1])
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      next.push(cost);
    }
    beforeLast = last;
    last = next;
  }
  return last[right.length] ?? 0;
}
