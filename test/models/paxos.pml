/*
 * Multi-Paxos: 3 acceptors, 3 ballots, S slots (default 2), one crash.
 *
 * SHOWS
 *   agreement         a slot never has two chosen values, and nobody applies anything else
 *   acked_survives    what a coordinator told a client it has is what the slot holds (P3)
 *   one_completion    a ballot completes phase 1 at most once, with one value per slot (E1)
 *   fresh_reads       a coordinator past its barrier that confirms its ballot knows all that was
 *                     acknowledged before (P5, P6)
 * STEPS AND THE CODE (src-main/core/paxos)
 *   START      replica.ts tryToLead; acceptor.ts promiseSelf: own promise on disk, then prepare leaves
 *   PROMISE    acceptor.ts onPrepare, proposer.ts onPromise: votes above the sender's commit index
 *   LEAD       replica.ts continueAttempt (catch up first), proposer.ts lead, repropose.ts
 *   PROPOSE    proposer.ts propose, only behind the chosen barrier (room)
 *   ACCEPT     acceptor.ts onAccept: never below the promise
 *   COUNT      proposer.ts takeChosen, replica.ts commitAll
 *   FOLLOW     replica.ts follow, acceptor.ts chosenByVote: only own votes of that very ballot
 *   LEARN      learner.ts onLearnReply
 *   READ       a quorum still at or below the ballot (the ReadIndex round)
 *   CRASH      replica.ts recover: promise and votes come back; the commit index was recorded without a
 *              barrier, so it may be lost as a whole
 * ABSTRACTED
 *   Messages: a request once sent may arrive at any time, again, late or never. A reply arrives at once or
 *   is lost: only the waiting candidate reads it, so its delay adds nothing. Disks keep order and what they
 *   acknowledged. A value is the number of the ballot that made it; NO_OP fills gaps. No time, no snapshots,
 *   no change of voters (stopsign.pml), no election (omega.pml): any node may start its ballot at any time.
 *   Ballots 1, 2, 3 belong to nodes 0, 1, 2; with -DAGAIN ballot 3 is node 0's second one.
 * TWINS (each must fail)
 *   AMNESIA            node 0 loses promise and votes once
 *   OWN_PROMISE_LATE   prepare leaves before the own promise is on disk
 *   FIRST_VOTE         phase 1 takes the first vote reported instead of the highest
 *   ACK_EARLY          acknowledged with one vote short of a quorum
 *   NO_CATCH_UP        gaps are filled without the prefix that the quorum knows
 *   FOLLOW_ANY_VOTE    a follower commits its vote of whatever ballot
 *   NO_BARRIER         reads before the own ballot's first entry is chosen
 */
#define N 3
#define B 3
#ifndef S
#define S 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define NO_OP 9
#define QUORUM(m) ((m)==3 || (m)>=5)
#ifdef AGAIN
#define OWNER(b) ((b)==2 -> 1 : 0)
#else
#define OWNER(b) ((b)-1)
#endif
#define X(b,s) (((b)-1)*S+(s))
#define V(a,s) ((a)*S+(s))

#define IDLE 0
#define PREPARING 1
#define LEADING 2

hidden byte agreement, acked_survives, one_completion, fresh_reads; /* claims: never set, they only label the assertions */

/* on disk, per node */
byte promised[N];
byte vote[N*S];          /* ballot of the last vote, 0 none */
byte committed[N];       /* slots below are known chosen; recorded without a barrier */
/* in memory, per node */
byte phase[N];
byte ballot[N];
byte got[N];             /* promises, bits */
byte best[N*S];          /* highest vote reported */
byte need[N];            /* highest commit index in the phase-1 quorum */
byte open[N];            /* slot of the barrier */
byte next[N];
/* sent, and what an onlooker sees */
bool prepared[B+1];
bool led[B+1];
byte value[B*S];         /* what ballot b proposes for slot s, 0 nothing */
byte votes[B*S];         /* who voted for it, bits */
byte chosen[S];
byte acked[S];
byte ackedCount, crashes;
hidden byte k, last, w;

inline forget(i) {
  phase[i] = IDLE; ballot[i] = 0; got[i] = 0; need[i] = 0; open[i] = 0; next[i] = 0;
  k = 0; do :: k < S -> best[V(i,k)] = 0; k++ :: else -> break od; k = 0
}

inline restart(i) { crashes++; forget(i); committed[i] = 0 }

