/** What the JSON of the command line looks like: durations in seconds, times as RFC 3339 in UTC, sizes in bytes. */

const momentNames = new Set(['at', 'since', 'lastSeen']);

/** A document of a given kind: `{"v":1,"kind":…}` and its fields. */
export const documentOf = (kind: string, fields: object): string =>
  JSON.stringify({ v: 1, kind, ...(converted(fields) as object) });

interface Frame<View> {
  readonly sequence: number;
  readonly provenance: { readonly consistency: string; readonly ageMs: number; readonly slot: number };
  readonly view: View;
}

/** Says where a view comes from and when it was true. */
export function provenanceFields(frame: Frame<unknown>, now: number): object {
  const { consistency, ageMs, slot } = frame.provenance;
  return { consistency, asOf: new Date(now - ageMs).toISOString(), slot };
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => convertedField(name, field)));
}

function convertedField(name: string, field: unknown): [string, unknown] {
  // Named by people, not by us: their names mean nothing here.
  if (name === 'env') return [name, field];
  const isSpan = name.endsWith('Ms');
  if (isSpan && (typeof field === 'number' || field === null)) {
    return [`${name.slice(0, -2)}Seconds`, field === null ? null : field / 1_000];
  }
  const isMoment = momentNames.has(name) || name.endsWith('At');
  if (isMoment && typeof field === 'number') return [name, new Date(field).toISOString()];
  return [name, converted(field)];
}
