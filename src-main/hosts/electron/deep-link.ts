/** Longest invitation link that is passed on; the node process judges what is in it. */
const linkCharsMax = 4_096;
const invitationShape = /^skein:\/\/join\/[\w\-.~%+=,:@/?&#]+$/;

/** The scheme that invitation links have. */
export const linkScheme = 'skein';

/**
 * The invitation among the arguments a second start was given, or in a link the system opened; null when there is none.
 * A link only fills in the join screen: whoever clicks on one has not joined anything yet.
 */
export function invitationIn(candidates: readonly string[]): string | null {
  for (const candidate of candidates) {
    if (candidate.length <= linkCharsMax && invitationShape.test(candidate)) return candidate;
  }
  return null;
}

/** The place in the window that shows the join screen with this link filled in. */
export const joinPlace = (invitation: string): string => `#/overview?invitation=${encodeURIComponent(invitation)}`;
