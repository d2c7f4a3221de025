import type { Mutant } from './mutant.ts';
import { stateMutants } from './state-mutants.ts';

const paxos = 'src-main/core/paxos';

/** Every deliberate fault; those of protocols and disks stand here. */
export const mutants: readonly Mutant[] = [
  ...stateMutants,
  {
    name: 'send-before-persist',
    fault: 'the outbox lets messages leave before their facts are on disk',
    file: 'src-main/runtime/outbox.ts',
    original: "(first.type === 'barrier' && first.number > this.#durableBarrier)",
    mutated: 'false',
    seedsMax: 100,
  },
  {
    name: 'promise-not-persisted',
    fault: 'a promise is answered but never written',
    file: `${paxos}/acceptor.ts`,
    original: `    if (!sameBallot(this.#promised, ballot)) {
      this.#promised = ballot;
      this.#out.persist({ type: 'promised', ballot });
    }
    this.#answerPromise(from, ballot);`,
    mutated: `    this.#promised = ballot;
    this.#answerPromise(from, ballot);`,
    seedsMax: 100,
  },
  {
    name: 'own-promise-not-persisted',
    fault: 'a candidate asks for promises before its own is on disk',
    file: `${paxos}/acceptor.ts`,
    original: `    this.#promised = ballot;
    this.#out.persist({ type: 'promised', ballot });
    this.#answerPromise(this.#self.node, ballot);`,
    mutated: `    this.#promised = ballot;
    this.#answerPromise(this.#self.node, ballot);`,
    seedsMax: 100,
  },
  {
    name: 'vote-not-persisted',
    fault: 'a vote is answered but never written',
    file: `${paxos}/acceptor.ts`,
    original: "    this.#out.persist({ type: 'accepted', ballot, firstSlot, entries });",
    mutated: '',
    seedsMax: 100,
  },
  {
    name: 'votes-forgotten-on-restart',
    fault: 'recovery passes over votes',
    file: `${paxos}/replica.ts`,
    original: '            this.#log.restoreVote(slot(fact.firstSlot + index), fact.ballot, entry);',
    mutated: '            void entry; void index;',
    seedsMax: 100,
  },
  {
    name: 'promise-forgotten-on-restart',
    fault: 'recovery passes over promises',
    file: `${paxos}/replica.ts`,
    original: `          this.#restoreBallot(fact.ballot);
          break;
        case 'accepted':
          this.#restoreBallot(fact.ballot);`,
    mutated: `          break;
        case 'accepted':`,
    seedsMax: 100,
  },
  {
    name: 'first-vote-instead-of-highest',
    fault: 'phase 1 takes the first vote reported for a slot, not the one of the highest ballot',
    file: `${paxos}/repropose.ts`,
    original: 'if (known === undefined || compareBallots(vote.ballot, known.ballot) > 0) highest.set(vote.slot, vote);',
    mutated: 'if (known === undefined) highest.set(vote.slot, vote);',
    seedsMax: 600,
  },
  {
    name: 'votes-of-phase-1-ignored',
    fault: 'a new coordinator puts its own entries where others may have been chosen',
    file: `${paxos}/proposer.ts`,
    original: 'const { entries, stopped } = entriesToRepropose(first, votes);',
    mutated: 'const { entries, stopped } = entriesToRepropose(first, votes.slice(0, 0));',
    seedsMax: 200,
  },
  {
    name: 'no-catch-up-before-filling',
    fault: 'a candidate fills gaps without the prefix its quorum knows to be chosen',
    file: `${paxos}/replica.ts`,
    original: 'if (target.committed > this.#log.committed) {',
    mutated: 'if (target.committed > this.#log.committed + 1_000_000) {',
    seedsMax: 200,
  },
  {
    name: 'accept-below-promise',
    fault: 'an acceptor takes part in a ballot below its promise',
    file: `${paxos}/acceptor.ts`,
    original: "if (this.#promised !== null && compareBallots(ballot, this.#promised) < 0) return 'lower-ballot';",
    mutated: '',
    seedsMax: 100,
  },
  {
    name: 'quorum-of-one',
    fault: 'the proposer counts one vote as a quorum',
    file: `${paxos}/proposer.ts`,
    original: 'if (flight === undefined || bitCount(flight.heldBy) < needed) break;',
    mutated: 'if (flight === undefined || bitCount(flight.heldBy) < Math.min(1, needed)) break;',
    seedsMax: 50,
  },
  {
    name: 'phase-1-of-one',
    fault: 'a candidate leads with its own promise alone',
    file: `${paxos}/proposer.ts`,
    original: "if (state.type !== 'preparing' || state.promises.size < quorumOf(state.config)) return null;",
    mutated:
      "if (state.type !== 'preparing' || state.promises.size < Math.min(1, quorumOf(state.config))) return null;",
    seedsMax: 200,
  },
  {
    name: 'learner-counted',
    fault: 'a machine without a seat answers as an acceptor and is counted',
    file: `${paxos}/proposer.ts`,
    original: '    if (seat < 0) {',
    mutated:
      '    if (seat < 0) { for (let at = message.firstSlot; at <= message.lastSlot; at++) { const extra = state.inFlight.get(at); if (extra !== undefined) extra.heldBy |= 1 << 20; }',
    seedsMax: 200,
  },
  {
    name: 'learner-votes-unseated',
    fault: 'a wiped or unseated machine votes as if it had its seat',
    file: `${paxos}/acceptor.ts`,
    original:
      "if (from !== ballot.voter || !hasSeat(config, this.#self.node, this.#self.incarnation)) return 'not-a-voter';",
    mutated: "if (from !== ballot.voter || hasSeat(config, this.#self.node, '')) return 'not-a-voter';",
    seedsMax: 100,
  },
  {
    name: 'commit-without-own-ballot',
    fault: 'a follower takes its old vote for what the new coordinator has chosen there',
    file: `${paxos}/acceptor.ts`,
    original: 'return next <= upTo && sameBallot(this.#log.voteAt(next)?.ballot ?? null, ballot);',
    mutated: 'return next <= upTo && this.#log.voteAt(next) !== undefined && (sameBallot(ballot, null) || true);',
    seedsMax: 600,
  },
  {
    name: 'configuration-on-receive',
    fault: 'a stop-sign takes effect when it is voted for, not when it is chosen',
    file: `${paxos}/slot-log.ts`,
    original: '    this.#votes.set(at, { slot: at, ballot, entry });',
    mutated: `    this.#votes.set(at, { slot: at, ballot, entry });
    if (entry.type === 'stop-sign') this.#beginConfig(at, entry.voters);`,
    seedsMax: 100,
  },
  {
    name: 'stop-sign-skipped',
    fault: 'a new coordinator goes on behind the stop-sign that it proposes again',
    file: `${paxos}/repropose.ts`,
    original: '      return { entries, stopped: true };',
    mutated: '',
    seedsMax: 600,
  },
  {
    name: 'voter-identity-reused',
    fault: 'a machine whose disk was lost votes under its old identity',
    file: 'test/simulator/sim-node.ts',
    original: '    this.#incarnation += 1;',
    mutated: '',
    seedsMax: 100,
  },
  {
    name: 'two-voters',
    fault: 'where a third machine is missing, two vote',
    file: 'src-main/core/membership/voter-choice.ts',
    original: 'return staying.length + settled.length >= 3 ? 3 : 1;',
    mutated: 'return Math.min(3, staying.length + settled.length);',
    also: [
      {
        file: `${paxos}/voters.ts`,
        original: 'voterCounts.includes(voters.length) && ',
        mutated: '',
      },
    ],
    seedsMax: 50,
  },
  {
    name: 'removed-member-heard',
    fault: 'what a removed machine says still counts',
    file: 'src-main/core/node/node.ts',
    original: 'if (from !== this.#self && !this.#members.has(from)) return;',
    mutated: '',
    seedsMax: 50,
  },
  {
    name: 'no-own-ballot-barrier',
    fault: 'a coordinator serves before an entry of its own ballot is chosen',
    file: `${paxos}/proposer.ts`,
    original: '      open: false,',
    mutated: '      open: true,',
    seedsMax: 200,
  },
  {
    name: 'read-without-a-round',
    fault: 'a coordinator answers reads without asking whether a quorum still follows',
    file: 'src-main/core/node/read-rounds.ts',
    original: 'if (replica.confirmedBeat < round.beat) return [];',
    mutated: '',
    seedsMax: 200,
  },
  {
    name: 'read-by-an-older-round',
    fault: 'a heartbeat answered before the question came confirms it',
    file: 'src-main/core/node/read-rounds.ts',
    original: 'if (replica.confirmedBeat < round.beat) return [];',
    mutated: 'if (replica.confirmedBeat < round.beat - 1) return [];',
    seedsMax: 600,
  },
  {
    name: 'read-index-reused-on-retry',
    fault: 'the answer to an earlier attempt is taken for reads that began after it',
    file: 'src-main/core/node/reads.ts',
    original: 'if (attempt?.number !== answer.attempt || attempt.to !== from) return;',
    mutated: 'if (attempt === null) return; void from;',
    seedsMax: 200,
  },
  {
    name: 'read-before-applied',
    fault: 'a read does not wait until the own state has come to its index',
    file: 'src-main/core/node/reads.ts',
    original: '      if (index > committed) continue;\n',
    mutated: '      void committed;\n',
    seedsMax: 100,
  },
  {
    name: 'amnesiac-confirms-a-round',
    fault: 'a voter that lags behind the configuration is counted as following its coordinator',
    file: `${paxos}/replica.ts`,
    original: 'const seated = !behind && this.hasSeat;',
    mutated: 'const seated = behind || this.hasSeat;',
    seedsMax: 600,
  },
  {
    name: 'living-coordinator-deposed',
    fault: 'a voter that hears a coordinator promises whoever asks: a joiner of higher rank pre-empts',
    file: `${paxos}/acceptor.ts`,
    original: 'if (followed !== null && followed.node !== from && !left) {',
    mutated: 'if (followed !== null && followed.node !== from && !left && this.#promised === null) {',
    seedsMax: 200,
  },
  {
    name: 'old-heartbeat-obeyed',
    fault: 'a heartbeat of an old ballot counts as a sign of life',
    file: `${paxos}/replica.ts`,
    original: 'if (from !== ballot.voter || (!behind && !this.#acceptor.onHeartbeat(from, ballot))) return;',
    mutated:
      'if (from !== ballot.voter || (!behind && !this.#acceptor.onHeartbeat(from, ballot) && this.#heard !== null)) return;',
    seedsMax: 200,
  },
  {
    name: 'pre-vote-by-a-learner',
    fault: 'a machine without a seat answers pre-votes and is counted',
    file: 'src-main/core/election/bully.ts',
    original: 'if (!this.#hasSeat || !this.#voters.some(({ node }) => node === from)) return;',
    mutated: '',
    seedsMax: 200,
  },
  {
    name: 'failed-disk-ignored',
    fault: 'answers leave although the disk refused what they promise',
    file: 'src-main/runtime/outbox.ts',
    original: 'if (failure !== undefined) {',
    mutated: "if (failure !== undefined && failure.code !== 'disk-failed') {",
    seedsMax: 200,
  },
  {
    name: 'full-disk-swallowed',
    fault: 'answers leave although there was no room for what they promise',
    file: 'src-main/runtime/outbox.ts',
    original: 'if (failure !== undefined) {',
    mutated: "if (failure !== undefined && failure.code !== 'disk-full') {",
    seedsMax: 200,
  },
  {
    name: 'token-reset-after-recovery',
    fault: 'a forced new quorum goes on where its log ends, so that slots and tokens come back',
    file: `${paxos}/epochs.ts`,
    original: 'export const epochJumpSlots = 2 ** 20;',
    mutated: 'export const epochJumpSlots = 0;',
    drill: true,
    seedsMax: 200,
  },
  {
    name: 'epoch-not-compared',
    fault: 'whoever promised a new epoch still votes in the old one',
    file: `${paxos}/acceptor.ts`,
    original: "if (ballot.epoch < this.#lowestEpoch) return 'stopped';",
    mutated: '',
    also: [
      {
        file: `${paxos}/replica.ts`,
        original: 'return config !== null && !this.awaitsEpoch && hasSeat(',
        mutated: 'return config !== null && hasSeat(',
      },
    ],
    drill: true,
    seedsMax: 200,
  },
  {
    name: 'epoch-promise-not-persisted',
    fault: 'the promise of a new epoch does not survive a restart',
    file: `${paxos}/replica.ts`,
    original: "    this.#out.persist({ type: 'epoch-promised', epoch, to });",
    mutated: '',
    drill: true,
    seedsMax: 300,
  },
  {
    name: 'tail-dropped-silently',
    fault: 'what a returning voter had and the new epoch has not is gone without a word',
    file: `${paxos}/replica.ts`,
    original: '    this.#setTailAside(snapshot.config);',
    mutated: '',
    drill: true,
    seedsMax: 100,
  },
];
