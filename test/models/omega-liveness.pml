/*
 * The election in time, once the network is quiet: within LIMIT (default 60) tenths of a second somebody coordinates,
 * and a quorum that it reaches follows.
 *
 * SHOWS
 *   in_time   at LIMIT a coordinator leads and a quorum of the voters it is linked with follows its ballot (E4)
 *   rounds_stay  a voter that is not linked with a quorum never begins phase 1, so it raises no round (E2)
 *   few_rounds  no round above ROUNDS (default 14) is tried in that time; rounds 1 and 2 are old, each try skips up to one
 * FROM EVERY START of this kind: each voter follows, hears a coordinator that is gone (for another second) or nobody,
 *   its suspicion timer has any of some values, and it has promised nothing or one of two old ballots.
 * SCENARIOS (links do not change)
 *   default      3 voters, all linked
 *   CHAIN        3 voters, 0 - 1 - 2: the two ends do not see each other
 *   HIGHEST_GONE 3 voters, the one of highest rank is away
 *   CONSTRAINED  5 voters: 0, 1, 2 linked, 3 away, 4 (the highest rank) linked with 2 alone
 * STEPS AND THE CODE (src-main/core/election/bully.ts, one function each)
 *   pre_vote, challenge, try, follow, lost, defer_to, coordinator_heard, won; on_pre_vote and on_pre_vote_answer,
 *   on_election and on_answer, timers as in timerFired and onSuspectTimer; core/paxos/replica.ts for on_prepare (onPrepare,
 *   onRefuse) and on_heartbeat; durations of core/machine/timing.ts in tenths of a second, random parts chosen freely.
 *   ASKED_BY is notCoordinating in bully.ts; REFUSED is onRefusedByFollower in core/paxos/proposer.ts.
 *   node.ts: a promise to another ends the own attempt first and defers then, or hears.
 * ABSTRACTED
 *   Quiet means: a message arrives before any timer fires, and none is lost between linked voters, also not when its sender
 *   has given up meanwhile. An answer arrives with its question. Catching up, the log and the disk take no time.
 *   Candidates that meet again and again are parted by chance alone, which this model does not have: behaviours in which
 *   the suspicion timers of two voters run out in the same tenth of a second, after the start, are followed MEETINGS times
 *   (default 0) and then left out.
 * TWINS (each must fail)
 *   NO_NOT_FIT with RESTART  the classic rule: a stronger voter always says it takes over, and whoever waits for it starts
 *                            over when it does not. The weak ones never stop asking (CONSTRAINED)
 *   NO_PRE_VOTE              a voter that suspects tries at once
 *   NO_STEP_UP               rounds are not raised above those that refusals show
 *   FIRST_REFUSAL            the first voter that hears a coordinator ends phase 1, though a quorum would promise
 * WITHOUT (the election is slower, within the limit; test/unit/core/node/outbid.test.ts shows by how much)
 *   OWN_ECHO                 a voter tells the former coordinator that it hears a coordinator: the one that asks
 *   RETRY_AT_ONCE            a candidate that promised another does not wait for it
 */
#if defined(CONSTRAINED)
#define N 5
#define QUORUM_OF 3
#define LINKED(a,b) ((a)==3 || (b)==3 -> 0 : ((a)==4 -> (b)==2 : ((b)==4 -> (a)==2 : 1)))
#define AWAY(a) ((a)==3)
#else
#define N 3
#define QUORUM_OF 2
#if defined(CHAIN)
#define LINKED(a,b) ((a)==1 || (b)==1)
#define AWAY(a) false
#elif defined(HIGHEST_GONE)
#define LINKED(a,b) ((a)!=2 && (b)!=2)
#define AWAY(a) false
#else
#define LINKED(a,b) 1
#define AWAY(a) false
#endif
#endif
#ifndef LIMIT
#define LIMIT 60
#endif
/* Two rounds are old ones; each try takes the next or the one after it. */
#ifndef ROUNDS
#define ROUNDS 14
#endif
#ifndef MEETINGS
#define MEETINGS 0
#endif
#define OFF 255
#define BALLOT(r,i) ((r)*8+(i)+1)
#define ROUND(b) (((b)-1)/8)
#define OWNER(b) (((b)-1)%8)

