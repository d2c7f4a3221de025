import type { Operation } from './history.ts';
import { checkLinearizability, type Judgement, type SearchBounds } from './linearizability.ts';
import { anyState, modelOf } from './models.ts';

/** Operations of one key in one window: the search for an illegal history grows fast with its length. */
const windowOperations = 200;
/** Answers that are still out when a window begins, and may take effect in it. More than this: the earliest are left out. */
const looseMax = 20;

/**
 * Cuts each key's history into windows and searches each by itself, so that a run of any length can be judged.
 * A window begins in any state, and what crosses its edges may or may not have happened in it: both only make the
 * judge more lenient, so a violation is one of the whole history too, while one that spans windows is left to the
 * witness check.
 */
export function checkWindows(
  operations: readonly Operation[],
  bounds: SearchBounds = {},
): Judgement & { windows: number } {
  const byKey = new Map<string, Operation[]>();
  for (const operation of operations) {
    const model = modelOf(operation.kind);
    if (model === null) continue;
    const name = `${model.name}/${operation.key}`;
    const part = byKey.get(name);
    if (part === undefined) byKey.set(name, [operation]);
    else part.push(operation);
  }
  let [judged, configurations, windows] = [0, 0, 0];
  let worst: Judgement | null = null;
  for (const part of byKey.values()) {
    const ordered = part.toSorted((left, right) => left.start - right.start);
    for (let from = 0; from < ordered.length; from += windowOperations) {
      const window = cut(ordered, from);
      const judgement = checkLinearizability(window, from === 0 ? bounds : { ...bounds, from: anyState });
      windows += 1;
      judged += Math.min(windowOperations, ordered.length - from);
      configurations += judgement.configurations;
      if (judgement.verdict === 'ok' || worst?.verdict === 'violation') continue;
      if (judgement.verdict === 'violation' || worst === null) worst = judgement;
    }
  }
  const { verdict, detail } = worst ?? { verdict: 'ok' as const, detail: '' };
  return { verdict, detail, operations: judged, configurations, windows };
}

function cut(ordered: readonly Operation[], from: number): Operation[] {
  const begins = ordered[from]?.start ?? 0;
  const ends = ordered[from + windowOperations]?.start ?? Number.POSITIVE_INFINITY;
  // Its result stands, but the search may leave it out.
  const loosen = (operation: Operation): Operation => ({ ...operation, end: null });
  const earlier = ordered.slice(0, from).filter(({ end }) => end === null || end >= begins);
  const own = ordered.slice(from, from + windowOperations);
  return [
    ...earlier.slice(-looseMax).map(loosen),
    ...own.map((operation) => (operation.end !== null && operation.end >= ends ? loosen(operation) : operation)),
  ];
}
