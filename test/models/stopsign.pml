/*
 * Voters change by stop-sign, twice in a row: 1 -> 3 -> 1 (default), or -DREPLACE=1, -DREPLACE=2: 2 of 3 replaced, twice,
 * with two rival ballots in the first configuration or in the second.
 * -DTAKE_OVER: one change, 3 -> 1, with three ballots in the old configuration and entries in flight.
 *
 * SHOWS
 *   agreement      a slot never has two chosen values, whatever configuration chose them (P1, M2)
 *   nothing_behind a configuration chooses nothing behind its chosen stop-sign (M1)
 *   prefix_held    when a configuration chooses, a quorum of its voters holds everything before it (M1)
 * STEPS AND THE CODE (src-main/core/paxos)
 *   ASK        acceptor.ts onPrepare: a voter takes part in the configuration that its own log has reached,
 *              in no other (refusal: behind, stopped, not-a-voter)
 *   LEAD       proposer.ts lead, repropose.ts: a stop-sign is void if a later slot holds a vote of a higher
 *              ballot, else everything behind it goes; no barrier behind a stop-sign
 *   PROPOSE    proposer.ts propose: client entries, several in flight, behind the chosen barrier
 *   STOP       proposer.ts proposeStopSign: only with nothing in flight, and nothing after it
 *   ACCEPT     acceptor.ts onAccept
 *   LEARN      replica.ts follow and commitAll, learner.ts onLearnReply, slot-log.ts beginConfig
 *   RESTART    replica.ts recover: commit indexes that no promise or vote followed may be lost, and with them
 *              the knowledge that a configuration ended
 * ABSTRACTED
 *   As in paxos.pml, and: whoever learns may do so the moment something is chosen (more than messages allow), and
 *   learns all of it up to the next stop-sign in one step (paxos.pml has the steps in between). One proposer per ballot, which may stop for ever at any step. The voters of the next
 *   configuration are fixed by the scenario; that they are caught up first (voter-choice.ts) is not relied on.
 *   Incarnations, snapshots and epochs are left out.
 * TWINS (each must fail)
 *   EFFECT_ON_RECEIVE  the next configuration counts from the vote for a stop-sign, not from its choice
 *   OPEN_AFTER_STOP    a coordinator that proposes a stop-sign again puts its barrier behind it
 *   CUT_ALWAYS         everything behind any stop-sign seen is cut, it is never void  (with TAKE_OVER)
 *   CUT_NEVER          every slot keeps its highest vote, also behind a stop-sign     (with TAKE_OVER)
 *   NO_PREFIX          voters take part in a configuration that their log has not reached
 */
#define NONE 15
#define STOP 20
#define NO_OP 21
#define OPEN(b) ((b)+10)

#if defined(TAKE_OVER)
#define N 3
#define S 3
#define B 3
#define CONFIG(b) 1
#define OWNER(b) ((b)-1)
#define VOTERS(c) 7
#elif defined(REPLACE)
#define N 5
#ifndef S
#define S 3
#endif
#define B 4
#if REPLACE == 1
#define CONFIG(b) ((b)<=2 -> 1 : (b)-1)
#define OWNER(b) ((b)==4 -> 4 : (b)-1)
#else
#define CONFIG(b) ((b)==1 -> 1 : ((b)==4 -> 3 : 2))
#define OWNER(b) ((b)==1 -> 0 : (b))
#endif
#define VOTERS(c) ((c)==1 -> 7 : ((c)==2 -> 28 : 19))
#else
#define N 3
#define S 4
#define B 4
#define CONFIG(b) ((b)==1 -> 1 : ((b)<=3 -> 2 : 3))
#define OWNER(b) ((b)==4 -> 2 : ((b)==1 -> 0 : (b)-2))
#define VOTERS(c) ((c)==1 -> 1 : ((c)==2 -> 7 : 4))
#endif
#ifndef RESTARTS
#define RESTARTS 0
#endif

#define X(b,s) (((b)-1)*S+(s))
#define V(a,s) ((a)*S+(s))
#define IN(m,a) (((m) >> (a)) & 1)
#define COUNT(m) (((m)&1) + (((m)>>1)&1) + (((m)>>2)&1) + (((m)>>3)&1) + (((m)>>4)&1))
#define QUORUM(m,c) (2*COUNT((m)&VOTERS(c)) > COUNT(VOTERS(c)))

#define IDLE 0
#define PREPARING 1
#define LEADING 2

hidden byte agreement, nothing_behind, prefix_held; /* claims: never set, they only label the assertions */

/* per node */
byte promised[N];
byte vote[N*S];
byte committed[N];        /* slots below are known chosen */
byte config[N];           /* the configuration in force behind them */
byte kept[N];             /* commit index that is surely on disk */
/* per ballot: its proposer */
byte phase[B+1];
byte got[B+1];
byte best[B*S];
byte need[B+1];
byte open[B+1];
byte next[B+1];
byte value[B*S];
byte votes[B*S];
/* seen by an onlooker */
byte chosen[S];
byte chooser[S];          /* configuration */
byte restarts;
hidden byte k, p, w, last;

