/*
 * One lock, two owners: the session of A is renewed and may expire, the one of B stays alive. A resource checks tokens.
 * Time in ticks: TTL 2, A trusts its lease for 1, the delay after an invalidation is 1.
 *
 * SHOWS
 *   never_early      a session expires only when its last renewal in the log is a whole TTL old (L4)
 *   exclusive        a lock is granted only while nobody holds it, with a token above all before (L1, L2)
 *   delay_kept       no grant within the delay after an invalidation (L5)
 *   stopped_first    while A is awake, what it runs under the lock has ended before B is granted it
 *   fenced           the tokens that the resource accepts never go down (L3)
 * STEPS AND THE CODE
 *   RENEW, TRUST     services/session-keeper.ts: trust is counted from the moment a successful renewal was sent
 *   apply_renew      core/locks/sessions.ts renew: an older number changes nothing
 *   WATCH, EXPIRE    core/node/coordinator-duties.ts watch, overdueSessions: counted from when this coordinator applied the
 *                    renewal; takeOffice forgets everything, so a new one gives a full lease
 *   apply_expire     core/state-machine/apply-sessions.ts expire: void when the session was renewed since
 *   grant, end       core/locks/lock-table.ts request, release, endSession, vacate: a token is the slot of the grant
 *   DELAY            core/locks: the coordinator ends a delay by an entry that names the slot of the invalidation
 *   WRITE            the holder's write travels on its own and may arrive at any later time; the resource remembers the
 *                    largest token it has seen (L3 is the resource's part of the bargain)
 *   SLEEP            A's own looks at the clock stop, time does not; after waking it looks before it writes
 * ABSTRACTED
 *   The log is one sequence of applied entries (paxos.pml); entries on their way may be lost, come late, twice and in any
 *   order. All clocks run at one speed. One waiter. Slots are counted for grants and invalidations alone.
 *   -DNO_WRITES leaves the resource out, for a second session.
 * TWINS (each must fail)
 *   UNCONDITIONAL    an expiry takes effect although the session was renewed since it was proposed
 *   WALL_CLOCK       the coordinator counts on a clock that may jump
 *   NO_FULL_LEASE    a new coordinator counts from before it took office
 *   NO_TOKEN_CHECK   the resource takes every write
 *   NO_DELAY         the next waiter is granted at the invalidation
 *   DELAY_UNNAMED    the entry that ends a delay does not say which one
 *   TRUST_FROM_ANSWER  A counts its trust from the answer to a renewal, not from its sending (seen with DELAY=0: the
 *                    delay after an invalidation hides it)
 */
#define TTL 2
#define TRUST 1
#ifndef DELAY
#define DELAY 1
#endif
#ifndef RENEWALS
#define RENEWALS 2
#endif
#ifndef SLOTS
#define SLOTS 5
#endif
#ifndef SESSIONS
#define SESSIONS 2
#endif
#define A 1
#define B 2

hidden byte never_early, exclusive, delay_kept, stopped_first, fenced; /* claims: never set, they only label the assertions */

/* the replicated state */
bool alive = true;
byte renewal;              /* of A's session; goes on over sessions, so that a number is one of one session */
byte firstRenewal;
byte holder, token, slots;
bool waitsA, waitsB;
byte delayed;              /* slot of the invalidation whose delay runs, 0 none */
/* true time */
byte age;                  /* since the last renewal was applied */
byte delayAge;
/* the coordinator */
byte watched;              /* renewal it watches, +1 */
byte watchAge;
byte delayWatched;
byte delayWatchAge;
/* entries on their way: bits by renewal number, by slot, or one each */
byte renews, expires, delayEnds;
byte releases;             /* token that A gives back */
/* A's machine */
bool asleep;
byte sentAge, trustAge;
byte sent;                 /* renewal on its way whose answer is awaited, +1 */
bool answered;
byte holdsA, holdsB;       /* token under which each works, 0 none */
byte sessions = 1;
/* writes on their way, bits by token, and the resource */
byte writes;
byte largest;

#define OLDER(x,most) if :: x < most -> x++ :: else fi

inline grant(who) {
  assert(holder == 0 || exclusive);
  assert(delayed == 0 || delayAge >= DELAY || delay_kept);
  slots++;
  assert(slots > token || exclusive);
  if :: who == B && !asleep -> assert(holdsA == 0 || stopped_first) :: else fi;
  holder = who; token = slots; delayed = 0; delayAge = 0;
  if :: who == A -> waitsA = false :: else -> waitsB = false fi
}

inline next() {
  if
  :: slots < SLOTS && waitsB -> grant(B)
  :: slots < SLOTS && !waitsB && waitsA && alive -> grant(A)
  :: else
  fi
}

inline apply_expire(n) {
  expires = expires & ~(1 << n);
  if
#ifdef UNCONDITIONAL
  :: alive && n >= firstRenewal ->
#else
  :: alive && n == renewal ->
#endif
     assert(age >= TTL || never_early);
     alive = false; waitsA = false;
     if
     :: holder == A && slots < SLOTS ->
        holder = 0; slots++;
#ifdef NO_DELAY
        delayed = slots; delayAge = 0; next()
#else
        delayed = slots; delayAge = 0
#endif
     :: holder == A && slots == SLOTS -> holder = 0
     :: else
     fi
  :: else
  fi
}

