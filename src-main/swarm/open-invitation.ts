import { ok, fail } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/failure.ts';
import type { WallTime } from '../../shared/domain/ids.ts';
import type { Invitation } from './invitation.ts';
import { proofOf, proofsMatch } from './pairing.ts';
import type { Transcript } from './pairing.ts';

/** Wrong secrets before an invitation is worthless. With 128 bits nobody guesses; this ends the noise. */
export const wrongSecretsMax = 3;

/**
 * The inviter's side of one invitation: good for one admission, until its time is over or three wrong secrets came.
 * Whoever has proved the secret holds it until the person has decided, so that two at once cannot both get in.
 */
export class OpenInvitation {
  readonly invitation: Invitation;
  #state: 'open' | 'held' | 'used' | 'spoilt' = 'open';
  #wrongSecrets = 0;

  constructor(invitation: Invitation) {
    this.invitation = invitation;
  }

  /** Nothing can come of it any more. */
  isOver(now: WallTime): boolean {
    return this.#state === 'used' || this.#state === 'spoilt' || now >= this.invitation.expiresAt;
  }

  /** Asked first, before the joiner proves anything. Fails with `invitation-foreign`, `-expired` or `-used`. */
  check(swarm: string, now: WallTime): Result<null> {
    if (swarm !== this.invitation.swarm) {
      return fail(
        'invitation-foreign',
        'The invitation is for another swarm than this machine is in.',
        'Ask a member of that swarm for an invitation.',
      );
    }
    if (this.#state === 'used' || this.#state === 'held')
      return fail('invitation-used', 'The invitation has already been used.', askAgain);
    if (this.#state === 'spoilt')
      return fail('invitation-wrong-secret', 'The invitation was closed after three wrong secrets.', askAgain);
    if (now >= this.invitation.expiresAt) return fail('invitation-expired', 'The invitation has expired.', askAgain);
    return ok(null);
  }

  /** Takes the joiner's proof and, when it is right, holds the invitation for it. Adds `invitation-wrong-secret` to the failures of `check`. */
  prove(proof: string, transcript: Transcript, now: WallTime): Result<null> {
    const checked = this.check(transcript.swarm, now);
    if (!checked.ok) return checked;
    if (!proofsMatch(proof, proofOf(this.invitation.secret, 'joiner', transcript))) {
      this.#wrongSecrets += 1;
      if (this.#wrongSecrets >= wrongSecretsMax) this.#state = 'spoilt';
      return fail(
        'invitation-wrong-secret',
        'The secret in the link is not the one of this invitation.',
        'Copy the whole link again, or ask for a new invitation.',
      );
    }
    this.#state = 'held';
    return ok(null);
  }

  /** The person's word. A denial uses the invitation up as well: they may not want to be asked again. */
  settle(): void {
    this.#state = 'used';
  }

  /** The joiner went away before anybody decided: the link may still serve. */
  release(): void {
    if (this.#state === 'held') this.#state = 'open';
  }
}

const askAgain = 'Ask for a new invitation.';