inline sync(a) {
#if RESTARTS > 0
  kept[a] = committed[a]
#else
  skip
#endif
}

inline clear(b) {
  k = 0; do :: k < S -> best[X(b,k)] = 0; k++ :: else -> break od; k = 0
}

inline ask(a, b) {
  promised[a] = b; sync(a);
  got[b] = got[b] | (1 << a);
  if :: committed[a] > need[b] -> need[b] = committed[a] :: else fi;
  k = committed[a];
  do
  :: k < S ->
     if
     :: vote[V(a,k)] > best[X(b,k)] && CONFIG(vote[V(a,k)]) == CONFIG(b) -> best[X(b,k)] = vote[V(a,k)]
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0
}

inline lead(b) {
  phase[b] = LEADING; got[b] = 0; need[b] = 0;
  last = committed[OWNER(b)]; p = NONE;
  k = committed[OWNER(b)];
  do
  :: k < S ->
     if
     :: best[X(b,k)] != 0 ->
        last = k + 1;
        if :: p == NONE && value[X(best[X(b,k)],k)] == STOP -> p = k :: else fi
     :: else
     fi;
     k++
  :: else -> break
  od;
#ifndef CUT_NEVER
  if
  :: p != NONE ->
#ifndef CUT_ALWAYS
     w = p; k = p + 1;
     do :: k < S -> if :: best[X(b,k)] > best[X(b,w)] -> p = NONE :: else fi; k++ :: else -> break od;
     if :: p == NONE -> best[X(b,w)] = 0 :: else -> last = p + 1 fi
#else
     last = p + 1
#endif
  :: else
  fi;
#endif
  k = committed[OWNER(b)];
  do
  :: k < last ->
     if :: best[X(b,k)] == 0 -> value[X(b,k)] = NO_OP :: else -> value[X(b,k)] = value[X(best[X(b,k)],k)] fi; k++
  :: else -> break
  od;
  open[b] = last; next[b] = last + 1;
#ifndef OPEN_AFTER_STOP
  if :: p != NONE -> open[b] = NONE; next[b] = S :: else fi;
#endif
  if :: open[b] < S -> value[X(b,last)] = OPEN(b) :: else fi;
  clear(b); p = 0; w = 0; last = 0
}

inline accept(a, b, s) {
  promised[a] = b; vote[V(a,s)] = b; sync(a);
  votes[X(b,s)] = votes[X(b,s)] | (1 << a);
#ifdef EFFECT_ON_RECEIVE
  if :: value[X(b,s)] == STOP && committed[a] == s -> committed[a] = s + 1; config[a]++ :: else fi;
#endif
  if
  :: QUORUM(votes[X(b,s)], CONFIG(b)) ->
     assert(chosen[s] == 0 || chosen[s] == value[X(b,s)] || agreement);
     if
     :: chosen[s] == 0 ->
        chosen[s] = value[X(b,s)]; chooser[s] = CONFIG(b);
        k = 0;
        do
        :: k < S ->
           assert(k >= s || chosen[k] != STOP || chooser[k] != CONFIG(b) || nothing_behind);
           assert(k <= s || chosen[s] != STOP || chooser[k] != CONFIG(b) || nothing_behind);
           k++
        :: else -> break
        od;
        k = 0; w = 0;
        do :: k < N -> if :: config[k] >= CONFIG(b) -> w = w | (1 << k) :: else fi; k++ :: else -> break od;
        assert(prefix_held || QUORUM(w, CONFIG(b)));
        k = 0; w = 0
     :: else
     fi
  :: else
  fi
}

/* everything that is known chosen, up to the next stop-sign, in one step */
inline learn(a) {
  do
  :: committed[a] < S && chosen[committed[a]] != 0 && chosen[committed[a]] != STOP -> committed[a]++
  :: else -> break
  od;
  if
  :: committed[a] < S && chosen[committed[a]] == STOP -> committed[a]++; config[a]++
  :: else
  fi
}

/* falls back to what is surely on disk; promise and votes stay */
inline restart(a) {
  restarts++;
  do
  :: committed[a] > kept[a] ->
     committed[a]--;
     if :: chosen[committed[a]] == STOP -> config[a]-- :: else fi
  :: else -> break
  od;
  p = 1;
  do
  :: p <= B -> if :: OWNER(p) == a && phase[p] != IDLE -> phase[p] = LEADING; next[p] = S; open[p] = NONE; got[p] = 0; clear(p) :: else fi; p++
  :: else -> break
  od;
  p = 0
}

