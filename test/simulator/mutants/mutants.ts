/** A deliberate fault: an exact piece of one source file and what stands there instead. */
export interface Mutant {
  readonly name: string;
  /** What would be wrong if it shipped. */
  readonly fault: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly original: string;
  readonly mutated: string;
  /** What must go with it where the same rule is guarded twice. */
  readonly also?: readonly { readonly file: string; readonly original: string; readonly mutated: string }[];
  /** Only a recovery shows it. */
  readonly drill?: boolean;
  /** Seeds within which it must be caught. */
  readonly seedsMax: number;
}

const paxos = 'src-main/core/paxos';

export const mutants: readonly Mutant[] = [
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
    name: 'session-expired-unconditionally',
    fault: 'expiry ignores a renewal that was logged before it',
    file: 'src-main/core/state-machine/apply-sessions.ts',
    original: 'if (session.renewal !== command.renewal) {',
    mutated: 'if (session.renewal < 0) {',
    seedsMax: 200,
  },
  {
    name: 'session-expired-early',
    fault: 'a new coordinator counts a lease from before it took office',
    file: 'src-main/core/node/coordinator-duties.ts',
    original: 'if (now - watched.since <= session.ttlMs || !again) continue;',
    mutated: 'if (now - watched.since <= session.ttlMs / 3 || !again) continue;',
    seedsMax: 100,
  },
  {
    name: 'token-from-a-counter',
    fault: 'tokens come from a counter that starts again with each process',
    file: 'src-main/core/locks/lock-table.ts',
    original: 'const token = fencingToken(slot);',
    mutated: 'const token = fencingToken(1 + (slot % 50));',
    seedsMax: 50,
  },
  {
    name: 'lock-granted-twice',
    fault: 'a held lock is granted to whoever asks',
    file: 'src-main/core/locks/lock-table.ts',
    original: 'if (known !== undefined && known.holder !== null)',
    mutated: 'if (known !== undefined && known.holder !== null && !wait)',
    seedsMax: 50,
  },
  {
    name: 'stale-result-accepted',
    fault: 'a result counts without the token of the live attempt',
    file: 'src-main/core/tasks/job.ts',
    original: 'live.number === key.attempt && live.token === key.token && live.session === session',
    mutated: 'live.session !== undefined && (live.number === key.attempt || session !== key.job.toString())',
    seedsMax: 300,
  },
  {
    name: 'keys-left-out-of-snapshot',
    fault: 'stored values do not survive a snapshot',
    file: 'src-main/core/state-machine/snapshot.ts',
    original: 'kv: state.kv.toSnapshot(),',
    mutated: 'kv: new KvStore().toSnapshot(),',
    seedsMax: 300,
  },
  {
    name: 'sessions-left-out-of-snapshot',
    fault: 'sessions do not survive a snapshot',
    file: 'src-main/core/state-machine/snapshot.ts',
    original: 'sessions: state.sessions.list(),',
    mutated: 'sessions: state.sessions.list().slice(0, 0),',
    seedsMax: 300,
  },
  {
    name: 'keys-outlive-their-session',
    fault: 'a key that was put with a session stays when the session ends',
    file: 'src-main/core/state-machine/apply-sessions.ts',
    original: 'const keys = state.kv.endSession(session.id, session.node, { slot, at });',
    mutated: 'const keys = state.kv.endSession(session.id, session.node, { slot, at }).slice(0, 0);',
    seedsMax: 50,
  },
  {
    name: 'keys-in-map-order',
    fault: 'what a session leaves behind is walked in the order in which this replica came to know it',
    file: 'src-main/core/kv/kv-store.ts',
    original: 'const keys = [...(this.#ofSession.get(session) ?? [])].sort(compareText);',
    mutated: 'const keys = [...(this.#ofSession.get(session) ?? [])];',
    seedsMax: 300,
  },
  {
    name: 'comparison-ignored',
    fault: 'a transaction takes effect whatever its comparisons say',
    file: 'src-main/core/kv/kv-store.ts',
    original: 'const succeeded = transaction.compares.every((compare) =>',
    mutated: 'const succeeded = [...transaction.compares].slice(1).every((compare) =>',
    seedsMax: 50,
  },
  {
    name: 'watch-skips-a-revision',
    fault: 'a watcher goes on behind the changes it has been told',
    file: 'src-main/core/kv/change-history.ts',
    original: 'if (change !== undefined && revisionOf(change) < revision) low = middle + 1;',
    mutated: 'if (change !== undefined && revisionOf(change) <= revision) low = middle + 1;',
    seedsMax: 50,
  },
  {
    name: 'no-deduplication',
    fault: 'a request that was sent again takes effect again',
    file: 'src-main/core/state-machine/apply.ts',
    original: 'if (known !== null) return { result: known, events: [] };',
    mutated: '',
    seedsMax: 100,
  },
  {
    name: 'clients-left-out-of-snapshot',
    fault: 'what is remembered about requests does not survive a snapshot',
    file: 'src-main/core/state-machine/dedupe.ts',
    original: '    return [...this.#clients]\n',
    mutated: '    return [...new Map<string, Client>()]\n',
    seedsMax: 300,
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
