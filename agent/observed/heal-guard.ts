// Limits healing that does not last: the pauses grow, and each service is healed only a few times in ten minutes. Pure.

export interface Heal {
  readonly service: string
  readonly atMs: number
}

const windowMs = 10 * 60_000
export const mostHeals = 5

const longestDelayMs = 300_000

/** 5 s doubling to 5 min. */
export const delayAfter = (failures: number): number =>
  Math.min(5_000 * 2 ** Math.min(failures - 1, 10), longestDelayMs)

/** Healings that still count. One in the future was noted before the clock was set back. */
export const recentHeals = (heals: readonly Heal[], nowMs: number): Heal[] =>
  heals.filter(({ atMs }) => atMs <= nowMs && nowMs - atMs < windowMs)

export interface HealGuard {
  /** How long no service may be healed. */
  readonly waitMs: number
  /** All services were healed too often. */
  readonly isFlapping: boolean
  /** Services that must be left alone while others are healed. */
  readonly blocked: readonly string[]
}

/** Each service has a limit of its own: one that flaps keeps no other from being healed. */
export const guardHeal = (
  heals: readonly Heal[],
  services: readonly string[],
  nowMs: number,
): HealGuard => {
  const guards = services.map((service) => {
    const own = recentHeals(heals, nowMs).filter((h) => h.service === service)
    const [first, last] = [own[0], own.at(-1)]
    if (first === undefined || last === undefined) return { service, waitMs: 0, isFlapping: false }
    const isFlapping = own.length >= mostHeals
    const until = isFlapping ? first.atMs + windowMs : last.atMs + delayAfter(own.length)
    return { service, waitMs: Math.max(0, until - nowMs), isFlapping }
  })
  const next = guards.sort((a, b) => a.waitMs - b.waitMs)[0]
  const blocked = guards.filter((g) => g.waitMs > 0).map((g) => g.service)
  return { waitMs: next?.waitMs ?? 0, isFlapping: next?.isFlapping ?? false, blocked }
}
