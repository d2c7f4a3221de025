import { describe as group, expect, it } from 'vitest';
import { nodeId, slot, wallTime } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { lanTiming } from '../../../../src-main/core/machine/timing.ts';
import { CoordinatorDuties } from '../../../../src-main/core/node/coordinator-duties.ts';
import type { VoterConfig } from '../../../../src-main/core/paxos/voters.ts';
import { RankTable } from '../../../../src-main/core/ranks/rank-table.ts';

const [anna, boris, chloe] = [nodeId('anna'), nodeId('boris'), nodeId('chloe')];
const incarnation = 'i1';
const seat = (node: typeof anna): VoterConfig['voters'][number] => ({ node, incarnation, rank: 100 });
const three: VoterConfig = {
  epoch: 0,
  id: 2,
  firstSlot: slot(5),
  voters: [seat(anna), seat(boris), seat(chloe)],
  cuts: [],
};
const members = new Set([anna, boris, chloe]);
const hoursOf = (): number => 0;

/** Anna coordinates; both others have answered for long enough. */
function inOffice(): { duties: CoordinatorDuties; at: (ms: number) => ReturnType<typeof instant> } {
  const duties = new CoordinatorDuties({ node: anna, incarnation }, lanTiming);
  return { duties, at: (ms) => instant(ms) };
}

function answerUntil(duties: CoordinatorDuties, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms <= toMs; ms += lanTiming.heartbeatMs) {
    for (const node of [boris, chloe]) duties.noteAnswer(instant(ms), node, { committed: slot(9), incarnation });
  }
}

group('a coordinator', () => {
  it('gives up the seat of a machine that says it is going', () => {
    const { duties, at } = inOffice();
    duties.takeOffice(at(0));
    answerUntil(duties, 0, 30_000);
    duties.noteDeparture(boris, 'shutdown');
    const voters = duties.voters(at(30_000), {
      config: three,
      committed: slot(9),
      members,
      ranks: new RankTable(),
      hoursOf,
    });
    expect(voters?.map(({ node }) => node)).toEqual([anna]);
  });

  it('forgets on taking office who was going when it last held it', () => {
    const { duties, at } = inOffice();
    duties.takeOffice(at(0));
    duties.noteDeparture(boris, 'suspend');
    duties.noteDeparture(anna, 'suspend');
    duties.takeOffice(at(60_000));
    answerUntil(duties, 60_000, 90_000);
    expect(
      duties.voters(at(90_000), { config: three, committed: slot(9), members, ranks: new RankTable(), hoursOf }),
    ).toBeNull();
  });

  it('takes the rank of a seat from the log: a home base that sleeps keeps the only vote', () => {
    const { duties, at } = inOffice();
    const alone: VoterConfig = { ...three, voters: [seat(anna)] };
    const ranks = new RankTable();
    ranks.move([{ node: boris, band: 3 }], wallTime(1_800_000_000_000));
    ranks.move([{ node: boris, band: 4 }], wallTime(1_800_100_000_000));
    const choose = () => duties.voters(at(30_000), { config: alone, committed: slot(9), members, ranks, hoursOf });
    duties.takeOffice(at(0));
    for (let ms = 0; ms <= 30_000; ms += lanTiming.heartbeatMs)
      duties.noteAnswer(at(ms), boris, { committed: slot(9), incarnation });
    duties.noteDeparture(anna, 'suspend');
    expect(choose()?.map(({ node }) => node)).toEqual([boris]);
    ranks.pin(anna, 'home-base');
    expect(choose()).toBeNull();
  });

  it('gives up the seat of a machine that said it would go and went before anybody could act', () => {
    const { duties, at } = inOffice();
    const choose = (ms: number) =>
      duties.voters(at(ms), { config: three, committed: slot(9), members, ranks: new RankTable(), hoursOf });
    duties.takeOffice(at(0));
    answerUntil(duties, 0, 30_000);
    duties.noteDeparture(boris, 'suspend');
    duties.forget(boris);
    expect(choose(30_000)?.map(({ node }) => node)).toEqual([anna]);
    for (let ms = 40_000; ms <= 50_000; ms += lanTiming.heartbeatMs)
      for (const node of [boris, chloe]) duties.noteAnswer(at(ms), node, { committed: slot(9), incarnation });
    expect(choose(50_000)).toBeNull();
  });
});