#define FOLLOWING 0
#define PRE_VOTING 1
#define CHALLENGING 2
#define DEFERRING 3
#define TRYING 4
#define LEADING 5

hidden byte in_time, rounds_stay, few_rounds; /* claims: never set, they only label the assertions */

byte state[N];
byte suspect[N] = OFF;     /* timers: what is left, OFF when not set */
byte election[N] = OFF;
byte heartbeat[N] = OFF;
byte hears[N];             /* how much longer a coordinator is believed alive */
byte promised[N];
byte seen[N];              /* highest round */
byte own[N];
byte agree[N];             /* answers that count, bits */
byte asked[N];             /* voters of higher rank that have not answered yet, bits */
byte follows[N];           /* ballot of the coordinator heard last */
byte refusals[N];          /* voters that refused phase 1 because they hear a coordinator, bits */
byte meetings;             /* moments at which suspicion timers of two voters ran out together */
/* messages under way, bits of their receivers */
byte preVote[N];
byte elect[N];
byte prepare[N];
byte prepareOf[N];         /* under this ballot */
byte beat[N];
byte beatOf[N];
byte now;
hidden byte a, k, n, least;

inline links(x) {          /* k = bits of the voters x is linked with, n = how many with x */
  k = 0; n = 1; a = 0;
  do
  :: a < N -> if :: a != x && LINKED(x,a) && !AWAY(a) -> k = k | (1 << a); n++ :: else fi; a++
  :: else -> break
  od;
  a = 0
}

inline follow(x) { state[x] = FOLLOWING; election[x] = OFF; agree[x] = 0; asked[x] = 0; refusals[x] = 0 }
inline arm_suspicion_long(x) { if :: suspect[x] = 15 :: suspect[x] = 17 fi }
inline arm_retry(x) { if :: suspect[x] = 1 :: suspect[x] = 3 :: suspect[x] = 5 fi }

inline lost(x) {
  own[x] = 0; hears[x] = 0; heartbeat[x] = OFF;
  follow(x); arm_retry(x)
}
inline defer_to(x) {
  follow(x);
  if :: suspect[x] = 10 :: suspect[x] = 12 fi
}
inline coordinator_heard(x) {
  hears[x] = 15;
  if :: state[x] != FOLLOWING -> follow(x) :: else fi;
  arm_suspicion_long(x)
}
inline won(x) {
  state[x] = LEADING; suspect[x] = OFF; election[x] = OFF; hears[x] = 0; agree[x] = 0;
  follows[x] = own[x]; links(x); beat[x] = k; beatOf[x] = own[x]; heartbeat[x] = 3; k = 0; n = 0
}
inline try(x) {
  links(x);
  assert(n >= QUORUM_OF || rounds_stay);
  state[x] = TRYING; election[x] = 10; asked[x] = 0;
  if :: seen[x] = seen[x] + 1 :: seen[x] = seen[x] + 2 fi;
  assert(seen[x] <= ROUNDS || few_rounds);
  own[x] = BALLOT(seen[x],x); promised[x] = own[x];
  agree[x] = 1 << x; prepare[x] = k; prepareOf[x] = own[x]; k = 0; n = 0
}
inline challenge(x) {
  links(x);
  asked[x] = k & ~((1 << (x + 1)) - 1); agree[x] = 0; k = 0; n = 0;
  if
  :: asked[x] == 0 -> try(x)
  :: else -> state[x] = CHALLENGING; elect[x] = asked[x]; election[x] = 4
  fi
}
inline pre_vote(x) {
#ifdef NO_PRE_VOTE
  challenge(x)
#else
  links(x);
  state[x] = PRE_VOTING; agree[x] = 1 << x; preVote[x] = k; election[x] = 4; suspect[x] = OFF; k = 0; n = 0
#endif
}

/* Whoever asks is not believed to coordinate any more: it would not ask. */
#ifdef OWN_ECHO
#define ASKED_BY(x,p) skip
#else
#define ASKED_BY(x,p) if :: hears[x] > 0 && follows[x] != 0 && OWNER(follows[x]) == (p) -> hears[x] = 0 :: else fi
#endif
#define ALIVE(x) (state[x] == LEADING || hears[x] > 0)
#define HEARS_OTHER(x,p) (state[x] == LEADING || (hears[x] > 0 && (follows[x] == 0 || OWNER(follows[x]) != (p))))
#define COUNT(m) (((m)&1) + (((m)>>1)&1) + (((m)>>2)&1) + (((m)>>3)&1) + (((m)>>4)&1))

