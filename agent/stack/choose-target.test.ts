import { describe, expect, it } from 'vitest'
import { aDesired } from '../../test/support/builders.ts'
import { held } from '../../test/support/held.ts'
import { noState } from '../../test/support/agents/no-state.ts'
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import { digestFor } from '../../src/rollout/quarantine.ts'
import { createStackTarget, type OpenedSecret, type StackTarget } from '../state/stack-target.ts'
import { chooseTarget, createTargetChooser } from './choose-target.ts'

const aTarget = (
  revision: number,
  entries: readonly OpenedSecret[],
  tweak: Partial<DesiredStagelet> = {},
): StackTarget => {
  const desired = aDesired({ order: revision, revision, ...tweak })
  return createStackTarget({ desired, entries, base: {} }, undefined, false)
}
const good = aTarget(4, [held('KEY', 'good', 'web'), held('OTHER', 'same')])
const bad = aTarget(5, [held('KEY', 'bad', 'web'), held('OTHER', 'same')], { healthyRevision: 4 })
const failure = {
  service: 'web',
  digest: digestFor('shop', 'web', bad.entries),
  revision: 5,
  retry: '',
  message: 'crashed',
}

describe('what an agent runs', () => {
  it('is what the controller said, with the healthy revision to go back to', () => {
    expect(chooseTarget(bad, { healthy: good }, [])).toEqual({
      run: bad,
      healthy: good,
      rollbackCause: undefined,
    })
  })

  it('is the healthy revision as a whole once part of it has failed', () => {
    const back = { run: good, healthy: undefined, rollbackCause: failure }
    expect(chooseTarget(bad, { healthy: good }, [failure])).toEqual(back)
  })

  it('is what the controller said, tried again, where nothing healthy is known', () => {
    const again = { run: bad, healthy: undefined, rollbackCause: undefined }
    expect(chooseTarget(bad, { healthy: undefined }, [failure])).toEqual(again)
  })

  it('has one key whether the agent or the controller decided to go back', () => {
    expect(aTarget(4, good.entries, { order: 99, healthyRevision: 4, generation: 7 }).key).toBe(
      good.key,
    )
  })
})

describe('what was closed between the healthy revision and a failed one', () => {
  const services = ['web', 'db', 'cache']
  const setOf = (web: string, others: string): OpenedSecret[] => [
    held('WEB', web, 'web'),
    held('DB', others, 'db'),
    held('CACHE', others, 'cache'),
  ]
  const healthySet = setOf('good', 'old')
  const failureIn = (service: string, revision: number, entries: readonly OpenedSecret[]) => ({
    ...failure,
    service,
    revision,
    digest: digestFor('shop', service, entries),
  })
  const item = (revision: number, tweak: Partial<DesiredStagelet> = {}): DesiredStagelet =>
    aDesired({ order: revision, revision, healthyRevision: 2, ...tweak })

  /** Counts how often each service is re-created, by the sets that a chooser chooses one after the other. */
  const start = () => {
    const chooser = createTargetChooser({
      stateFile: noState,
      baseEnv: {},
      files: { pathOf: () => '/files' },
      state: () => undefined,
    })
    const recreated: Record<string, number> = {}
    let runs: readonly OpenedSecret[] = healthySet
    const run = () => {
      const choice = chooser.choose()!
      for (const service of services)
        if (digestFor('shop', service, choice.run.entries) !== digestFor('shop', service, runs))
          recreated[service] = (recreated[service] ?? 0) + 1
      runs = choice.run.entries
      return choice
    }
    return { chooser, recreated, run }
  }

  it('is run where it holds nothing that failed, and no other service is re-created for that', () => {
    const { chooser, recreated, run } = start()
    const unproven = setOf('good', 'new')
    const broken = setOf('bad', 'new')
    chooser.set(item(3), unproven, healthySet)
    expect(run().run.desired.revision).toBe(3)
    chooser.set(item(4, { previousRevision: 3 }), broken, healthySet, unproven)
    // What is to blame is judged by what was healthy.
    expect(run().healthy?.desired.revision).toBe(2)
    chooser.setQuarantine([failureIn('web', 4, broken)])
    const back = run()
    expect([back.run.desired.revision, back.healthy?.desired.revision]).toEqual([3, 2])
    expect(back.rollbackCause).toMatchObject({ service: 'web', revision: 4 })
    // The controller comes to the same, with all sets.
    chooser.set(item(3, { order: 9 }), unproven, healthySet)
    expect(run().run.key).toBe(back.run.key)
    expect(recreated).toEqual({ db: 1, cache: 1, web: 2 })
  })

  it('is passed over where it holds what failed', () => {
    const { chooser, recreated, run } = start()
    const unproven = setOf('bad', 'old')
    const broken = setOf('bad', 'new')
    chooser.set(item(4, { previousRevision: 3 }), broken, healthySet, unproven)
    run()
    chooser.setQuarantine([failureIn('web', 4, broken)])
    expect(run().run.desired.revision).toBe(2)
    expect(recreated).toEqual({ web: 2, db: 2, cache: 2 })
  })

  it('gives way to the healthy one where it fails as well', () => {
    const { chooser, run } = start()
    const unproven = setOf('good', 'bad too')
    const broken = setOf('bad', 'bad too')
    chooser.set(item(4, { previousRevision: 3 }), broken, healthySet, unproven)
    const failures = [failureIn('web', 4, broken), failureIn('db', 3, unproven)]
    chooser.setQuarantine(failures)
    expect(run().run.desired.revision).toBe(2)
  })

  it('is no measure of what is to blame where nothing healthy is known', () => {
    const { chooser, run } = start()
    chooser.set(item(4, { previousRevision: 3 }), setOf('bad', 'new'), undefined, setOf('a', 'b'))
    expect(run()).toMatchObject({ run: { desired: { revision: 4 } }, healthy: undefined })
  })

  it('is hidden in texts of what runs, and of what was before', () => {
    const { chooser, run } = start()
    const sets = [setOf('the fourth', 'd'), healthySet, setOf('the third', 'c')] as const
    chooser.set(item(4, { previousRevision: 3 }), ...sets)
    expect(run().run.mask('the fourth, the third')).toBe('***REDACTED***, ***REDACTED***')
  })
})
