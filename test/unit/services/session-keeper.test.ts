import { beforeEach, describe, expect, it } from 'vitest';
import { sessionId } from '../../../shared/domain/ids.ts';
import { SessionKeeper, type SessionStanding } from '../../../src-main/services/session-keeper.ts';
import { LocalReplica, ManualClock, settled, silentLogger } from './fakes.ts';

const ttlMs = 20_000;

describe('a session', () => {
  let clock: ManualClock;
  let replica: LocalReplica;
  let keeper: SessionKeeper;
  let standings: SessionStanding[];
  let slots: number;

  beforeEach(async () => {
    clock = new ManualClock();
    replica = new LocalReplica();
    standings = [];
    slots = 2;
    let boot = 1;
    keeper = new SessionKeeper({
      self: replica.self,
      name: 'me',
      ttlMs,
      replica,
      clock,
      logger: silentLogger,
      capacity: () => ({ slots, os: 'linux', arch: 'x64', memoryBytes: 1, accepts: { from: 'nobody' } }),
      firstRecord: { incarnation: 'aa', boot },
      nextRecord: async () => ({ incarnation: 'aa', boot: ++boot }),
    });
    keeper.onStanding((standing) => standings.push(standing));
    keeper.start();
    await settled();
  });

  it('opens under the name of its incarnation and boot', () => {
    expect(keeper.held).toBe('self#aa.1');
    expect(standings).toEqual(['held']);
  });

  it('is renewed every quarter of its time', async () => {
    await clock.advance(ttlMs);
    const renewals = replica.commands.filter((command) => command.type === 'session-renewed');
    expect(renewals.map((command) => command.renewal)).toEqual([1, 2, 3, 4]);
    expect(keeper.standing).toBe('held');
  });

  it('is uncertain once 60 % of its time have passed without a renewal, and surely before its end', async () => {
    replica.held = true;
    await clock.advance(0.6 * ttlMs - 1_001);
    expect(keeper.standing).toBe('held');
    await clock.advance(1_001);
    expect(keeper.standing).toBe('uncertain');
    expect(keeper.held).toBeNull();
    expect(keeper.session).toBe('self#aa.1');
  });

  it('does not trust a renewal that was sent long before it was chosen', async () => {
    replica.held = true;
    await clock.advance(0.95 * ttlMs);
    replica.release();
    await settled();
    expect(keeper.standing).toBe('uncertain');
    await clock.advance(ttlMs / 20);
    expect(keeper.standing).toBe('held');
  });

  it('believes the wall clock too, because the other one may stand still while the machine sleeps', async () => {
    replica.held = true;
    clock.moveWall(ttlMs);
    await clock.advance(ttlMs / 20);
    expect(keeper.standing).toBe('uncertain');
  });

  it('opens a new one under the next boot when the swarm has ended it', async () => {
    replica.apply({ type: 'session-expired', session: sessionId('self#aa.1'), renewal: 0 });
    await settled();
    await clock.advance(1);
    expect(standings).toEqual(['held', 'opening', 'held']);
    expect(keeper.held).toBe('self#aa.2');
  });

  it('tells the swarm of a policy that changed while it was being opened', async () => {
    replica.held = true;
    replica.apply({ type: 'session-expired', session: sessionId('self#aa.1'), renewal: 0 });
    await settled();
    slots = 7;
    replica.release();
    await settled();
    expect(replica.state().sessions.ofNode(replica.self)?.capacity.slots).toBe(7);
  });

  it('is closed in the log when the machine stops', async () => {
    await keeper.stop();
    expect(replica.commands.at(-1)).toEqual({ type: 'session-closed', session: 'self#aa.1' });
    expect(keeper.standing).toBe('closed');
    await clock.advance(2 * ttlMs);
    expect(replica.commands.at(-1)?.type).toBe('session-closed');
  });
});
