// Random changes under random faults, for as many rounds as are asked for; each must end in exactly
// what is declared. STAGELY_CHAOS_SEED repeats a run, STAGELY_CHAOS_ROUNDS says how many rounds.
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import { createPlace, type Place } from '../support/chaos/place.ts'
import { startChaos, type Chaos } from '../support/chaos/rounds.ts'
import { leaksIn } from '../support/chaos/sinks.ts'
import { soak } from '../support/soak.ts'

const seed = Number(process.env['STAGELY_CHAOS_SEED'] ?? 7)
const rounds = Number(process.env['STAGELY_CHAOS_ROUNDS'] ?? soak(1, 100))
const histories = Number(process.env['STAGELY_CHAOS_HISTORIES'] ?? soak(3, 50))
const roundLimitMs = 300_000

const summary = ({ tally }: Chaos): string => {
  const settled = [...tally.settleMs].sort((a, b) => a - b)
  const at = (share: number): string =>
    `${((settled[Math.floor((settled.length - 1) * share)] ?? 0) / 1000).toFixed(1)} s`
  const faults = [...tally.faults].sort().map(([name, count]) => `${name}: ${count}`)
  const total = [...tally.faults.values()].reduce((sum, n) => sum + n, 0)
  return [
    `chaos, seed ${seed}: ${tally.rounds} rounds, ${tally.changes} changes, ${total} faults (${faults.join(', ')})`,
    `  from the last fault to the declared state: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)}`,
    `  containers that nothing was wanted of, and that were left alone: ${tally.untouched}`,
  ].join('\n')
}

describeAsRoot('a stack under random faults', () => {
  let place: Place
  let chaos: Chaos

  beforeAll(async () => {
    console.info(`chaos: seed ${seed}, ${rounds} rounds`)
    place = await createPlace(inject('postgresUrl'))
    chaos = await startChaos(place, seed)
  }, 300_000)
  afterAll(async () => {
    await chaos?.stop()
    await place?.remove()
  }, 120_000)

  it(
    'has receipts of exposure whose every interval equals the events of the engine within a second',
    async () => {
      await chaos.exposures.look()
      let intervals = 0
      for (let i = 1; i <= histories; i++) {
        await chaos.history()
        if (i % 5 !== 0 && i < histories) continue
        const compared = await chaos.exposures.compare()
        expect(compared.wrong).toEqual([])
        intervals += compared.intervals
      }
      console.info(`exposure, seed ${seed}: ${histories} histories, ${intervals} intervals`)
      expect(intervals).toBeGreaterThan(histories)
    },
    histories * roundLimitMs,
  )

  it(
    'is exactly what is declared after each round, and nothing else was touched',
    async () => {
      try {
        for (let i = 1; i <= rounds; i++) {
          await chaos.round()
          if (i % 25 === 0) console.info(summary(chaos))
        }
      } finally {
        console.info(summary(chaos))
      }
      expect(chaos.tally.rounds).toBe(histories + rounds)
    },
    rounds * roundLimitMs,
  )

  it('has put no value anywhere it does not belong', async () => {
    expect(await leaksIn(place, true)).toEqual([])
  })
})
