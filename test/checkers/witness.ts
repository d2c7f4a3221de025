import type { Operation } from './history.ts';
import { anyState, modelOf, type SequentialModel } from './models.ts';

/** At most this many operations without a known place are put between two known ones. */
const bridgeMax = 2;
const problemsMax = 100;

/**
 * Replies say where in the log their operation stands. So the order is known and need not be searched for: sort by
 * it, replay through the sequential model, compare every result, and hold the order against real time. Linear, so
 * it judges every operation of every run. Answers what is wrong, in words.
 *
 * Operations that were not answered, or whose answer names no place, may stand anywhere: they are used only where a
 * result cannot be explained without them.
 */
export function checkWitness(operations: readonly Operation[]): string[] {
  const placed = operations.filter(({ index, kind }) => index !== undefined && modelOf(kind) !== null);
  return [...replay(operations, placed), ...realTime(placed)].slice(0, problemsMax);
}

interface Replayed {
  readonly model: SequentialModel;
  /** Without a known place, and not used yet. */
  loose: Operation[];
  state: string;
}

/** Ends before beginnings, writes before the reads that saw them, where several stand at one place. */
function rank(operation: Operation): number {
  const model = modelOf(operation.kind);
  if (model?.isRead(operation) === true) return 2;
  return operation.kind === 'release' ? 0 : 1;
}

const inOrder = (operations: readonly Operation[]): Operation[] =>
  operations.toSorted((left, right) => (left.index ?? 0) - (right.index ?? 0) || rank(left) - rank(right));

function replay(operations: readonly Operation[], placed: readonly Operation[]): string[] {
  const objects = new Map<string, Replayed>();
  for (const operation of operations) {
    const model = modelOf(operation.kind);
    if (model === null) continue;
    const name = `${model.name}/${operation.key}`;
    const object = objects.get(name) ?? { model, loose: [], state: model.initial };
    objects.set(name, object);
    if (operation.index === undefined) object.loose.push(operation);
  }
  const problems: string[] = [];
  for (const operation of inOrder(placed)) {
    const object = objects.get(`${modelOf(operation.kind)?.name ?? ''}/${operation.key}`);
    if (object === undefined) continue;
    const before = object.state;
    const after = object.model.step(before, operation) ?? bridge(object, operation, bridgeMax);
    if (after === null) problems.push(`in state ${before.slice(0, 100)} stands ${show(operation)}`);
    // Goes on as if the reply were right, so that one mistake is told once.
    object.state = after ?? object.model.step(anyState, operation) ?? before;
  }
  return problems;
}

/** The state after `operation`, when up to `depth` loose operations come before it; null if none explains it. */
function bridge(object: Replayed, operation: Operation, depth: number): string | null {
  const { model, state, loose } = object;
  for (const candidate of loose) {
    // What began after the answer cannot explain it.
    if (operation.end !== null && candidate.start > operation.end) continue;
    const between = model.step(state, candidate);
    if (between === null || between === state) continue;
    const rest = loose.filter((other) => other !== candidate);
    const after = model.step(between, operation);
    if (after !== null) {
      object.loose = rest;
      return after;
    }
    if (depth <= 1) continue;
    const attempt: Replayed = { model, state: between, loose: rest };
    const further = bridge(attempt, operation, depth - 1);
    if (further === null) continue;
    object.loose = attempt.loose;
    return further;
  }
  return null;
}

/** If one operation was answered before another began, it stands before it in the log; a read may see the same place. */
function realTime(placed: readonly Operation[]): string[] {
  const problems: string[] = [];
  const byEnd = placed.filter(({ end }) => end !== null).toSorted((left, right) => (left.end ?? 0) - (right.end ?? 0));
  let latest: Operation | null = null;
  let ended = 0;
  for (const operation of placed.toSorted((left, right) => left.start - right.start)) {
    for (let next = byEnd[ended]; next !== undefined && (next.end ?? 0) < operation.start; next = byEnd[++ended])
      if (latest === null || (next.index ?? 0) > (latest.index ?? 0)) latest = next;
    if (latest === null) continue;
    const [before, now] = [latest.index ?? 0, operation.index ?? 0];
    const mayShare =
      modelOf(operation.kind)?.isRead(operation) === true || modelOf(latest.kind)?.isRead(latest) === true;
    if (now < before || (now === before && !mayShare))
      problems.push(`${show(operation)} began after this was answered, and stands not behind it: ${show(latest)}`);
  }
  return problems;
}

const show = (operation: Operation): string => JSON.stringify(operation).slice(0, 300);
