/**
 * What a machine wants done, in order. The order is the durability rule of the whole system:
 * nothing behind a `persist` leaves this node before the facts of that `persist` are on disk.
 */
export type Effect<Peer, Message, Fact, Event, Timer extends string> =
  /** A barrier: no later `send` or `emit` leaves this node until these facts are on disk. */
  | { readonly type: 'persist'; readonly facts: readonly Fact[] }
  /** Written in order with the persisted ones, but nothing waits for it: losing it costs only time. */
  | { readonly type: 'record'; readonly facts: readonly Fact[] }
  /** To itself, a message arrives as an input after everything before it is on disk. */
  | { readonly type: 'send'; readonly to: Peer; readonly message: Message }
  /** Replaces a timer of the same name. */
  | { readonly type: 'set-timer'; readonly timer: Timer; readonly afterMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: Timer }
  | { readonly type: 'emit'; readonly event: Event };
