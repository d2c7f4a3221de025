/** Every model in `test/models` with the variants that are checked: the protocol as it is, and twins that must fail. */

export interface Variant {
  /** File name in `test/models` without its ending. */
  readonly model: string;
  /** Preprocessor definitions: bounds of the search, or the fault of a twin. */
  readonly defines: readonly string[];
  /** Empty: all claims hold in every state. Otherwise one of these claims must be found violated. */
  readonly claims: readonly string[];
  /** Part of the slice that `npm test` runs. */
  readonly quick: boolean;
  /** Not optimised: it has few states and much code. */
  readonly builtPlainly: boolean;
  /** Takes more than a minute or two, or more than 2 GB: only with `--all`. */
  readonly long: boolean;
}

const holds = (model: string, ...defines: string[]): Variant => ({
  model,
  defines,
  claims: [],
  quick: false,
  builtPlainly: false,
  long: false,
});
const fails = (claim: string | readonly string[], model: string, ...defines: string[]): Variant => ({
  model,
  defines,
  claims: typeof claim === 'string' ? [claim] : claim,
  quick: false,
  builtPlainly: false,
  long: false,
});
const plain = (variant: Variant): Variant => ({ ...variant, builtPlainly: true });
const long = (variant: Variant): Variant => ({ ...variant, long: true });
const quick = (variant: Variant): Variant => ({ ...variant, quick: true });

/** The longest ones come first in each model, so that two lanes end at about the same time. */
export const variants: readonly Variant[] = [
  holds('paxos'),
  holds('paxos', 'CRASHES=0', 'LEARN_ALL'),
  holds('paxos', 'CRASHES=0', 'AGAIN'),
  quick(holds('paxos', 'S=1', 'AGAIN')),
  quick(fails('agreement', 'paxos', 'S=1', 'AMNESIA')),
  fails('one_completion', 'paxos', 'S=1', 'OWN_PROMISE_LATE'),
  quick(fails('agreement', 'paxos', 'S=1', 'CRASHES=0', 'FIRST_VOTE')),
  fails('acked_survives', 'paxos', 'S=1', 'CRASHES=0', 'ACK_EARLY'),
  fails('agreement', 'paxos', 'S=1', 'CRASHES=0', 'NO_CATCH_UP'),
  fails('agreement', 'paxos', 'S=1', 'CRASHES=0', 'FOLLOW_ANY_VOTE'),
  fails('fresh_reads', 'paxos', 'S=1', 'CRASHES=0', 'NO_BARRIER'),

  holds('omega', 'R=2', 'STARTS=2', 'HAND_OVERS=1'),
  holds('omega', 'R=2', 'STARTS=3', 'CRASHES=0', 'HAND_OVERS=1', 'NO_LOG'),
  quick(holds('omega')),
  quick(fails('agreement', 'omega', 'OBEY_WITHOUT_BALLOT')),
  quick(fails('undeposed', 'omega', 'NO_REFUSAL')),
  fails('undeposed', 'omega', 'PREEMPT_BY_RANK'),
  fails('undeposed', 'omega', 'R=2', 'STARTS=2', 'CRASHES=0', 'UNASKED'),
  fails('undeposed', 'omega', 'R=2', 'STARTS=3', 'CRASHES=0', 'HAND_OVERS=1', 'NO_LOG', 'ANY_LEAVE'),
  fails('undeposed', 'omega', 'R=2', 'STARTS=3', 'CRASHES=0', 'HAND_OVERS=1', 'NO_LOG', 'LATE_LEAVE'),
  fails('one_completion', 'omega', 'OWN_PROMISE_LATE'),

  plain(holds('omega-liveness')),
  long(plain(holds('omega-liveness', 'MEETINGS=1'))),
  plain(holds('omega-liveness', 'CHAIN')),
  plain(holds('omega-liveness', 'HIGHEST_GONE')),
  plain(fails('rounds_stay', 'omega-liveness', 'HIGHEST_GONE', 'NO_PRE_VOTE')),
  plain(fails('few_rounds', 'omega-liveness', 'FIRST_REFUSAL')),
  plain(fails('in_time', 'omega-liveness', 'CONSTRAINED', 'NO_NOT_FIT', 'RESTART')),

  holds('stopsign'),
  holds('stopsign', 'TAKE_OVER', 'NARROW'),
  long(holds('stopsign', 'TAKE_OVER')),
  holds('stopsign', 'REPLACE=1', 'S=2'),
  holds('stopsign', 'REPLACE=2', 'S=2'),
  fails('prefix_held', 'stopsign', 'REPLACE=1', 'S=2', 'NO_PREFIX'),
  long(holds('stopsign', 'REPLACE=1')),
  long(holds('stopsign', 'REPLACE=2')),
  quick(fails('agreement', 'stopsign', 'EFFECT_ON_RECEIVE')),
  fails('nothing_behind', 'stopsign', 'OPEN_AFTER_STOP'),
  fails('nothing_behind', 'stopsign', 'TAKE_OVER', 'NARROW', 'CUT_ALWAYS'),
  fails('nothing_behind', 'stopsign', 'TAKE_OVER', 'NARROW', 'CUT_NEVER'),
  fails('prefix_held', 'stopsign', 'NO_PREFIX'),

  holds('session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4'),
  quick(holds('session-lock', 'SESSIONS=2', 'RENEWALS=1', 'NO_WRITES')),
  quick(fails('never_early', 'session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4', 'UNCONDITIONAL')),
  fails('never_early', 'session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4', 'WALL_CLOCK'),
  fails('never_early', 'session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4', 'NO_FULL_LEASE'),
  quick(fails('fenced', 'session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4', 'NO_TOKEN_CHECK')),
  fails('delay_kept', 'session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4', 'NO_DELAY'),
  fails('delay_kept', 'session-lock', 'SESSIONS=2', 'RENEWALS=1', 'NO_WRITES', 'DELAY_UNNAMED'),
  fails('stopped_first', 'session-lock', 'SESSIONS=1', 'RENEWALS=1', 'SLOTS=4', 'DELAY=0', 'TRUST_FROM_ANSWER'),

  holds('task-attempt'),
  quick(fails('one_result', 'task-attempt', 'NO_MATCH')),
  quick(fails('lease_first', 'task-attempt', 'NO_LEASE_END')),
  fails('never_twice', 'task-attempt', 'OVER_FORGOTTEN'),
  fails('not_lost', 'task-attempt', 'END_KEEPS_TASK'),
];