inline apply_delay_end(s) {
#ifdef DELAY_UNNAMED
  if :: delayed != 0 -> end_delay() :: else fi
#else
  if :: delayed == s -> end_delay() :: else -> delayEnds = delayEnds & ~(1 << s) fi
#endif
}
inline end_delay() {
  assert(delayAge >= DELAY || delay_kept);
  delayed = 0; delayAge = 0; next()
}

inline tick() {
  OLDER(age, TTL); OLDER(watchAge, TTL); OLDER(sentAge, TRUST); OLDER(trustAge, TRUST);
  if :: delayed != 0 -> OLDER(delayAge, DELAY) :: else fi;
  if :: delayWatched != 0 -> OLDER(delayWatchAge, DELAY) :: else fi;
  /* awake, A looks at its clocks and ends what it runs in time */
  if :: !asleep && trustAge >= TRUST -> holdsA = 0 :: else fi
}

inline arrives(t) {
  writes = writes & ~(1 << t);
#ifdef NO_TOKEN_CHECK
  if
  :: true ->
#else
  if
  :: t >= largest ->
#endif
     assert(t >= largest || fenced);
     if :: t > largest -> largest = t :: else fi
  :: else
  fi
}

#ifdef NO_WRITES
#define WRITES false
#else
#define WRITES true
#endif
#define FREE (holder == 0 && delayed == 0)
#define RENEWED(n) \
  :: d_step { renews & (1<<n) -> renews = renews & ~(1<<n); \
       if :: alive && n > renewal -> renewal = n; age = 0 :: else fi; \
       if :: alive && sent == n + 1 -> answered = true :: else fi } \
  :: d_step { expires & (1<<n) -> apply_expire(n) } \
  :: d_step { alive && watched == n + 1 && renewal == n && watchAge >= TTL && !(expires & (1<<n)) -> expires = expires | (1<<n) }
#define SLOT(t) \
  :: d_step { delayEnds & (1<<t) -> apply_delay_end(t) } \
  :: d_step { writes & (1<<t) -> arrives(t) }

init {
  do
  :: d_step { true -> tick() }
  /* A */
  :: d_step { !asleep && alive && renewal < RENEWALS && sent == 0 -> sent = renewal + 2; renews = renews | (1 << (renewal + 1)); sentAge = 0; answered = false }
#ifdef TRUST_FROM_ANSWER
  :: d_step { !asleep && answered -> trustAge = 0; sent = 0; answered = false }
#else
  :: d_step { !asleep && answered -> trustAge = sentAge; sent = 0; answered = false; if :: trustAge >= TRUST -> holdsA = 0 :: else fi }
#endif
  :: d_step { sent != 0 && !answered -> sent = 0 }
  :: d_step { !asleep -> asleep = true }
  :: d_step { asleep -> asleep = false; if :: trustAge >= TRUST -> holdsA = 0 :: else fi }
  :: d_step { !asleep && alive && trustAge < TRUST && holder != A && !waitsA -> if :: FREE && slots < SLOTS -> grant(A) :: !FREE -> waitsA = true :: else fi }
  :: d_step { !asleep && alive && holder == A && trustAge < TRUST && holdsA == 0 && releases != token -> holdsA = token }
  :: d_step { WRITES && !asleep && holdsA != 0 -> writes = writes | (1 << holdsA) }
  :: d_step { !asleep && holdsA != 0 -> releases = holdsA; holdsA = 0 }
  /* a new session, with renewals of its own */
  :: d_step { !alive && sessions < SESSIONS && renewal < RENEWALS -> \
       sessions++; alive = true; renewal++; firstRenewal = renewal; age = 0; sent = 0; answered = false; trustAge = 0; holdsA = 0; releases = 0 }
  /* B */
  :: d_step { holder != B && !waitsB -> if :: FREE && slots < SLOTS -> grant(B) :: !FREE -> waitsB = true :: else fi }
  :: d_step { holder == B && holdsB == 0 -> holdsB = token }
  :: d_step { WRITES && holdsB != 0 -> writes = writes | (1 << holdsB) }
  :: d_step { holdsB != 0 -> if :: holder == B -> holder = 0; next() :: else fi; holdsB = 0 }
  /* the log */
  :: d_step { releases != 0 -> if :: holder == A && alive && token == releases -> releases = 0; holder = 0; next() :: else -> releases = 0 fi }
  RENEWED(0) RENEWED(1) RENEWED(2)
  SLOT(1) SLOT(2) SLOT(3) SLOT(4)
#if SLOTS > 4
  SLOT(5)
#endif
  /* the coordinator watches; a new one begins anew */
  :: d_step { alive && watched != renewal + 1 -> watched = renewal + 1; watchAge = 0 }
  :: d_step { delayed != 0 && delayWatched != delayed -> delayWatched = delayed; delayWatchAge = 0 }
  :: d_step { delayed != 0 && delayWatched == delayed && delayWatchAge >= DELAY -> delayEnds = delayEnds | (1 << delayed) }
#ifdef NO_FULL_LEASE
  :: d_step { watched != 0 -> watched = renewal + 1; watchAge = TTL }
#else
  :: d_step { watched != 0 -> watched = 0; watchAge = 0; delayWatched = 0; delayWatchAge = 0 }
#endif
#ifdef WALL_CLOCK
  :: d_step { watched != 0 -> watchAge = TTL }
#endif
  od
}
