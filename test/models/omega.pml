/*
 * Bully as Omega ("you may try") composed with ballots (the truth): 3 voters, rank = number, R rounds (default 1),
 * at most STARTS phase-1 starts, HAND_OVERS hand-overs and CRASHES crashes in one run.
 *
 * SHOWS
 *   one_completion  a ballot completes phase 1 at most once (E1)
 *   agreement       one slot, written by every coordinator, never has two chosen values (P1)
 *   undeposed       no phase 1 completes over a coordinator that leads and that a quorum hears, except by
 *                   a hand-over that this very coordinator began under this very ballot (E3)
 * STEPS AND THE CODE
 *   SILENCE     core/election/bully.ts hearsCoordinator: nothing heard for suspectMs; here at any time, also wrongly
 *   SUSPECT     bully.ts onSuspectTimer, preVote
 *   ANSWER      bully.ts receive, onPreVoteAnswer: one "alive" ends the try, a quorum of "no" continues it
 *   CHALLENGE   bully.ts challenge, onElection: a voter of higher rank that hears nobody begins its own try; the
 *               wait for it may end at any moment, so verdicts only cost time here (omega-liveness.pml has them)
 *   TRY         bully.ts try, core/paxos/replica.ts tryToLead: a round above what was promised, own promise on disk
 *   PROMISE     core/paxos/acceptor.ts onPrepare: refused while a coordinator is heard (C.0 rule 5)
 *   COMPLETE    replica.ts continueAttempt, proposer.ts lead
 *   RECEIPT     replica.ts onHeartbeat, acceptor.ts onHeartbeat: there is no COORDINATOR message, a heartbeat under
 *               a ballot not below the promise is the receipt; obeying it raises the promise
 *   HAND_OVER   the coordinator lets one voter try at once; its prepare names the ballot that gave leave, and only
 *               voters that hear that ballot (or nobody) promise
 *   STEP_DOWN   core/node/node.ts beat, onWoke
 *   CRASH       promise and vote are on disk, everything else is gone
 * ABSTRACTED
 *   Messages as in paxos.pml. One slot, no commit index, no reads (paxos.pml has them). No change of voters.
 *   -DNO_LOG leaves the slot out, for larger bounds.
 *   No time and no liveness (omega-liveness.pml). Rank does not change within a configuration.
 * TWINS (each must fail)
 *   OBEY_WITHOUT_BALLOT  a receipt is obeyed whatever its ballot
 *   NO_REFUSAL           a voter that hears a coordinator promises all the same: the pre-vote alone is not enough
 *   PREEMPT_BY_RANK      a voter of higher rank skips the pre-vote and is promised over a coordinator of lower rank
 *   UNASKED              the mark of a hand-over needs nobody's leave
 *   ANY_LEAVE            the mark of a hand-over does not say which ballot gave leave
 *   LATE_LEAVE           a leave is used though another ballot is heard by now
 *   OWN_PROMISE_LATE     prepare leaves before the own promise is on disk
 */
#ifndef R
#define R 1
#endif
#ifndef STARTS
#define STARTS 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef HAND_OVERS
#define HAND_OVERS 0
#endif
#define NB (3*R)
#define QUORUM(m) ((m)==3 || (m)>=5)
#define ROUND(b) (((b)+2)/3)
#define OWNER(b) (((b)+2)%3)
#define BALLOT(r,i) (((r)-1)*3 + (i) + 1)

#define FOLLOWING 0
#define PRE_VOTING 1
#define CHALLENGING 2
#define TRYING 3
#define LEADING 4

hidden byte one_completion, agreement, undeposed; /* claims: never set, they only label the assertions */

/* on disk */
byte promised[3];
byte vote[3];
/* in memory */
byte state[3];
byte heard[3];           /* ballot of the coordinator believed alive, 0 nobody */
byte own[3];             /* own ballot while TRYING or LEADING */
byte got[3];             /* answers that count, bits */
byte best[3];            /* highest vote reported */
byte leave[3];           /* ballot that let this voter take over, 0 none */
byte named[3];           /* leave shown in the own prepare */
/* sent, and what an onlooker sees */
bool prepared[NB+1];
bool done[NB+1];
byte value[NB+1];
byte votes[NB+1];
byte gave[NB+1];         /* voter that this ballot let take over, +1 */
byte chosen;
byte starts, crashes, handOvers;

