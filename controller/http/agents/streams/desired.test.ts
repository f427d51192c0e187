import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../../test/support/fake-clock.ts'
import type { ProjectRevisions, Store } from '../../../../src/store/store.ts'
import type { Hold } from '../../../../src/rollout/restored.ts'
import { createItemReader, renderItem, type ItemInput } from './desired.ts'
import type { AgentView, ObjectCache } from '../objects/object-cache.ts'
import type { StageletView } from '../objects/views.ts'

const view: StageletView = {
  uid: 's',
  namespace: 'default',
  name: 'prod',
  generation: 1,
  agentKey: 'default/box',
  projectKey: 'default/shop',
  compose: { directory: '/srv', onChange: 'Hold' },
  paused: false,
  wantedRevision: 5,
  project: undefined,
  conditions: {
    Ready: 'True',
    SecretsInSync: 'True',
    Progressing: 'False',
    Degraded: 'False',
    Drifted: 'False',
  },
  quarantine: [],
  healthyRevision: 5,
  redeploy: '',
  retry: '',
  release: undefined,
  releaseVolumes: false,
  version: 100,
}
const project: NonNullable<ItemInput['project']> = {
  uid: 'p',
  since: '',
  revision: 6,
  isStaged: false,
  version: 120,
  epoch: 1,
  from: 0,
}
const agent = { paused: false, drained: false } as AgentView

const revisionOf = (change: Partial<ItemInput>): number =>
  renderItem({ view, project, agent, ...change }).revision

describe('what an agent is told of a closed revision before its stagelet is judged', () => {
  it('is that revision, with the order of its close', () => {
    expect(renderItem({ view, project, agent })).toMatchObject({ revision: 6, order: 120 })
    const judged = { ...view, wantedRevision: 6, version: 130 }
    expect(renderItem({ view: judged, project, agent })).toMatchObject({ revision: 6, order: 130 })
  })

  it('is nothing new where turns are taken, the agent is drained or unknown, or something failed there', () => {
    expect(revisionOf({ project: { ...project, isStaged: true } })).toBe(5)
    expect(revisionOf({ agent: { ...agent, drained: true } })).toBe(5)
    expect(revisionOf({ agent: undefined })).toBe(5)
    expect(
      revisionOf({
        view: {
          ...view,
          quarantine: [{ service: 'web', digest: '', revision: 5, retry: '', message: '' }],
        },
      }),
    ).toBe(5)
  })

  it('is nothing after a restore, while its credentials are not known to be accepted', () => {
    const untested = { ...project, from: Infinity }
    expect(renderItem({ view, project: untested, agent })).toMatchObject({
      projectUid: '',
      epoch: 0,
      revision: 0,
      paused: true,
    })
    const inTurn = { ...project, from: 6, isStaged: true }
    expect(renderItem({ view, project: inTurn, agent })).toMatchObject({ epoch: 0, revision: 0 })
    const later = renderItem({ view, project: { ...project, from: 6 }, agent })
    expect(later).toMatchObject({ epoch: 1, revision: 6, paused: false })
    // Nor does the agent go back to what may be dead.
    expect(later.healthyRevision).toBeUndefined()
    const released = { ...view, release: 'Retain' as const }
    expect(renderItem({ view: released, project: untested, agent })).toMatchObject({
      projectUid: 'p',
      release: 'Retain',
    })
  })

  it('names what was closed just before as well, where that is newer than what was healthy', () => {
    const toGoBackTo = (healthyRevision: number | undefined, from = 0) => {
      const item = renderItem({
        view: { ...view, healthyRevision },
        project: { ...project, from },
        agent,
      })
      return [item.healthyRevision, item.previousRevision]
    }
    expect(toGoBackTo(4)).toEqual([4, 5])
    expect(toGoBackTo(5)).toEqual([5, undefined])
    // As after a restore.
    expect(toGoBackTo(7)).toEqual([7, undefined])
    expect(toGoBackTo(undefined)).toEqual([undefined, undefined])
    // What was healthy may hold a credential that is dead, and so may what came after it.
    expect(toGoBackTo(4, 5)).toEqual([undefined, undefined])
  })

  it('is never older than what was judged', () => {
    expect(revisionOf({ view: { ...view, wantedRevision: 7 } })).toBe(7)
  })
})

describe('the reader of items, after a restore', () => {
  const start = (first: Pick<ProjectRevisions, 'closed' | 'closesAt'>) => {
    const now = { holds: [] as readonly Hold[], revisions: first, reads: 0 }
    const objects = {
      stagelet: () => view,
      project: () => project,
      agent: () => agent,
      holdsOn: () => now.holds,
    } as unknown as ObjectCache
    const store = {
      revisionsOf: () => {
        now.reads += 1
        return Promise.resolve({ ...now.revisions, epoch: 1, quietAt: 0 })
      },
    } as unknown as Store
    const read = createItemReader(objects, store, createFakeClock())
    return { now, item: () => read(view.uid, view.agentKey) }
  }

  it('holds until the revision closes that was opened with the new credential', async () => {
    const { now, item } = start({ closed: 6, closesAt: undefined })
    expect(await item()).toMatchObject({ epoch: 1, revision: 6 })
    // What was read a moment ago does not know of it.
    now.holds = [{ from: 7 }]
    now.revisions = { closed: 6, closesAt: 1 }
    expect(await item()).toMatchObject({ epoch: 0, paused: true })
    expect(await item()).toMatchObject({ epoch: 0, paused: true })
    expect(now.reads).toBe(2)
  })

  it('does not hold for a revision that this project does not have', async () => {
    const { now, item } = start({ closed: 6, closesAt: undefined })
    now.holds = [{ from: 40 }]
    expect(await item()).toMatchObject({ epoch: 1, revision: 6, paused: false })
    now.holds = [{ from: 40 }, { from: Infinity }]
    expect(await item()).toMatchObject({ epoch: 0, paused: true })
  })

  it('holds those alone whose agents were away as nobody could be asked', async () => {
    const { now, item } = start({ closed: 6, closesAt: undefined })
    now.holds = [{ from: Infinity, only: ['another'] }]
    expect(await item()).toMatchObject({ epoch: 1, paused: false })
    now.holds = [{ from: Infinity, only: ['another', view.name] }]
    expect(await item()).toMatchObject({ epoch: 0, paused: true })
  })
})
