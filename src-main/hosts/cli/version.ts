import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const parentsMax = 6;

/** The version in the nearest package.json above this program. */
export function skeinVersion(): string {
  let folder = import.meta.dirname;
  for (let level = 0; level < parentsMax; level += 1) {
    const version = versionIn(join(folder, 'package.json'));
    if (version !== null) return version;
    folder = dirname(folder);
  }
  return 'unknown';
}

function versionIn(path: string): string | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (
      typeof parsed === 'object' &&
      parsed !== null &&
      'name' in parsed &&
      parsed.name === 'skein' &&
      'version' in parsed
    )
      return String(parsed.version);
  } catch {
    return null; // Not here: looked for further up.
  }
  return null;
}
