import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { aStagelet } from '../../../test/support/builders.ts'
import type { StageletObject } from '../project/gather.ts'
import { decideRollout } from './decide.ts'
import type { RolloutInput } from './gather.ts'
import { viewRollout } from './view.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const ago = (seconds: number): string => toFineTimestamp(now - seconds * 1000)

const named = (name: string, status: StageletStatus): StageletObject => {
  const base = aStagelet({ status })
  const spec = { ...base.spec, agentRef: { name: `agent-${name}` } }
  return { ...base, spec, metadata: { ...base.metadata, name } }
}
/** Revision 5 goes to one at a time; nobody sees `a`, whose agent is away. */
const aFleet = (a: StageletStatus, b: StageletStatus): RolloutInput => {
  const condition = {
    type: 'SecretsInSync',
    status: 'Unknown' as const,
    reason: 'AgentAway',
    message: 'agent "agent-a" was last seen at T',
    lastTransitionTime: ago(1),
  }
  const ready = { type: 'Ready', reason: 'Connected', message: '', lastTransitionTime: ago(3600) }
  const agent = {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Agent',
    metadata: { name: 'agent-b', namespace: 'default' },
    status: { conditions: [{ ...ready, status: 'True' as const }] },
  }
  return {
    now,
    closed: 5,
    project: {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name: 'shop', namespace: 'default', generation: 1 },
      spec: { rollout: { maxConcurrent: 1, progressDeadlineSeconds: 600, onFailure: 'Stop' } },
    },
    head: undefined,
    stagelets: [named('a', { ...a, conditions: [condition] }), named('b', b)],
    agents: new Map([['agent-b', agent]]),
  }
}
const settled = (revision: number): StageletStatus => ({
  wantedRevision: revision,
  healthyRevision: revision,
})
const admitted = (at: number): StageletStatus => ({
  wantedRevision: 5,
  healthyRevision: 4,
  admitted: { revision: 5, at: ago(at), retry: '' },
})

describe('a rollout that waits for what nobody sees', () => {
  it('says of whom, and why it stops at the deadline', () => {
    const onItsWay = decideRollout(aFleet(admitted(1), settled(4)))
    expect(onItsWay.admit).toEqual([])
    expect(onItsWay.conditions[0]).toMatchObject({
      status: 'True',
      reason: 'AgentAway',
      message:
        'revision 5: 0 healthy, 1 on their way, 1 waiting; stagelet "a" is not seen: agent "agent-a" was last seen at T',
    })
    const late = decideRollout(aFleet(admitted(900), settled(4)))
    expect(late.rollout?.state).toBe('Stopped')
    expect(late.conditions[1]?.message).toContain('agent "agent-a" was last seen at T')
  })

  it('stays complete, counts it apart, and is not done for who asks', () => {
    const done = aFleet(settled(5), settled(5))
    expect(decideRollout(done).rollout).toMatchObject({ state: 'Complete', healthy: 1, unknown: 1 })
    expect(decideRollout(done).stagelets).toMatchObject({ unknown: 1 })
    const view = viewRollout(done)
    expect(view).toMatchObject({ state: 'Progressing', counts: { healthy: 1, unknown: 1 } })
    expect(view.stagelets[0]).toMatchObject({
      standing: 'unknown',
      message: 'agent "agent-a" was last seen at T',
    })
  })
})