#ifdef NO_LOG
#define WITH_LOG false
#else
#define WITH_LOG true
#endif
#define HEARS(a) (state[a] == LEADING || heard[a] != 0)
#define QUORUM_HEARS(b) ((((heard[0]==(b)) + (heard[1]==(b)) + (heard[2]==(b))) >= 2) || \
  (((heard[0]==(b)) + (heard[1]==(b)) + (heard[2]==(b))) >= 1 && heard[OWNER(b)] != (b)))
#define HEALTHY(c) (state[c] == LEADING && QUORUM_HEARS(own[c]))

inline reset(a) { state[a] = FOLLOWING; own[a] = 0; got[a] = 0; best[a] = 0; named[a] = 0 }

inline raise(a, b) {
  promised[a] = b;
  if :: own[a] != 0 && own[a] < b -> reset(a) :: else fi
}

inline try(a, extra) {
  starts++; reset(a); state[a] = TRYING;
  own[a] = BALLOT(ROUND(promised[a]) + 1 + extra, a);
  named[a] = leave[a]; leave[a] = 0;
  prepared[own[a]] = true;
#ifndef OWN_PROMISE_LATE
  promised[a] = own[a]; got[a] = 1 << a; best[a] = vote[a]
#endif
}

inline promise(a, i) {
  raise(a, own[i]);
  if :: a != i && state[a] != LEADING -> reset(a) :: else fi;
  got[i] = got[i] | (1 << a);
  if :: vote[a] > best[i] -> best[i] = vote[a] :: else fi
}

#define NOT_DEPOSED(i,c) (i == c || !HEALTHY(c) || own[c] > own[i] || gave[own[c]] == i + 1)

inline complete(i) {
  assert(!done[own[i]] || one_completion);
  assert((NOT_DEPOSED(i,0) && NOT_DEPOSED(i,1) && NOT_DEPOSED(i,2)) || undeposed);
  done[own[i]] = true; state[i] = LEADING; heard[i] = 0; got[i] = 0; named[i] = 0;
  if :: !WITH_LOG :: WITH_LOG && best[i] == 0 -> value[own[i]] = own[i] :: else -> value[own[i]] = value[best[i]] fi;
  best[i] = 0
}

inline receipt(a, b) {
#ifdef OBEY_WITHOUT_BALLOT
  if :: state[a] != FOLLOWING -> reset(a) :: else fi;
  promised[a] = b;
#else
  raise(a, b);
  if :: state[a] != LEADING -> reset(a) :: else fi;
#endif
  heard[a] = b
}

inline accept(a, b) {
  raise(a, b);
  if :: state[a] != LEADING -> heard[a] = b; reset(a) :: else fi;
  vote[a] = b; votes[b] = votes[b] | (1 << a);
  if
  :: QUORUM(votes[b]) -> assert(chosen == 0 || chosen == value[b] || agreement); chosen = value[b]
  :: else
  fi
}

#define ROUNDS_LEFT(a) (starts < STARTS && ROUND(promised[a]) < R)
#if defined(NO_REFUSAL)
#define WILLING(a,i) true
#elif defined(PREEMPT_BY_RANK)
#define WILLING(a,i) (!HEARS(a) || (i) > (a) || (i) > OWNER(heard[a]))
#elif defined(ANY_LEAVE)
#define WILLING(a,i) (!HEARS(a) || named[i] != 0)
#else
#define WILLING(a,i) (!HEARS(a) || (heard[a] != 0 && OWNER(heard[a]) == (i)) || \
  (named[i] != 0 && (named[i] == heard[a] || (state[a] == LEADING && named[i] == own[a]))))
