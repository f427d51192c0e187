import { describe, expect, it } from 'vitest'
import { aStagelet, anInput, anObservation } from '../../../test/support/builders.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { describeManualRun, type ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { decideStagelet } from './decide.ts'
import { stageletEventsOf } from './events.ts'
import type { StageletInput } from './facts.ts'

type Rollout = NonNullable<ObservationSpec['rollout']>

/** What operators read while a stagelet goes through these inputs, one after the other. */
const story = (...steps: Partial<StageletInput>[]): string[] => {
  let status: StageletStatus | undefined
  return steps.flatMap((step) => {
    const stagelet = aStagelet(status === undefined ? {} : { status })
    const next = decideStagelet(anInput([], { ...step, stagelet })).status
    status = next
    return stageletEventsOf(stagelet, next).map(({ type, reason }) => `${type} ${reason}`)
  })
}
/** The texts of what is told of this input. */
const textsOf = (step: Partial<StageletInput>): string[] => {
  const stagelet = aStagelet()
  const { status } = decideStagelet(anInput([], { ...step, stagelet }))
  return stageletEventsOf(stagelet, status).map(({ message }) => message)
}
const reports = (rollout: Rollout, pendingEdits: string[] = []): Partial<StageletInput> => ({
  observation: anObservation({ rollout, pendingEdits }),
})
const started = (revision: number, startedAt: string): Rollout => ({
  revision,
  startedAt,
  result: 'Progressing',
})
const healthy = (revision: number, startedAt: string): Rollout => ({
  ...started(revision, startedAt),
  result: 'Healthy',
})
const away: StageletInput['agent'] = {
  ...anInput([]).agent!,
  status: {
    conditions: [
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'Disconnected',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  },
}

describe('the events of a stagelet', () => {
  it('tell of a rollout once, however often it is reported', () => {
    expect(
      story(reports(started(1, 'a')), reports(started(1, 'a')), reports(healthy(1, 'a'))),
    ).toEqual(['Normal RolloutStarted', 'Normal RolloutHealthy'])
  })

  it('name no revision before there is one', () => {
    expect(textsOf(reports(started(0, 'a')))).toEqual(['rolling out the stack without secrets'])
    expect(textsOf(reports(healthy(0, 'a')))).toEqual(['the stack without secrets is healthy'])
    expect(textsOf(reports(started(1, 'a')))).toEqual(['rolling out revision 1'])
  })

  it('call a rollout of the revision that ran already what it is', () => {
    expect(
      story(reports(healthy(1, 'a')), reports(started(1, 'b')), reports(healthy(1, 'b'))),
    ).toEqual(['Normal RolloutHealthy'])
    expect(
      story(reports(healthy(1, 'a'), ['web']), reports(started(1, 'b')), reports(healthy(1, 'b'))),
    ).toEqual([
      'Normal RolloutHealthy',
      'Normal ComposeFileChanged',
      'Normal RolloutStarted',
      'Normal RolloutHealthy',
    ])
    expect(story(reports(healthy(1, 'a')), reports(started(2, 'b')))).toEqual([
      'Normal RolloutHealthy',
      'Normal RolloutStarted',
    ])
  })

  it('name apart what was re-created only along with others, as the status does', () => {
    const along = { ...healthy(1, 'a'), recreated: ['db', 'peer'], cascaded: ['peer'] }
    const stagelet = aStagelet({})
    const { status } = decideStagelet(anInput([], { ...reports(along), stagelet }))
    expect(status.lastRollout).toMatchObject({ recreated: ['db', 'peer'], cascaded: ['peer'] })
    const said = stageletEventsOf(stagelet, status).map(({ message }) => message)
    expect(said).toContain('revision 1 is healthy; re-created: db; along with these: peer')
  })

  it('tell of what an agent healed that was changed while it was not running', () => {
    const healed = { ...healthy(1, 'b'), recreated: ['web'] }
    expect(story(reports(healthy(1, 'a')), reports(started(1, 'b')), reports(healed))).toEqual([
      'Normal RolloutHealthy',
      'Normal DriftHealed',
    ])
  })

  it('take a retry after a failure for no drift', () => {
    const failed: Rollout = { ...started(1, 'a'), result: 'Failed', message: 'm' }
    expect(story(reports(failed), reports(started(1, 'b')), reports(healthy(1, 'b')))).toEqual([
      'Warning RolloutFailed',
      'Normal RolloutStarted',
      'Normal RolloutHealthy',
    ])
  })

  it('tell once of each thing that a person did through the agent, and name him in what was found', () => {
    const hand = { command: 'up -d web', user: 'ann', at: '2026-01-31T10:00:00Z' }
    const did = (tweak: object = {}): Partial<StageletInput> => ({
      observation: anObservation({ hand: { ...hand, exitCode: 0, touched: ['web'], ...tweak } }),
    })
    expect(story(did(), did(), did({ at: '2026-01-31T11:00:00Z' }))).toEqual([
      'Normal ComposedByHand',
      'Normal ComposedByHand',
    ])
    const by = describeManualRun(hand)
    const changes = [{ service: 'web', container: 'shop-web-1', what: 'Removed' as const, by }]
    const drift = { state: 'Found' as const, since: '2026-01-31T10:00:01Z', changes }
    const found = { ...did().observation!, drift }
    expect(story({ observation: found })).toEqual(['Warning DriftFound'])
    const { conditions } = decideStagelet(anInput([], { observation: found })).status
    expect(findCondition(conditions, 'Drifted')?.message).toBe(
      'healing: web (shop-web-1) was removed, by ann (as told by agent box) with "stagely compose up -d web"',
    )
  })

  it('leave it to the agent to say that it is lost and back, and repeat nothing that was told before', () => {
    const told = reports(healthy(1, 'a'), ['web'])
    expect(story(told, { ...told, agent: away }, { ...told, agent: away }, told)).toEqual([
      'Normal RolloutHealthy',
      'Normal ComposeFileChanged',
    ])
  })
})