inline take_promise(a, i) {
  got[i] = got[i] | (1 << a);
  if :: committed[a] > need[i] -> need[i] = committed[a] :: else fi;
  k = committed[a];
  do
  :: k < S ->
     if
#ifdef FIRST_VOTE
     :: best[V(i,k)] == 0 -> best[V(i,k)] = vote[V(a,k)]
#else
     :: vote[V(a,k)] > best[V(i,k)] -> best[V(i,k)] = vote[V(a,k)]
#endif
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0
}

inline start(i, b) {
  forget(i); phase[i] = PREPARING; ballot[i] = b; prepared[b] = true;
#ifndef OWN_PROMISE_LATE
  promised[i] = b; take_promise(i, i)
#endif
}

/* a higher promise ends an own attempt below it (replica.ts yieldTo) */
inline promise(a, b) {
  promised[a] = b;
  if :: ballot[a] != 0 && ballot[a] < b -> forget(a) :: else fi
}

/* OWN_PROMISE_LATE lets a ballot be used twice: its second values must be told apart from the first */
#define MINE(b) ((crashes > 0 && OWNS_AGAIN) -> (b) + 4 : (b))
#ifdef OWN_PROMISE_LATE
#define OWNS_AGAIN true
#else
#define OWNS_AGAIN false
#endif

inline put(b, s, v) {
  assert(value[X(b,s)] == 0 || value[X(b,s)] == v || one_completion);
  value[X(b,s)] = v
}

inline lead(i) {
  assert(!led[ballot[i]] || one_completion);
  led[ballot[i]] = true; phase[i] = LEADING; got[i] = 0;
  last = committed[i]; k = committed[i];
  do :: k < S -> if :: best[V(i,k)] != 0 -> last = k + 1 :: else fi; k++ :: else -> break od;
  k = committed[i];
  do
  :: k < last ->
     if :: best[V(i,k)] == 0 -> w = NO_OP :: else -> w = value[X(best[V(i,k)],k)] fi;
     put(ballot[i], k, w); k++
  :: else -> break
  od;
  open[i] = last; next[i] = last;
  if :: last < S -> w = MINE(ballot[i]); put(ballot[i], last, w); next[i] = last + 1 :: else fi;
  k = 0; do :: k < S -> best[V(i,k)] = 0; k++ :: else -> break od;
  k = 0; last = 0; w = 0; need[i] = 0
}

inline propose(i) { w = MINE(ballot[i]); put(ballot[i], next[i], w); next[i]++; w = 0 }

inline accept(a, b, s) {
  promise(a, b);
  vote[V(a,s)] = b;
  votes[X(b,s)] = votes[X(b,s)] | (1 << a);
  if
  :: QUORUM(votes[X(b,s)]) ->
     assert(chosen[s] == 0 || chosen[s] == value[X(b,s)] || agreement);
     assert(acked[s] == 0 || acked[s] == value[X(b,s)] || acked_survives);
     chosen[s] = value[X(b,s)]
  :: else
  fi
}

inline count(i) {
  acked[committed[i]] = value[X(ballot[i],committed[i])];
#ifndef ACK_EARLY
  assert(chosen[committed[i]] == acked[committed[i]] || agreement);
#endif
  committed[i]++;
  if :: committed[i] > ackedCount -> ackedCount = committed[i] :: else fi
}

inline follow(a) {
#ifndef ACK_EARLY
  assert(value[X(vote[V(a,committed[a])],committed[a])] == chosen[committed[a]] || agreement);
#endif
  committed[a]++
}

#ifdef AMNESIA
inline wipe(a) {
  crashes++; forget(a); committed[a] = 0; promised[a] = 0;
  k = 0; do :: k < S -> vote[V(a,k)] = 0; k++ :: else -> break od; k = 0
}
#endif

#ifdef ACK_EARLY
#define COUNTED(m) ((m) != 0)
#else
#define COUNTED(m) QUORUM(m)
#endif
#ifdef NO_CATCH_UP
#define CAUGHT_UP(i) true
#else
#define CAUGHT_UP(i) (committed[i] >= need[i])
#endif
#ifdef NO_BARRIER
#define BARRIER(i) true
#else
#define BARRIER(i) (committed[i] > open[i])
#endif
#ifdef FOLLOW_ANY_VOTE
#define OF_BALLOT(v,b) ((v) != 0)
#else
#define OF_BALLOT(v,b) ((v) == (b))
#endif
#ifdef OWN_PROMISE_LATE
#define ASKS(a,i) true
#else
#define ASKS(a,i) ((a) != (i))
#endif
#ifdef LEARN_ALL
#define LEARNS(a) true
#else
#define LEARNS(a) (phase[a]==PREPARING && committed[a] < need[a])
#endif
#define CONFIRMS(b) ((promised[0]<=(b)) + (promised[1]<=(b)) + (promised[2]<=(b)) >= 2)

