/*
 * One task, two workers, up to ATTEMPTS attempts: assigned, lost with its session, assigned again, finished, cancelled.
 *
 * SHOWS
 *   one_result    at most one result is accepted, and it is that of the live attempt of a living session (T2)
 *   lease_first   an attempt is assigned only while none is live: the one before ended in the log (T3)
 *   fresh_token   tokens of attempts grow
 *   never_twice   a machine begins the program of an attempt at most once
 *   cancelled_stays  after a cancellation in the log no result is accepted (T5, the log's part)
 *   not_lost      the task is waiting, live or final, and live means a living session (T1, the log's part)
 * STEPS AND THE CODE
 *   PLACE         core/node/coordinator-duties.ts placements: decided on a state that may be old by the time of the entry
 *   apply_assign  core/tasks/task-table.ts assign, core/state-machine/apply-tasks.ts assign: it still waits, the session
 *                 lives, the number is the next; the token is the slot
 *   apply_end     apply-sessions.ts endSession, task-table.ts loseSession
 *   apply_finish  task-table.ts finish, core/tasks/job.ts isCurrent: number, token and session of the live attempt
 *   apply_cancel  task-table.ts cancel
 *   SEE, BEGIN    services/executor.ts heard, reconcile, begin: a worker knows the log up to some entry, begins what is
 *                 its own there, and ends what no longer is
 *   END           executor.ts see, attempt-reports.ts: the report names attempt and token, and is sent until it is answered
 *   RESTART       a new run of the machine opens a new session, which ends the old one (core/locks/sessions.ts open)
 * ABSTRACTED
 *   The log is one sequence of applied entries (paxos.pml); entries on their way may be lost, come late, twice and in any
 *   order. Files, retries by verdict and consent are left out. That two programs never run at the same moment is not
 *   claimed: a machine that vanished may still run one.
 * TWINS (each must fail)
 *   NO_LEASE_END      a second attempt is assigned while the first is live
 *   NO_MATCH          a result counts without the number and token of the live attempt
 *   OVER_FORGOTTEN    a machine forgets that an attempt ended here while the log still has it live
 *   END_KEEPS_TASK    the end of a session leaves its attempts live
 */
#ifndef ATTEMPTS
#define ATTEMPTS 3
#endif
#define W 2
#define WAITING 0
#define LIVE 1
#define DONE 2
#define CANCELLED 3
#define BITS(t) (1 << (t))

hidden byte one_result, lease_first, fresh_token, never_twice, cancelled_stays, not_lost; /* claims: never set, they only label the assertions */

/* the replicated state */
byte state = WAITING;
byte attempt;              /* number of the latest */
byte token;                /* and its slot */
byte worker;
byte boot[W];               /* which run of the machine its session belongs to; */
bool alive[W] = true;      /* whether it lives */
byte session;              /* run of the live attempt */
byte slots, accepted;
bool cancelled;
/* entries on their way */
byte places[W];            /* bits by attempt number */
byte reports[W];           /* bits by token */
byte ends[W];              /* bits by run */
bool cancels;
/* machines */
byte self[W];              /* the own run */
byte seen[W];              /* token of the live attempt of its own, as far as it knows; 0 none */
byte running[W];
byte begun[W], over[W];    /* bits by token */
byte restarts;

inline apply_assign(w, n) {
  places[w] = places[w] & ~BITS(n);
  if
#ifdef NO_LEASE_END
  :: (state == WAITING || state == LIVE) && alive[w] && n == attempt + 1 ->
#else
  :: state == WAITING && alive[w] && n == attempt + 1 ->
#endif
     assert(state != LIVE || lease_first);
     slots++;
     assert(slots > token || fresh_token);
     state = LIVE; attempt = n; token = slots; worker = w; session = boot[w]
  :: else
  fi
}

inline end_session(w) {
  alive[w] = false;
#ifndef END_KEEPS_TASK
  if :: state == LIVE && worker == w && session == boot[w] -> state = WAITING :: else fi;
#endif
  assert(state != LIVE || worker != w || session != boot[w] || not_lost)
}

inline apply_end(w, r) {
  ends[w] = ends[w] & ~BITS(r);
  if :: alive[w] && boot[w] == r -> end_session(w) :: else fi
}

inline apply_report(w, t) {
  if
#ifdef NO_MATCH
  :: state == LIVE && t != 0 ->
#else
  :: state == LIVE && t == token && worker == w && session == boot[w] && alive[w] ->
#endif
     accepted++;
     assert((accepted == 1 && t == token && worker == w && alive[w]) || one_result);
     assert(!cancelled || cancelled_stays);
     state = DONE
  :: else
  fi
}

inline apply_cancel() {
  if :: state != DONE -> state = CANCELLED; cancelled = true :: else fi
}

/* the machine catches up with the log */
inline see(w) {
  if
  :: state == LIVE && worker == w && session == self[w] && alive[w] && boot[w] == self[w] -> seen[w] = token
  :: else -> seen[w] = 0
  fi;
  if :: running[w] != 0 && running[w] != seen[w] -> running[w] = 0 :: else fi;
  if :: seen[w] == 0 -> over[w] = 0 :: else fi
}

inline begin(w) {
  running[w] = seen[w];
  assert(!(begun[w] & BITS(seen[w])) || never_twice);
  begun[w] = begun[w] | BITS(seen[w])
}

inline end(w) {
  reports[w] = reports[w] | BITS(running[w]);
#ifndef OVER_FORGOTTEN
  over[w] = over[w] | BITS(running[w]);
#endif
  running[w] = 0
}

inline restart(w) {
  restarts++; self[w]++; seen[w] = 0; running[w] = 0; over[w] = 0
}

#ifdef NO_LEASE_END
#define MAY_PLACE (state == WAITING || state == LIVE)
#else
#define MAY_PLACE (state == WAITING)
#endif
#define ATTEMPT(w,n) \
  :: d_step { MAY_PLACE && attempt + 1 == n && n <= ATTEMPTS && alive[w] && !(places[w] & BITS(n)) -> places[w] = places[w] | BITS(n) } \
  :: d_step { (places[w] & BITS(n)) && n <= ATTEMPTS -> apply_assign(w, n) } \
  :: d_step { reports[w] & BITS(n) -> apply_report(w, n) }
#define WORKER(w) \
  ATTEMPT(w,1) ATTEMPT(w,2) ATTEMPT(w,3) ATTEMPT(w,4) \
  :: d_step { alive[w] && !(ends[w] & BITS(boot[w])) -> ends[w] = ends[w] | BITS(boot[w]) } \
  :: d_step { ends[w] & BITS(0) -> apply_end(w, 0) } \
  :: d_step { ends[w] & BITS(1) -> apply_end(w, 1) } \
  :: d_step { ends[w] & BITS(2) -> apply_end(w, 2) } \
  :: d_step { self[w] > boot[w] && boot[w] < 2 -> if :: alive[w] -> end_session(w) :: else fi; boot[w] = self[w]; alive[w] = true } \
  :: d_step { true -> see(w) } \
  :: d_step { seen[w] != 0 && running[w] == 0 && !(over[w] & BITS(seen[w])) -> begin(w) } \
  :: d_step { running[w] != 0 -> end(w) } \
  :: d_step { restarts < 2 && self[w] == boot[w] -> restart(w) }

init {
  do
  WORKER(0)
  WORKER(1)
  :: d_step { !cancels && !cancelled -> cancels = true }
  :: d_step { cancels -> cancels = false; apply_cancel() }
  od
}
