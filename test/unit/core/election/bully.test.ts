import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../shared/domain/ids.ts';
import { Bully, type ElectionOutput } from '../../../../src-main/core/election/bully.ts';
import type { ElectionMessage } from '../../../../src-main/core/election/messages.ts';
import { seededRandom } from '../../../../src-main/core/machine/random.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { lanTiming } from '../../../../src-main/core/machine/timing.ts';

const [low, middle, high] = [nodeId('low'), nodeId('middle'), nodeId('high')];
const voters = [
  { node: low, rank: 1 },
  { node: middle, rank: 2 },
  { node: high, rank: 3 },
];
const at = (ms: number) => instant(ms);

function bully(self = low, connected = [low, middle, high].filter((node) => node !== self)): Bully {
  const machine = new Bully(self, lanTiming, seededRandom(1));
  for (const peer of connected) machine.peerConnected(peer);
  machine.configure(voters, false);
  machine.take();
  return machine;
}

const sent = (outputs: ElectionOutput[]): [string, ElectionMessage][] =>
  outputs.flatMap((output) =>
    output.type === 'send' ? [[output.to, output.message] as [string, ElectionMessage]] : [],
  );
const tries = (outputs: ElectionOutput[]): boolean => outputs.some(({ type }) => type === 'try');

describe('the election', () => {
  it('asks every voter before it does anything else, and stays silent without a quorum of no', () => {
    const machine = bully();
    machine.timerFired(at(2_000), 'suspect');
    const outputs = machine.take();
    expect(sent(outputs)).toEqual([
      ['middle', { type: 'pre-vote', attempt: 1 }],
      ['high', { type: 'pre-vote', attempt: 1 }],
    ]);
    machine.timerFired(at(2_400), 'election');
    expect(tries(machine.take())).toBe(false);
  });

  it('ends the candidacy when one voter still hears the coordinator', () => {
    const machine = bully();
    machine.timerFired(at(2_000), 'suspect');
    machine.receive(at(2_001), middle, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: true });
    machine.receive(at(2_002), high, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    const outputs = machine.take();
    expect(tries(outputs)).toBe(false);
    expect(sent(outputs).some(([, { type }]) => type === 'election')).toBe(false);
  });

  it('lets voters of higher rank go first, and tries when they say that they cannot', () => {
    const machine = bully();
    machine.timerFired(at(2_000), 'suspect');
    machine.take();
    machine.receive(at(2_001), middle, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    expect(sent(machine.take()).map(([to]) => to)).toEqual(['middle', 'high']);
    machine.receive(at(2_002), high, { type: 'answer', attempt: 1, verdict: 'not-fit' });
    expect(tries(machine.take())).toBe(false);
    machine.receive(at(2_003), middle, { type: 'answer', attempt: 1, verdict: 'not-fit' });
    expect(tries(machine.take())).toBe(true);
  });

  it('tries at once when it has the highest rank', () => {
    const machine = bully(high);
    machine.timerFired(at(2_000), 'suspect');
    machine.receive(at(2_001), low, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    expect(tries(machine.take())).toBe(true);
  });

  it('waits for a fit voter of higher rank, but not for ever', () => {
    const machine = bully(low);
    machine.timerFired(at(2_000), 'suspect');
    machine.receive(at(2_001), middle, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    machine.receive(at(2_002), high, { type: 'answer', attempt: 1, verdict: 'fit' });
    expect(tries(machine.take())).toBe(false);
    machine.timerFired(at(2_900), 'election');
    expect(tries(machine.take())).toBe(true);
  });

  it('does not wait for the coordinator whose silence it noticed, until that one is heard again', () => {
    const machine = bully(middle);
    machine.coordinatorHeard(at(1_000), high);
    machine.timerFired(at(4_000), 'suspect');
    machine.receive(at(4_001), low, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    expect(tries(machine.take())).toBe(true);
    machine.lost('phase 1 was outbid');
    machine.receive(at(4_100), high, { type: 'pre-vote', attempt: 1 });
    machine.timerFired(at(4_600), 'suspect');
    machine.receive(at(4_601), low, { type: 'pre-vote-answer', attempt: 2, coordinatorAlive: false });
    const outputs = machine.take();
    expect(tries(outputs)).toBe(false);
    expect(sent(outputs).filter(([, { type }]) => type === 'election')).toEqual([
      ['high', { type: 'election', attempt: 2 }],
    ]);
  });

  it('tells a challenger that a coordinator lives instead of starting a round of its own', () => {
    const machine = bully(high);
    machine.coordinatorHeard(at(100), middle);
    machine.take();
    machine.receive(at(200), low, { type: 'election', attempt: 7 });
    expect(sent(machine.take())).toEqual([['low', { type: 'answer', attempt: 7, verdict: 'coordinator-alive' }]]);
  });

  it('answers not-fit when it cannot reach a quorum, so that weaker voters go on', () => {
    const machine = bully(high, []);
    machine.receive(at(2_000), low, { type: 'election', attempt: 1 });
    expect(sent(machine.take())).toEqual([['low', { type: 'answer', attempt: 1, verdict: 'not-fit' }]]);
  });

  it('ignores answers from machines without a seat', () => {
    const machine = bully(high);
    machine.timerFired(at(2_000), 'suspect');
    machine.receive(at(2_001), nodeId('learner'), { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    expect(tries(machine.take())).toBe(false);
  });
});

describe('a node that was not running on time', () => {
  it('does not take its own silence for that of the coordinator', () => {
    const machine = bully();
    machine.coordinatorHeard(at(1_000), high);
    machine.take();
    machine.ranLate(at(5_000));
    machine.timerFired(at(5_000), 'suspect');
    const outputs = machine.take();
    expect(outputs.some(({ type }) => type === 'suspected')).toBe(false);
    expect(sent(outputs)).toEqual([]);
    machine.timerFired(at(5_000 + 2 * lanTiming.suspectMs), 'suspect');
    expect(sent(machine.take()).map(([, { type }]) => type)).toEqual(['pre-vote', 'pre-vote']);
  });
});

describe('the heir of an ended configuration', () => {
  it('asks for a majority of no, but nobody of higher rank', () => {
    const machine = new Bully(low, lanTiming, seededRandom(1));
    for (const peer of [middle, high]) machine.peerConnected(peer);
    machine.configure(voters, true);
    expect(machine.take()).toContainEqual({ type: 'set-timer', timer: 'suspect', afterMs: 0 });
    machine.timerFired(at(2_000), 'suspect');
    machine.take();
    machine.receive(at(2_001), high, { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: false });
    expect(tries(machine.take())).toBe(true);
  });

  it('is left time by those who knew it', () => {
    const machine = new Bully(high, lanTiming, seededRandom(1));
    machine.coordinatorHeard(at(1_000), low);
    machine.take();
    machine.configure(voters, false);
    const [armed] = machine.take().filter((output) => output.type === 'set-timer');
    expect(armed?.afterMs).toBeGreaterThanOrEqual(2 * lanTiming.suspectMs);
  });

  it('goes on hearing whoever coordinates the new configuration already, which its log learns of late', () => {
    const machine = new Bully(high, lanTiming, seededRandom(1));
    for (const peer of [low, middle]) machine.peerConnected(peer);
    machine.coordinatorHeard(at(1_000), low);
    machine.configure(voters, false, low);
    machine.take();
    machine.receive(at(1_200), middle, { type: 'pre-vote', attempt: 1 });
    expect(sent(machine.take())).toEqual([['middle', { type: 'pre-vote-answer', attempt: 1, coordinatorAlive: true }]]);
    machine.configure(voters, false, middle);
    expect(machine.hearsCoordinator(at(1_300))).toBeNull();
  });
});
