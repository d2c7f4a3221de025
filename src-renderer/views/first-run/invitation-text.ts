/** The invitation link inside a pasted text, words around it ignored; null when there is none. */
export function findInvitation(text: string): string | null {
  return /skein:\/\/join\/[^\s<>"'“”‘’]+/.exec(text)?.[0] ?? null;
}
