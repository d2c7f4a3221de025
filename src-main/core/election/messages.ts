/**
 * Bully's messages (Garcia-Molina 1982, section IV), with a pre-vote before them. They carry no ballot:
 * winning means "you may try"; who may lead is decided by a Paxos phase-1 quorum.
 */
export type ElectionMessage =
  /** "I hear no coordinator. Do you?" `attempt` numbers the sender's tries, so that late answers are recognised. */
  | { readonly type: 'pre-vote'; readonly attempt: number }
  | { readonly type: 'pre-vote-answer'; readonly attempt: number; readonly coordinatorAlive: boolean }
  /** To voters of higher rank: "I am about to try, unless you do." */
  | { readonly type: 'election'; readonly attempt: number }
  /** `fit`: I take over. `not-fit`: go on without me. `coordinator-alive`: there is nothing to take over. */
  | { readonly type: 'answer'; readonly attempt: number; readonly verdict: 'fit' | 'not-fit' | 'coordinator-alive' };
