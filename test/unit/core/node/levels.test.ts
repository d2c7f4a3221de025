import { describe, expect, it } from 'vitest';
import { contentHash, nodeId, sessionId, type NodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { foundingSnapshot } from '../../../../src-main/core/node/founding.ts';
import { createNode } from '../../../../src-main/core/node/node.ts';
import type { Command } from '../../../../src-main/core/state-machine/command.ts';
import { takeSnapshot } from '../../../../src-main/core/state-machine/snapshot.ts';
import { createState } from '../../../../src-main/core/state-machine/state.ts';
import { capacity, spec } from '../state-machine/harness.ts';
import { Cluster } from './cluster.ts';

const urgent = (submitter: NodeId): Command => ({
  type: 'job-submitted',
  submitter,
  spec: spec({ priority: 'high' }),
  taskCount: 1,
  manifest: contentHash('ab'.repeat(32)),
});

/** Three voters of a swarm that older programs began; each says by its session what it supports. */
class Swarm extends Cluster {
  readonly #sequences = new Map<NodeId, number>();

  constructor(programs: { readonly supports?: readonly number[]; readonly learners?: number } = {}) {
    super([300, 200, 100], programs.learners ?? 0, { level: 1, supports: programs.supports ?? [] });
  }

  ask(node: NodeId, command: Command): number {
    const sequence = (this.#sequences.get(node) ?? 0) + 1;
    this.#sequences.set(node, sequence);
    const request = { client: `${node}#i1.1`, sequence, answeredBelow: 1, command };
    this.input(node, { type: 'requested', requests: [request] });
    return sequence;
  }

  /** A new run of the program on that machine. */
  open(node: NodeId, supports: number, boot = 1): void {
    const session = sessionId(`${node}#i1.${boot}`);
    const program = { version: `0.${supports}`, supports };
    this.ask(node, {
      ...{ type: 'session-opened', session, node, name: `machine ${node}`, ttlMs: 600_000, capacity: capacity(1) },
      program,
    });
    this.pass(1_000);
  }

  levels(): number[] {
    return this.ids.map((id) => this.at(id).state.levels.level);
  }
}

describe('the feature level of a swarm', () => {
  it('is the founder’s where nobody else ever was', () => {
    const { state } = foundingSnapshot({ node: nodeId('a'), incarnation: 'i1' }, 100);
    expect(JSON.parse(state)).toMatchObject({ levels: { level: 2, machines: [] } });
  });

  it('rises once every member has said that it supports a higher one, whether it votes or not', () => {
    const swarm = new Swarm({ learners: 1 });
    const coordinator = swarm.settle();
    for (const id of swarm.ids.slice(0, 3)) swarm.open(id, 2);
    swarm.pass(5_000);
    expect(swarm.levels()).toEqual([1, 1, 1, 1]);
    const [learner] = swarm.ids.slice(3);
    if (learner === undefined) throw new Error('no learner');
    swarm.open(learner, 2);
    swarm.pass(5_000);
    expect(swarm.levels()).toEqual([2, 2, 2, 2]);
    expect(swarm.events(coordinator, 'applied').flatMap(({ events }) => events)).toContainEqual({
      type: 'level-raised',
      level: 2,
    });
  });

  it('does not wait for a machine that is no member any more', () => {
    const swarm = new Swarm({ learners: 1 });
    swarm.settle();
    const [a, b, c] = swarm.ids;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three voters');
    for (const id of [a, b, c]) swarm.open(id, 2);
    for (const id of [a, b, c]) swarm.input(id, { type: 'members-changed', members: [a, b, c] });
    swarm.pass(5_000);
    expect(swarm.levels().slice(0, 3)).toEqual([2, 2, 2]);
  });

  it('stays while one machine runs an older program, and rises when that is updated', () => {
    const swarm = new Swarm();
    swarm.settle();
    const [a, b, c] = swarm.ids;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three voters');
    swarm.open(a, 2);
    swarm.open(b, 1);
    swarm.open(c, 2);
    swarm.pass(10_000);
    expect(swarm.levels()).toEqual([1, 1, 1]);
    swarm.open(b, 2, 2);
    swarm.pass(5_000);
    expect(swarm.levels()).toEqual([2, 2, 2]);
  });

  it('is raised no higher than the coordinator’s own program understands', () => {
    const swarm = new Swarm();
    swarm.settle();
    for (const id of swarm.ids) swarm.open(id, 3);
    swarm.pass(5_000);
    expect(swarm.levels()).toEqual([2, 2, 2]);
  });
});

describe('a command above the level', () => {
  it('is refused where it is asked for, and names the machines that are waited for', () => {
    const swarm = new Swarm();
    swarm.settle();
    const [a, b, c] = swarm.ids;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three voters');
    swarm.open(a, 2);
    swarm.open(b, 1);
    const sequence = swarm.ask(c, urgent(c));
    const [refused] = swarm.events(c, 'request-refused');
    expect(refused).toMatchObject({ sequence, failure: { code: 'unsupported-version' } });
    expect(refused?.failure.message).toContain('machine node-b, node-c');
    expect(swarm.at(c).outstandingCount).toBe(0);
  });

  it('is not taken on by the coordinator either, which says why, and is when the level allows it', () => {
    const swarm = new Swarm();
    const coordinator = swarm.settle();
    const [other] = swarm.others(coordinator);
    if (other === undefined) throw new Error('nobody else');
    const said: unknown[] = [];
    swarm.passes = ({ message }) => {
      if (message.type === 'propose-refused') said.push(message.failure.code);
      return true;
    };
    const request = { client: `${other}#i1.9`, sequence: 1, answeredBelow: 1, command: urgent(other) };
    const propose = { type: 'propose', requests: [request] } as const;
    swarm.input(coordinator, { type: 'received', from: other, message: propose });
    swarm.pass(2_000);
    expect(said).toEqual(['unsupported-version']);
    expect([...swarm.at(coordinator).state.tasks.jobs()]).toEqual([]);
    for (const id of swarm.ids) swarm.open(id, 2);
    swarm.pass(3_000);
    swarm.input(coordinator, { type: 'received', from: other, message: propose });
    swarm.pass(2_000);
    expect([...swarm.at(coordinator).state.tasks.jobs()]).toHaveLength(1);
  });
});

describe('a machine whose program is too old', () => {
  /** `node-c` said that it supports level 2 and was then started with an older program. */
  const downgraded = (): Swarm => {
    const swarm = new Swarm({ supports: [2, 2, 1] });
    swarm.settle();
    for (const id of swarm.ids) swarm.open(id, 2);
    swarm.pass(5_000);
    return swarm;
  };
  const old = nodeId('node-c');

  it('stops when the level is raised, says so once, and answers nobody', () => {
    const swarm = downgraded();
    expect(swarm.at(old).outdated).toEqual({ level: 2, supports: 1 });
    expect(swarm.events(old, 'outdated')).toHaveLength(1);
    expect(swarm.at(old).role).toBe('learner');
    const silent: NodeId[] = [];
    swarm.passes = ({ from }) => {
      silent.push(from);
      return true;
    };
    swarm.pass(10_000);
    expect(silent).not.toContain(old);
    expect(swarm.levels().slice(0, 2)).toEqual([2, 2]);
  });

  it('stops by the first sign of life of a coordinator, however far behind its log is', () => {
    const swarm = new Swarm({ supports: [2, 2, 1] });
    const coordinator = swarm.settle();
    swarm.passes = ({ to, message }) => to !== old || message.type === 'heartbeat';
    for (const id of swarm.ids) swarm.open(id, 2);
    swarm.pass(5_000);
    expect(swarm.at(coordinator).state.levels.level).toBe(2);
    expect(swarm.at(old).committed).toBeLessThan(swarm.at(coordinator).committed);
    expect(swarm.at(old).outdated).toEqual({ level: 2, supports: 1 });
  });

  it('leaves no trace of what it cannot read all of: the step in which it stops persists nothing', () => {
    const state = createState();
    state.levels.begin(2);
    const machine = createNode({
      self: { node: old, incarnation: 'i1' },
      recovered: { snapshot: null, facts: [] },
      seed: 1,
      members: [nodeId('node-a'), old],
      supports: 1,
      wall: () => 0 as never,
    });
    const founding = foundingSnapshot({ node: nodeId('node-a'), incarnation: 'i1' }, 100, 1);
    const text = takeSnapshot(state);
    machine.step(instant(0), { type: 'started' });
    const effects = machine.step(instant(1), {
      type: 'received',
      from: nodeId('node-a'),
      message: {
        ...{ type: 'snapshot-part', slot: 9 as never, config: founding.config, chain: null },
        ...{ offsetChars: 0, totalChars: text.length, text },
      },
    });
    expect(effects.flatMap((effect) => (effect.type === 'emit' ? effect.event.type : effect.type))).toEqual([
      'outdated',
    ]);
    expect(machine.durableFacts().filter(({ type }) => type === 'learned')).toEqual([]);
  });

  it('knows it from its disk at the next start, and goes on from there with a newer program', () => {
    const state = createState();
    state.levels.begin(2);
    const founding = foundingSnapshot({ node: old, incarnation: 'i1' }, 100);
    const recovered = { snapshot: { ...founding, state: takeSnapshot(state) }, facts: [] };
    const start = (supports: number): string[] => {
      const machine = createNode({
        ...{ self: { node: old, incarnation: 'i1' }, recovered, seed: 1, members: [old], supports },
        wall: () => 0 as never,
      });
      const effects = machine.step(instant(0), { type: 'started' });
      return effects.flatMap((effect) => (effect.type === 'emit' ? effect.event.type : effect.type));
    };
    expect(start(1)).toEqual(['outdated']);
    expect(start(2)).not.toContain('outdated');
  });
});
