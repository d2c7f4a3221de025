/** Durations and instants as people read them. */

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A duration in its two largest units: `240 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < 1) return ms === 0 ? '0 s' : `${ms.toFixed(1)} ms`;
  if (ms < secondMs) return `${Math.round(ms)} ms`;
  if (ms < 10 * secondMs) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)} s`;
  if (ms < hourMs) return pair(ms, minuteMs, 'min', secondMs, 's');
  if (ms < dayMs) return pair(ms, hourMs, 'h', minuteMs, 'min');
  return pair(ms, dayMs, 'd', hourMs, 'h');
}

/** Whole seconds and above, for ages and countdowns that tick once a second. */
export function formatAge(ageMs: number): string {
  return ageMs < secondMs ? '0 s' : formatDuration(Math.floor(ageMs / secondMs) * secondMs).replace('.0 s', ' s');
}

/** "4 s ago", "3 min ago", "just now", in one unit; never a negative age, because two machines' clocks differ. */
export function formatAgo(at: number, now: number): string {
  const ageMs = now - at;
  if (ageMs < 2 * secondMs) return 'just now';
  const unit = ageMs < minuteMs ? secondMs : ageMs < hourMs ? minuteMs : ageMs < dayMs ? hourMs : dayMs;
  return `${formatAge(Math.floor(ageMs / unit) * unit)} ago`;
}

/** The time of day, with the date when it is another day. */
export function formatClock(at: number, now: number): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  return date.toDateString() === new Date(now).toDateString()
    ? time
    : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${time}`;
}

/** A duration as the command line takes it: the largest unit that divides it. */
export function durationFlag(durationMs: number): string {
  const ms = Math.round(durationMs);
  if (ms % hourMs === 0) return `${ms / hourMs}h`;
  if (ms % minuteMs === 0) return `${ms / minuteMs}m`;
  if (ms % secondMs === 0) return `${ms / secondMs}s`;
  return `${ms}ms`;
}

function pair(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const whole = Math.floor(ms / largeMs);
  const rest = Math.floor((ms % largeMs) / smallMs);
  return rest === 0 ? `${whole} ${large}` : `${whole} ${large} ${rest} ${small}`;
}