inline on_pre_vote(x, p) {
  preVote[p] = preVote[p] & ~(1 << x);
  ASKED_BY(x,p);
  if
  :: state[p] != PRE_VOTING
  :: state[p] == PRE_VOTING && ALIVE(x) -> lost(p)
  :: else ->
     agree[p] = agree[p] | (1 << x);
     if :: COUNT(agree[p]) >= QUORUM_OF -> challenge(p) :: else fi
  fi
}

#ifdef NO_NOT_FIT
#define FIT(n) true
#else
#define FIT(n) (n >= QUORUM_OF)
#endif

inline on_election(x, p) {
  elect[p] = elect[p] & ~(1 << x);
  ASKED_BY(x,p);
  if
  :: ALIVE(x) -> if :: state[p] == CHALLENGING -> lost(p) :: else fi
  :: else ->
     links(x); k = 0;
     if
     :: FIT(n) ->
        n = 0;
        if :: state[p] == CHALLENGING -> state[p] = DEFERRING; election[p] = 8 :: else fi;
        if :: state[x] == FOLLOWING -> pre_vote(x) :: else fi
     :: else ->
        n = 0; asked[p] = asked[p] & ~(1 << x);
        if :: state[p] == CHALLENGING && asked[p] == 0 -> try(p) :: else fi
     fi
  fi
}

#ifdef FIRST_REFUSAL
#define REFUSED(p) true
#else
#define REFUSED(p) (N - COUNT(refusals[p]) < QUORUM_OF)
#endif

inline refused(x, p, b) {
#ifndef NO_STEP_UP
  if :: ROUND(promised[x]) > seen[p] -> seen[p] = ROUND(promised[x]) :: else fi;
#endif
  if :: own[p] == b -> lost(p) :: else fi
}

inline on_prepare(x, p) {
  prepare[p] = prepare[p] & ~(1 << x);
  if :: ROUND(prepareOf[p]) > seen[x] -> seen[x] = ROUND(prepareOf[p]) :: else fi;
  if
  :: promised[x] > prepareOf[p] -> refused(x, p, prepareOf[p])
  :: promised[x] <= prepareOf[p] && HEARS_OTHER(x,p) ->
     if
     :: state[p] == TRYING && own[p] == prepareOf[p] ->
        refusals[p] = refusals[p] | (1 << x);
        if :: REFUSED(p) -> lost(p) :: else fi
     :: else
     fi
  :: else ->
     promised[x] = prepareOf[p];
#ifdef RETRY_AT_ONCE
     if :: own[x] != 0 -> lost(x) :: else -> defer_to(x) fi;
#else
     if :: own[x] != 0 -> lost(x) :: else fi;
     defer_to(x);
#endif
     if
     :: state[p] == TRYING && own[p] == prepareOf[p] ->
        agree[p] = agree[p] | (1 << x);
        if :: COUNT(agree[p]) >= QUORUM_OF -> won(p) :: else fi
     :: else
     fi
  fi
}

inline on_heartbeat(x, p) {
  beat[p] = beat[p] & ~(1 << x);
  if :: ROUND(beatOf[p]) > seen[x] -> seen[x] = ROUND(beatOf[p]) :: else fi;
  if
  :: promised[x] > beatOf[p] -> refused(x, p, beatOf[p])
  :: else ->
     promised[x] = beatOf[p]; follows[x] = beatOf[p];
     if :: own[x] != 0 -> lost(x) :: else fi;
     coordinator_heard(x)
  fi
}

inline on_suspect_timer(x) {
  suspect[x] = OFF;
  if
  :: state[x] != FOLLOWING
  :: state[x] == FOLLOWING && hears[x] > 0 -> arm_suspicion_long(x)
  :: else -> pre_vote(x)
  fi
}

inline on_election_timer(x) {
  election[x] = OFF;
  if
  :: state[x] == PRE_VOTING || state[x] == TRYING -> lost(x)
  :: state[x] == CHALLENGING -> try(x)
  :: state[x] == DEFERRING ->
#ifdef RESTART
     lost(x)
#else
     try(x)
#endif
  :: else
  fi
}