#define START(b) \
  :: d_step { promised[OWNER(b)] < b && ballot[OWNER(b)] < b -> start(OWNER(b), b) }
#define PROMISE(a,i) \
  :: d_step { phase[i]==PREPARING && ASKS(a,i) && !(got[i] & (1<<a)) && promised[a] <= ballot[i] -> \
       promise(a, ballot[i]); take_promise(a, i) }
#define PROMISE_LOST(a,b) \
  :: d_step { prepared[b] && promised[a] < b -> promise(a, b) }
#define ACCEPT(a,b,s) \
  :: d_step { value[X(b,s)] != 0 && promised[a] <= b && !(votes[X(b,s)] & (1<<a)) -> accept(a, b, s) }
#define FOLLOW(a,i) \
  :: d_step { phase[i]==LEADING && promised[a] <= ballot[i] && committed[a] < committed[i] && \
       OF_BALLOT(vote[V(a,committed[a])],ballot[i]) -> follow(a) }
#define LEARN(a,c) \
  :: d_step { LEARNS(a) && committed[a] < committed[c] -> committed[a]++ }
#define NODE(i) \
  :: d_step { phase[i]==PREPARING && QUORUM(got[i]) && CAUGHT_UP(i) -> lead(i) } \
  :: d_step { phase[i]==LEADING && committed[i] > open[i] && next[i] < S -> propose(i) } \
  :: d_step { phase[i]==LEADING && committed[i] < S && COUNTED(votes[X(ballot[i],committed[i])]) -> count(i) } \
  :: d_step { phase[i]==LEADING && BARRIER(i) && CONFIRMS(ballot[i]) && committed[i] < ackedCount -> \
       assert(fresh_reads) } \
  :: d_step { crashes < CRASHES -> restart(i) }

init {
  do
  START(1) START(2) START(3)
  PROMISE(0,0) PROMISE(0,1) PROMISE(0,2)
  PROMISE(1,0) PROMISE(1,1) PROMISE(1,2)
  PROMISE(2,0) PROMISE(2,1) PROMISE(2,2)
  PROMISE_LOST(0,1) PROMISE_LOST(0,2) PROMISE_LOST(0,3)
  PROMISE_LOST(1,1) PROMISE_LOST(1,2) PROMISE_LOST(1,3)
  PROMISE_LOST(2,1) PROMISE_LOST(2,2) PROMISE_LOST(2,3)
  ACCEPT(0,1,0) ACCEPT(1,1,0) ACCEPT(2,1,0)
  ACCEPT(0,2,0) ACCEPT(1,2,0) ACCEPT(2,2,0)
  ACCEPT(0,3,0) ACCEPT(1,3,0) ACCEPT(2,3,0)
#if S > 1
  ACCEPT(0,1,1) ACCEPT(1,1,1) ACCEPT(2,1,1)
  ACCEPT(0,2,1) ACCEPT(1,2,1) ACCEPT(2,2,1)
  ACCEPT(0,3,1) ACCEPT(1,3,1) ACCEPT(2,3,1)
#endif
#if S > 2
  ACCEPT(0,1,2) ACCEPT(1,1,2) ACCEPT(2,1,2)
  ACCEPT(0,2,2) ACCEPT(1,2,2) ACCEPT(2,2,2)
  ACCEPT(0,3,2) ACCEPT(1,3,2) ACCEPT(2,3,2)
#endif
  FOLLOW(0,1) FOLLOW(0,2) FOLLOW(1,0) FOLLOW(1,2) FOLLOW(2,0) FOLLOW(2,1)
  LEARN(0,1) LEARN(0,2) LEARN(1,0) LEARN(1,2) LEARN(2,0) LEARN(2,1)
  NODE(0) NODE(1) NODE(2)
#ifdef AMNESIA
  :: d_step { crashes == 0 -> wipe(0) }
#endif
  od
}
