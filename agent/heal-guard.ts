// Healing that does not last is not repeated for ever: a pause that grows, and so many for each
// service in ten minutes. Pure.

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

/** Those that still count; what lies in the future was noted before the clock was set back. */
export const recentHeals = (heals: readonly Heal[], nowMs: number): Heal[] =>
  heals.filter(({ atMs }) => atMs <= nowMs && nowMs - atMs < windowMs)

export interface HealGuard {
  /** Before any of the services may be healed. */
  readonly waitMs: number
  /** Their heals are used up. */
  readonly isFlapping: boolean
  /** Those that are to be left alone while others are healed. */
  readonly blocked: readonly string[]
}

/** Each service is guarded for itself: one that flaps keeps no other from being healed, nor is it taken along. */
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
