import type { Operation } from './history.ts';
import { checkLinearizability, type Judgement, type SearchBounds } from './linearizability.ts';
import { anyState, lockModel, modelOf } from './models.ts';

/** Operations of one key in one window: the search for an illegal history grows fast with its length. */
const windowOperations = 80;

/**
 * Cuts each key's history into windows and searches each by itself, so that a run of any length can be judged.
 * A window begins in any state, and what crosses its edges may or may not have happened in it: both only make the
 * judge more lenient, so a violation is one of the whole history too, while one that spans windows is left to the
 * witness check. Locks are not cut: their tokens tell the order, so that the search hardly branches, and who waits for one
 * would cross many edges.
 */
export function checkWindows(
  operations: readonly Operation[],
  bounds: SearchBounds = {},
): Judgement & { windows: number; undecided: number } {
  const byKey = new Map<string, Operation[]>();
  for (const operation of operations) {
    const model = modelOf(operation.kind);
    if (model === null) continue;
    const name = `${model.name}/${operation.key}`;
    const part = byKey.get(name);
    if (part === undefined) byKey.set(name, [operation]);
    else part.push(operation);
  }
  let [judged, configurations, windows, undecided] = [0, 0, 0, 0];
  let worst: Judgement | null = null;
  for (const part of byKey.values()) {
    const ordered = part.toSorted((left, right) => left.start - right.start);
    const size = part.some(({ kind }) => lockModel.kinds.has(kind)) ? ordered.length : windowOperations;
    for (let from = 0; from < ordered.length; from += size) {
      const window = cut(ordered, from, size);
      const judgement = checkLinearizability(window, from === 0 ? bounds : { ...bounds, from: anyState });
      windows += 1;
      judged += Math.min(size, ordered.length - from);
      configurations += judgement.configurations;
      if (judgement.verdict === 'unknown') undecided += 1;
      if (judgement.verdict === 'ok' || worst?.verdict === 'violation') continue;
      if (judgement.verdict === 'violation' || worst === null) worst = judgement;
    }
  }
  const { verdict, detail } = worst ?? { verdict: 'ok' as const, detail: '' };
  return { verdict, detail, operations: judged, configurations, windows, undecided };
}

function cut(ordered: readonly Operation[], from: number, size: number): Operation[] {
  const begins = ordered[from]?.start ?? 0;
  const ends = ordered[from + size]?.start ?? Number.POSITIVE_INFINITY;
  // Its result stands, but the search may leave it out. Leaving it out here would make the judge stricter, not more lenient.
  const loosen = (operation: Operation): Operation => ({ ...operation, end: null });
  const earlier = ordered.slice(0, from).filter(({ end }) => end === null || end >= begins);
  const own = ordered.slice(from, from + size);
  return [
    ...earlier.map(loosen),
    ...own.map((operation) => (operation.end !== null && operation.end >= ends ? loosen(operation) : operation)),
  ];
}
