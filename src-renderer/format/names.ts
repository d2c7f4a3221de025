/** Two letters that stand for a machine in the picture: `studio-mac` is SM, `farm` is FA. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const [first, second] = words;
  if (first === undefined) return '?';
  if (second === undefined) return first.slice(0, 2).toUpperCase();
  return `${first.slice(0, 1)}${second.slice(0, 1)}`.toUpperCase();
}

/** An identifier short enough for a line, whole ends kept because they differ most. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 6)}…${id.slice(-6)}`;
}

/** A list in words: "a", "a and b", "a, b and 3 more". */
export function nameList(names: readonly string[], shownMax = 3): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length <= shownMax) return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
  const shown = names.slice(0, shownMax - 1);
  return `${shown.join(', ')} and ${names.length - shown.length} more`;
}