inline on_heartbeat_timer(x) { links(x); beat[x] = k; beatOf[x] = own[x]; heartbeat[x] = 3; k = 0; n = 0 }

#define EARLIEST(t) if :: t < least -> least = t :: else fi
#define PASS(t) if :: t != OFF -> t = t - least :: else fi

inline settled() {         /* n = voters that follow a coordinator that leads */
  a = 0; n = 0; k = 0;
  do :: a < N -> if :: state[a] == LEADING && own[a] > k -> k = own[a] :: else fi; a++ :: else -> break od;
  a = 0;
  do :: a < N -> if :: k != 0 && follows[a] == k && promised[a] == k -> n++ :: else fi; a++ :: else -> break od;
  assert(n >= QUORUM_OF || in_time);
  a = 0; n = 0; k = 0
}

/* nothing is due and no message is under way: time passes to the next timer */
inline pass() {
  least = LIMIT - now; a = 0;
  do
  :: a < N -> EARLIEST(suspect[a]); EARLIEST(election[a]); EARLIEST(heartbeat[a]); a++
  :: else -> break
  od;
  a = 0;
  do
  :: a < N ->
     PASS(suspect[a]); PASS(election[a]); PASS(heartbeat[a]);
     if :: hears[a] > least -> hears[a] = hears[a] - least :: else -> hears[a] = 0 fi;
     a++
  :: else -> break
  od;
  now = now + least; a = 0; least = 0; n = 0;
  do :: a < N -> if :: suspect[a] == 0 -> n++ :: else fi; a++ :: else -> break od;
  a = 0;
  if :: n > 1 -> meetings++ :: else fi;
  n = 0
}

inline begin() {
  n = 0;
  do
  :: n < N ->
     if
     :: AWAY(n)
     :: !AWAY(n) -> suspect[n] = 0
     :: !AWAY(n) -> suspect[n] = 4
     :: !AWAY(n) -> suspect[n] = 12; hears[n] = 10
     fi;
     if
     :: true
     :: !AWAY(n) -> promised[n] = BALLOT(1,0); seen[n] = 1
     :: !AWAY(n) -> promised[n] = BALLOT(2,N-1); seen[n] = 2
     fi;
     n++
  :: else -> break
  od;
  n = 0
}

#define TIMERS(x) \
  :: atomic { suspect[x] == 0 && QUIET -> on_suspect_timer(x) } \
  :: atomic { election[x] == 0 && QUIET -> on_election_timer(x) } \
  :: atomic { heartbeat[x] == 0 && QUIET -> on_heartbeat_timer(x) }
#define PAIR(x,p) \
  :: atomic { preVote[p] & (1<<x) -> on_pre_vote(x, p) } \
  :: atomic { elect[p] & (1<<x) -> on_election(x, p) } \
  :: atomic { prepare[p] & (1<<x) -> on_prepare(x, p) } \
  :: atomic { beat[p] & (1<<x) -> on_heartbeat(x, p) }
#if N > 3
#define QUIET ((preVote[0]|preVote[1]|preVote[2]|preVote[4]|elect[0]|elect[1]|elect[2]|elect[4]| \
  prepare[0]|prepare[1]|prepare[2]|prepare[4]|beat[0]|beat[1]|beat[2]|beat[4]) == 0)
#else
#define QUIET ((preVote[0]|preVote[1]|preVote[2]|elect[0]|elect[1]|elect[2]| \
  prepare[0]|prepare[1]|prepare[2]|beat[0]|beat[1]|beat[2]) == 0)
#endif

init {
  atomic { begin() }
  do
  TIMERS(0) TIMERS(1) TIMERS(2)
  PAIR(0,1) PAIR(0,2) PAIR(1,0) PAIR(1,2) PAIR(2,0) PAIR(2,1)
#if N > 3
  TIMERS(4)
  PAIR(2,4) PAIR(4,2)
#endif
  :: atomic { timeout && now < LIMIT && meetings <= MEETINGS -> pass() }
  :: atomic { now == LIMIT && QUIET && meetings <= MEETINGS -> settled(); break }
  od
}
