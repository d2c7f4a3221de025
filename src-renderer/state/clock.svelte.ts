/**
 * Time for the screen. Ages and countdowns all read this one clock, so the page wakes once a second and not once
 * per row. `elapsedMs` is monotonic: countdowns never trust a wall clock.
 */
export class Clock {
  wallTime = $state(Date.now());
  elapsedMs = $state(performance.now());
  #timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), 1_000);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  tick(): void {
    this.wallTime = Date.now();
    this.elapsedMs = performance.now();
  }
}
