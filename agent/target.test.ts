import { describe, expect, it } from 'vitest'
import { aDesired } from '../test/support/builders.ts'
import { held } from '../test/support/held.ts'
import type { DesiredStagelet } from '../src/protocol/messages.ts'
import { digestFor } from '../src/rollout/quarantine.ts'
import { createWant, type OpenedSecret, type Want } from './want.ts'
import { chooseWant } from './target.ts'

const aWant = (
  revision: number,
  entries: readonly OpenedSecret[],
  tweak: Partial<DesiredStagelet> = {},
): Want => {
  const desired = aDesired({ order: revision, revision, ...tweak })
  return createWant({ desired, entries, base: {} }, undefined, false)
}
const good = aWant(4, [held('KEY', 'good', 'web'), held('OTHER', 'same')])
const bad = aWant(5, [held('KEY', 'bad', 'web'), held('OTHER', 'same')], { healthyRevision: 4 })
const failure = {
  service: 'web',
  digest: digestFor('shop', 'web', bad.entries),
  revision: 5,
  retry: '',
  message: 'crashed',
}

describe('what an agent runs', () => {
  it('is what the controller said, with the healthy revision to go back to', () => {
    expect(chooseWant(bad, good, [])).toEqual({ run: bad, healthy: good, because: undefined })
  })

  it('is the healthy revision as a whole once part of it has failed', () => {
    const back = { run: good, healthy: undefined, because: failure }
    expect(chooseWant(bad, good, [failure])).toEqual(back)
  })

  it('is what the controller said, tried again, where nothing healthy is known', () => {
    const again = { run: bad, healthy: undefined, because: undefined }
    expect(chooseWant(bad, undefined, [failure])).toEqual(again)
  })

  it('has one key whether the agent or the controller decided to go back', () => {
    expect(aWant(4, good.entries, { order: 99, healthyRevision: 4, generation: 7 }).key).toBe(
      good.key,
    )
  })
})
