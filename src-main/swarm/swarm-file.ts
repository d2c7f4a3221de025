import { join } from 'node:path';
import { fail, ok } from '../../shared/domain/failure.ts';
import type { Failure, Result } from '../../shared/domain/failure.ts';
import type { WallTime } from '../../shared/domain/ids.ts';
import { readSmallFile, writeFileAtomically } from './atomic-file.ts';
import { decodeMembership, membershipBytesMax } from './membership-set.ts';
import type { MembershipSet } from './membership-set.ts';
import { createGenesis, isName, nameCharsMax } from './records.ts';
import type { Signer } from './signature.ts';

const pathOf = (home: string): string => join(home, 'swarm.json');

/** The swarm this machine belongs to, or null. Fails with `corrupt`, `unsupported-version` or `disk-failed`. */
export async function openMembership(home: string): Promise<Result<MembershipSet | null>> {
  const read = await readSmallFile(pathOf(home), membershipBytesMax);
  if (!read.ok) return read;
  if (read.value === null) return ok(null);
  const decoded = decodeMembership(read.value.toString('utf8'));
  if (decoded.ok || decoded.failure.code === 'unsupported-version') return decoded;
  return fail(
    'corrupt',
    `${pathOf(home)} is damaged: ${decoded.failure.message}`,
    'Restore it from a backup, or remove it and join the swarm again with a new invitation.',
  );
}

export const saveMembership = (home: string, set: MembershipSet): Promise<Result<null>> =>
  writeFileAtomically(pathOf(home), `${set.encode()}\n`);

/** A new swarm with this machine as its only member and admin, not yet saved. Fails with `bad-input`. */
export function foundSwarm(
  signer: Signer,
  options: { readonly name: string; readonly founderName: string; readonly now: WallTime },
): Result<MembershipSet> {
  for (const name of [options.name, options.founderName]) {
    const valid: boolean = isName(name);
    if (!valid) {
      return fail(
        'bad-input',
        `${JSON.stringify(name.slice(0, 80))} cannot be a name.`,
        `Use 1 to ${String(nameCharsMax)} characters, none of them control characters.`,
      );
    }
  }
  const genesis = createGenesis(signer, {
    name: options.name,
    founderName: options.founderName,
    createdAt: options.now,
  });
  return decodeMembership(JSON.stringify({ version: 1, genesis, records: [] }));
}

/** Writes the set after every change, one write at a time; changes during a write share the next one. */
export function keepSaved(
  home: string,
  set: MembershipSet,
  onFailure: (failure: Failure) => void,
): { readonly stop: () => Promise<void> } {
  let writing: Promise<void> | null = null;
  let again = false;
  const writeAll = async (): Promise<void> => {
    do {
      again = false;
      const saved = await saveMembership(home, set);
      if (!saved.ok) onFailure(saved.failure);
    } while (again);
    writing = null;
  };
  const unsubscribe = set.onChange(() => {
    again = true;
    writing ??= writeAll();
  });
  return {
    stop: async () => {
      unsubscribe();
      await writing;
    },
  };
}
