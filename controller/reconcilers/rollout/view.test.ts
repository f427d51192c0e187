import { describe, expect, it } from 'vitest'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import {
  aFleet,
  ago,
  rolledBack,
  settled,
  type Fleet,
} from '../../../test/support/agents/rollout-fleet.ts'
import { viewRollout } from './view.ts'

describe('a rollout as it is shown, where all take a revision at once', () => {
  const standings = (fleet: Fleet): object =>
    Object.fromEntries(
      viewRollout(aFleet(fleet, undefined)).stagelets.map((s) => [
        s.stagelet.metadata.name,
        [s.standing, s.reason],
      ]),
    )
  const held = (reason: string): StageletStatus => ({
    ...settled(4),
    wantedRevision: 5,
    conditions: [
      ['AgentReachable', 'True', 'Connected'],
      ['Progressing', 'False', 'Settled'],
      ['SecretsInSync', 'False', reason],
    ].map(([type = '', status, why = '']) => ({
      type,
      status: status as 'True' | 'False',
      reason: why,
      message: `told: ${why}`,
      lastTransitionTime: ago(5),
    })),
  })

  it('has failed on who went back to an older revision, and on who cannot begin', () => {
    const { admitted: _, ...back } = rolledBack()
    expect(standings({ back, refused: held('DirectoryNotAllowed'), fine: settled(5) })).toEqual({
      back: ['failed', undefined],
      refused: ['failed', 'DirectoryNotAllowed'],
      fine: ['healthy', undefined],
    })
    const { state, message } = viewRollout(aFleet({ back, fine: settled(5) }, undefined))
    expect([state, message]).toEqual(['Failed', expect.stringContaining('failed: back')])
  })

  it('is not healthy on who was, and whose stack cannot be acted on now', () => {
    const refused = { ...settled(5), conditions: held('ComposeInvalid').conditions ?? [] }
    expect(standings({ refused })).toEqual({ refused: ['failed', 'ComposeInvalid'] })
  })

  it('calls a stack of a project without a revision done only where it is seen to run', () => {
    const ghost = { ...settled(0), conditions: held('AgentMissing').conditions ?? [] }
    const runs = { ...settled(0), conditions: held('InSync').conditions ?? [] }
    const isTrue = runs.conditions.map((c) =>
      c.type === 'SecretsInSync' ? { ...c, status: 'True' as const } : c,
    )
    const fleet = aFleet({ ghost, runs: { ...runs, conditions: isTrue } }, undefined)
    const { stagelets } = viewRollout({ ...fleet, closed: 0 })
    expect(stagelets.map(({ standing }) => standing)).toEqual(['held', 'healthy'])
    for (const [type, standing] of [
      ['Progressing', 'busy'],
      ['Degraded', 'failed'],
    ]) {
      const more = { ...isTrue[0]!, type: type!, reason: '', message: 'the gate' }
      const conditions = [...isTrue.filter((c) => c.type !== type), more]
      const view = viewRollout({
        ...aFleet({ runs: { ...runs, conditions } }, undefined),
        closed: 0,
      })
      expect(view.stagelets).toMatchObject([{ standing, message: 'the gate' }])
    }
  })

  it('says of who is held why that does not end by itself', () => {
    const paused = { ...held('Paused'), paused: true }
    expect(standings({ paused, on: held('NewRevision') })).toEqual({
      paused: ['held', 'Paused'],
      on: ['busy', undefined],
    })
  })
})
