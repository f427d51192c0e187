import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { createStageletIndex } from './stagelet-index.ts'

const stagelet = (
  more: { agent?: string; reason?: string; status?: object; generation?: number } = {},
): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: { name: 'prod', namespace: 'default', uid: 'u', generation: more.generation ?? 1 },
  spec: { projectRef: { name: 'shop' }, agentRef: { name: more.agent ?? 'box' } },
  status: {
    conditions: [{ type: 'SecretsInSync', status: 'False', reason: more.reason ?? 'InSync' }],
    ...more.status,
  },
})
const owner = (
  kind: 'Project' | 'Agent',
  name: string,
): { kind: 'Project' | 'Agent'; namespace: string; name: string } => ({
  kind,
  namespace: 'default',
  name,
})

describe('what a change of a stagelet concerns', () => {
  it('follows it from one agent to another, and forgets it when it is deleted', () => {
    const index = createStageletIndex()
    index.note('ADDED', stagelet())
    expect(index.stageletsOf(owner('Agent', 'box'))).toEqual(['Stagelet/default/prod'])
    expect(index.projectsOn(owner('Agent', 'box'))).toEqual(['Project/default/shop'])
    index.note('MODIFIED', stagelet({ agent: 'other' }))
    expect(index.stageletsOf(owner('Agent', 'box'))).toEqual([])
    expect(index.stageletsOf(owner('Agent', 'other'))).toEqual(['Stagelet/default/prod'])
    index.note('DELETED', stagelet({ agent: 'other' }))
    expect(index.stageletsOf(owner('Project', 'shop'))).toEqual([])
  })

  it('is nothing yet where a secret was written, unless somebody changed the stagelet as well', () => {
    const index = createStageletIndex()
    expect(index.note('ADDED', stagelet())).toBe(true)
    expect(index.note('MODIFIED', stagelet({ reason: 'NewRevision' }))).toBe(false)
    expect(index.note('MODIFIED', stagelet({ reason: 'NewRevision', generation: 2 }))).toBe(true)
    const admitted = { admitted: { revision: 3 } }
    const letIn = stagelet({ reason: 'NewRevision', generation: 2, status: admitted })
    expect(index.note('MODIFIED', letIn)).toBe(true)
  })

  it('is nothing where an agent was only seen or timed again, and something where it was lost', () => {
    const index = createStageletIndex()
    const agent = (ready: string, status: object): KubeObject => ({
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Agent',
      metadata: { name: 'box', namespace: 'default', uid: 'a' },
      status: { conditions: [{ type: 'Ready', status: ready, reason: 'r' }], ...status },
    })
    expect(index.note('ADDED', agent('True', { lastSeen: '1' }))).toBe(true)
    const timed = agent('True', { lastSeen: '2', clockSkewMs: 70 })
    expect(index.note('MODIFIED', timed)).toBe(false)
    expect(index.note('MODIFIED', agent('Unknown', { lastLost: '3' }))).toBe(true)
    expect(index.note('MODIFIED', agent('True', { lastLost: '3' }))).toBe(true)
  })
})