#ifdef NO_PREFIX
#define TAKES_PART(a,b) (IN(VOTERS(CONFIG(b)),a) && config[a] <= CONFIG(b))
#else
#define TAKES_PART(a,b) (IN(VOTERS(CONFIG(b)),a) && config[a] == CONFIG(b))
#endif
#define AT_WORK(b) (config[OWNER(b)] == CONFIG(b))
#ifdef TAKE_OVER
#define MAY_STOP(b) true
#define CHOSEN_TO(s) (((s) < 0 || chosen[0] != 0) && ((s) < 1 || chosen[1] != 0) && ((s) < 2 || chosen[2] != 0))
#define BARRIER(b) (open[b] == NONE || CHOSEN_TO(open[b]))
#else
#define MAY_STOP(b) (committed[OWNER(b)] == next[b])
#define BARRIER(b) (open[b] == NONE || committed[OWNER(b)] > open[b])
#endif
/* A single voter leaves nothing open, so 1 -> 3 begins with the stop-sign at once. */
#if defined(TAKE_OVER)
#define MAY_SERVE(b) true
#elif defined(REPLACE)
#define MAY_SERVE(b) false
#else
#define MAY_SERVE(b) ((b) != 1)
#endif
/* -DNARROW: ballot 1 reaches only voter 0, ballot 2 only 1 and 2, ballot 3 asks 0 and 1. A fault found in a part of
 * the behaviours is one of the whole. */
#ifdef NARROW
#define REACH(a,b) ((b)==1 -> (a)==0 : ((b)==2 -> (a)!=0 : true))
#define ASKS(a,b) ((b)==2 -> (a)!=0 : ((b)==3 -> (a)!=2 : true))
#define LOSS(b) false
#else
#define REACH(a,b) true
#define ASKS(a,b) true
/* A lost answer matters only where a lower ballot of the same configuration may be held back by it. */
#define LOSS(b) ((b) > 1 && CONFIG(b) == CONFIG((b)-1))
#endif

#define BALLOT(b) \
  :: d_step { b != 1 && phase[b] == IDLE && AT_WORK(b) && promised[OWNER(b)] < b -> phase[b] = PREPARING; ask(OWNER(b), b) } \
  :: d_step { phase[b] == PREPARING && AT_WORK(b) && QUORUM(got[b], CONFIG(b)) && committed[OWNER(b)] >= need[b] -> lead(b) } \
  :: d_step { phase[b] == LEADING && AT_WORK(b) && next[b] < S && BARRIER(b) && MAY_SERVE(b) -> \
       value[X(b,next[b])] = b; next[b]++ } \
  :: d_step { phase[b] == LEADING && AT_WORK(b) && next[b] < S && BARRIER(b) && MAY_STOP(b) -> \
       value[X(b,next[b])] = STOP; next[b] = S }
#define ASK(a,b) \
  :: d_step { phase[b] == PREPARING && ASKS(a,b) && TAKES_PART(a,b) && !IN(got[b],a) && promised[a] <= b && a != OWNER(b) -> ask(a, b) } \
  :: d_step { LOSS(b) && phase[b] != IDLE && TAKES_PART(a,b) && promised[a] < b -> promised[a] = b; sync(a) }
#define ACCEPT(a,b,s) \
  :: d_step { value[X(b,s)] != 0 && REACH(a,b) && TAKES_PART(a,b) && promised[a] <= b && !IN(votes[X(b,s)],a) -> accept(a, b, s) }
#if S > 3
#define ACCEPTS(a,b) ACCEPT(a,b,0) ACCEPT(a,b,1) ACCEPT(a,b,2) ACCEPT(a,b,3)
#elif S > 2
#define ACCEPTS(a,b) ACCEPT(a,b,0) ACCEPT(a,b,1) ACCEPT(a,b,2)
#else
#define ACCEPTS(a,b) ACCEPT(a,b,0) ACCEPT(a,b,1)
#endif
#if N > 3
#define ALL(b) BALLOT(b) ASK(0,b) ASK(1,b) ASK(2,b) ASK(3,b) ASK(4,b) \
  ACCEPTS(0,b) ACCEPTS(1,b) ACCEPTS(2,b) ACCEPTS(3,b) ACCEPTS(4,b)
#else
#define ALL(b) BALLOT(b) ASK(0,b) ASK(1,b) ASK(2,b) ACCEPTS(0,b) ACCEPTS(1,b) ACCEPTS(2,b)
#endif
#define NODE(a) \
  :: d_step { committed[a] < S && chosen[committed[a]] != 0 -> learn(a) } \
  :: d_step { restarts < RESTARTS && committed[a] > kept[a] -> restart(a) }

init {
  d_step {
    k = 0; do :: k < N -> config[k] = 1; k++ :: else -> break od; k = 0;
    /* ballot 1 leads from the start, its barrier lies before the slots looked at */
    phase[1] = LEADING; open[1] = NONE; next[1] = 0
  }
  do
  ALL(1) ALL(2) ALL(3)
#if B > 3
  ALL(4)
#endif
#if B > 4
  ALL(5)
#endif
#if B > 5
  ALL(6)
#endif
#ifndef TAKE_OVER
  NODE(0) NODE(1) NODE(2)
#endif
#if N > 3
  NODE(3) NODE(4)
#endif
  od
}