#endif
#ifdef LATE_LEAVE
#define STILL_UNDER(a) true
#else
#define STILL_UNDER(a) (heard[a] == 0 || heard[a] == leave[a])
#endif
#ifdef PREEMPT_BY_RANK
#define SKIPS_PRE_VOTE(a) ((a) == 2)
#else
#define SKIPS_PRE_VOTE(a) false
#endif
#ifdef UNASKED
#define UNASKED_LEAVE true
#else
#define UNASKED_LEAVE false
#endif
#ifdef OBEY_WITHOUT_BALLOT
#define OBEYS(a,b) (promised[a] != (b))
#else
#define OBEYS(a,b) (promised[a] <= (b) && heard[a] != (b))
#endif
#ifdef OWN_PROMISE_LATE
#define ASKED(a,i) true
#else
#define ASKED(a,i) ((a) != (i))
#endif

#define VOTER(a) \
  :: d_step { heard[a] != 0 -> heard[a] = 0 } \
  :: d_step { state[a] == FOLLOWING && heard[a] == 0 && ROUNDS_LEFT(a) -> state[a] = PRE_VOTING; got[a] = 1 << a } \
  :: d_step { state[a] == FOLLOWING && ROUNDS_LEFT(a) && SKIPS_PRE_VOTE(a) -> try(a, 0) } \
  :: d_step { state[a] == PRE_VOTING && QUORUM(got[a]) -> state[a] = CHALLENGING; got[a] = 0 } \
  :: d_step { state[a] == CHALLENGING && ROUNDS_LEFT(a) -> try(a, 0) } \
  :: d_step { state[a] == CHALLENGING && starts < STARTS && ROUND(promised[a]) + 1 < R -> try(a, 1) } \
  :: d_step { state[a] == FOLLOWING && leave[a] != 0 && ROUNDS_LEFT(a) && STILL_UNDER(a) -> try(a, 0) } \
  :: d_step { state[a] == TRYING && QUORUM(got[a]) -> complete(a) } \
  :: d_step { state[a] != FOLLOWING -> reset(a) } \
  :: d_step { crashes < CRASHES -> crashes++; reset(a); heard[a] = 0; leave[a] = 0 } \
  :: d_step { UNASKED_LEAVE && handOvers == 0 && state[a] == FOLLOWING && heard[a] != 0 -> handOvers++; leave[a] = heard[a] }
#define PAIR(a,p) \
  :: d_step { state[p] == PRE_VOTING && !HEARS(a) && !(got[p] & (1<<a)) -> got[p] = got[p] | (1<<a) } \
  :: d_step { state[p] == PRE_VOTING && HEARS(a) -> reset(p) } \
  :: d_step { state[p] == CHALLENGING && p < a && state[a] == FOLLOWING && !HEARS(a) && ROUNDS_LEFT(a) -> \
       state[a] = PRE_VOTING; got[a] = 1 << a } \
  :: d_step { state[p] == CHALLENGING && p < a && HEARS(a) -> reset(p) } \
  :: d_step { state[p] == LEADING && handOvers < HAND_OVERS && gave[own[p]] == 0 -> \
       handOvers++; gave[own[p]] = a + 1; leave[a] = own[p] }
#define ASK(a,p) \
  :: d_step { state[p] == TRYING && ASKED(a,p) && promised[a] <= own[p] && !(got[p] & (1<<a)) && WILLING(a,p) -> promise(a, p) }
#define MESSAGE(a,b) \
  :: d_step { prepared[b] && promised[a] < b && !HEARS(a) -> raise(a, b); if :: state[a] != LEADING -> reset(a) :: else fi } \
  :: d_step { done[b] && OWNER(b) != a && OBEYS(a,b) -> receipt(a, b) } \
  :: d_step { WITH_LOG && value[b] != 0 && promised[a] <= b && !(votes[b] & (1<<a)) -> accept(a, b) }
#define MESSAGES(b) MESSAGE(0,b) MESSAGE(1,b) MESSAGE(2,b)

init {
  do
  VOTER(0) VOTER(1) VOTER(2)
  PAIR(0,1) PAIR(0,2) PAIR(1,0) PAIR(1,2) PAIR(2,0) PAIR(2,1)
  ASK(0,0) ASK(0,1) ASK(0,2) ASK(1,0) ASK(1,1) ASK(1,2) ASK(2,0) ASK(2,1) ASK(2,2)
  MESSAGES(1) MESSAGES(2) MESSAGES(3)
#if R > 1
  MESSAGES(4) MESSAGES(5) MESSAGES(6)
#endif
  od
}
