/** Somebody believed to hold `resource` from `start` to `end`; null while it still does. */
export interface Tenure {
  readonly resource: string;
  readonly client: string;
  readonly token: number;
  readonly start: number;
  readonly end: number | null;
}

/** Somebody wrote to `resource` showing `token`; the resource let it or refused it. In the order it happened. */
export interface Effect {
  readonly resource: string;
  readonly client: string;
  readonly token: number;
  readonly at: number;
  readonly accepted: boolean;
}

/**
 * The timeline of one lock as its users lived it. Tokens belong to one holder each and grow with time: a grant that
 * began after another had been received has the larger one. With `exclusive`, no two tenures overlap either, which
 * holds only where no holder can be asleep, stopped or cut off while its lease runs out. O(n log n).
 */
export function checkTenures(tenures: readonly Tenure[], { exclusive }: { exclusive: boolean }): string[] {
  const problems: string[] = [];
  const owners = new Map<string, string>();
  for (const { resource, client, token } of tenures) {
    const name = `${resource}#${token}`;
    const owner = owners.get(name);
    if (owner !== undefined) problems.push(`${name} was granted to ${owner} and to ${client}`);
    owners.set(name, client);
  }
  for (const ofOne of byResource(tenures)) {
    let latest: Tenure | null = null;
    for (const tenure of ofOne.toSorted((left, right) => left.token - right.token)) {
      if (latest !== null && tenure.start < latest.start)
        problems.push(`${show(tenure)} was received before ${show(latest)}, but its token is larger`);
      if (exclusive && latest !== null && tenure.start < (latest.end ?? Number.POSITIVE_INFINITY))
        problems.push(`${show(latest)} and ${show(tenure)} overlap`);
      latest = tenure;
    }
  }
  return problems;
}

/** At a resource that checks tokens, none is accepted that is lower than one it has seen (L3). */
export function checkEffects(effects: readonly Effect[]): string[] {
  const problems: string[] = [];
  for (const ofOne of byResource(effects)) {
    let highest = Number.NEGATIVE_INFINITY;
    for (const { resource, client, token, at, accepted } of ofOne) {
      if (accepted && token < highest)
        problems.push(`${resource} accepted #${token} of ${client} at ${at}, after it had seen #${highest}`);
      if (!accepted && token >= highest)
        problems.push(`${resource} refused #${token} of ${client} at ${at}, the highest so far`);
      highest = Math.max(highest, token);
    }
  }
  return problems;
}

function byResource<Item extends { readonly resource: string }>(items: readonly Item[]): Item[][] {
  return [...Map.groupBy(items, ({ resource }) => resource).values()];
}

const show = ({ resource, client, token, start, end }: Tenure): string =>
  `${resource}#${token} of ${client} [${start.toFixed(1)}, ${end === null ? 'now' : end.toFixed(1)}]`;
