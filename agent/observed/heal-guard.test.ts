import { describe, expect, it } from 'vitest'
import { guardHeal, mostHeals, type Heal } from './heal-guard.ts'

const minute = 60_000
const start = 1_700_000_000_000

/** Heals as often as the guard lets it, for so long. */
const healAll = (forMs: number): { heals: Heal[]; flapping: boolean[] } => {
  const heals: Heal[] = []
  const flapping: boolean[] = []
  for (let now = start; now < start + forMs; now += 1_000) {
    const { waitMs, isFlapping } = guardHeal(heals, ['web'], now)
    flapping.push(isFlapping)
    if (waitMs === 0) heals.push({ service: 'web', atMs: now })
  }
  return { heals, flapping }
}

describe('the guard of healing', () => {
  it('lets the first heal through, and makes each next one wait longer', () => {
    const { heals } = healAll(2 * minute)
    expect(heals.map((h) => (h.atMs - start) / 1000)).toEqual([0, 5, 15, 35, 75])
  })

  it('lets no more than its number through in any ten minutes, and says that it flaps', () => {
    const { heals, flapping } = healAll(60 * minute)
    for (const { atMs } of heals) {
      const inWindow = heals.filter((h) => h.atMs >= atMs && h.atMs < atMs + 10 * minute)
      expect(inWindow.length).toBeLessThanOrEqual(mostHeals)
    }
    expect(flapping[74]).toBe(false)
    expect(flapping[80]).toBe(true)
  })

  it('does not keep another service from being healed, and is not healed with it', () => {
    const { heals } = healAll(2 * minute)
    const now = start + 2 * minute
    expect(guardHeal(heals, ['web'], now).isFlapping).toBe(true)
    expect(guardHeal(heals, ['db', 'web'], now)).toEqual({
      waitMs: 0,
      isFlapping: false,
      blocked: ['web'],
    })
  })

  it('does not wait for a time that the clock was set back from', () => {
    const { heals } = healAll(2 * minute)
    expect(guardHeal(heals, ['web'], start - 24 * 60 * minute).waitMs).toBe(0)
  })
})
