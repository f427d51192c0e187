import { describe, expect, it } from 'vitest'
import type { Activity, RolloutRecord } from '../../../../src/store/core/activity-entry.ts'
import { describeActivity as tellNow, type Told } from './activity-words.ts'

const place = {
  id: 1,
  subject: 'uid',
  namespace: 'default',
  at: Date.parse('2026-01-31T10:00:12Z'),
}
const seen = { now: 'True', agent: 'box' } as const
const tell = (one: Activity): Told => tellNow(one, seen)
const rollout = (detail: Partial<RolloutRecord>): string =>
  tell({
    ...place,
    kind: 'rollout',
    stagelet: 'prod',
    detail: { revision: 4, cause: 'NewRevision', result: 'Healthy', ...detail },
  }).message

describe('the words of the feed', () => {
  it('say how a rollout ended, what it did and what is to blame', () => {
    const times = { startedAt: '2026-01-31T10:00:00.000Z', finishedAt: '2026-01-31T10:00:03.900Z' }
    const services = [
      { name: 'web', what: 'recreated' },
      { name: 'peer', what: 'cascaded' },
      { name: 'db', what: 'untouched' },
    ] as const
    expect(rollout({ ...times, services })).toBe(
      'revision 4 is healthy after 3.9 s; re-created: web; along with these: peer',
    )
    const blame = { service: 'web', keys: ['URL'], authors: ['ann'] }
    expect(rollout({ result: 'Failed', blame })).toBe(
      'revision 4 failed; web is to blame, with URL set by ann',
    )
    expect(rollout({ result: 'RolledBack', blame: { ...blame, keys: [], authors: [] } })).toBe(
      'back to revision 4, which is healthy; web is to blame',
    )
    expect(rollout({ revision: 0 })).toBe('the stack without secrets is healthy')
    expect(rollout({ cause: 'ComposeFile' })).toBe('the edited Compose file is healthy')
  })

  it('name who changed a container by hand, and what became of that', () => {
    const by = 'ann (as told) with "stagely compose up"'
    const changes = [{ service: 'web', container: 'shop-web-1', what: 'Removed' as const, by }]
    const drift: Activity = {
      ...place,
      kind: 'drift',
      detail: { state: 'Healed', since: '', changes },
    }
    expect(tell(drift)).toMatchObject({
      what: 'healed',
      by: ['ann (as told by agent box)'],
      isBad: false,
      message: `web (shop-web-1) was removed, by ann (as told by agent box) with "stagely compose up"; healed`,
    })
    const hand: Activity = {
      ...place,
      kind: 'drift',
      detail: { state: 'ByHand', user: 'ann', command: 'ps', exitCode: 0, touched: [] },
    }
    // A compromised agent may name anybody: the row says whose word it is.
    expect(tell(hand)).toMatchObject({ what: 'by_hand', by: ['ann (as told by agent box)'] })
    const forged = { ...drift.detail, changes: [{ ...changes[0]!, by: 'admin' }] }
    expect(tell({ ...drift, detail: forged }).by).toEqual(['admin (as told by agent box)'])
  })

  it('claim nothing of changed containers that nobody told the end of', () => {
    const changes = [{ service: 'web', container: 'shop-web-1', what: 'Removed' as const }]
    const found = (state: 'Found' | 'Healed'): Activity => ({
      ...place,
      kind: 'drift',
      detail: { state, since: '', changes },
    })
    const what = 'web (shop-web-1) was removed'
    const { message, isBad } = tellNow(found('Found'), { ...seen, now: 'True' })
    expect([message, isBad]).toEqual([`${what}; not healed yet`, true])
    expect(tellNow(found('Found'), { ...seen, now: 'False' })).toMatchObject({
      what: 'found',
      isBad: false,
      message: `${what}; as declared again; when and by whom was not seen`,
    })
    expect(tellNow(found('Found'), { ...seen, now: 'Unknown' })).toMatchObject({
      message: `${what}; what became of that is not known`,
      isBad: true,
    })
    expect(tellNow(found('Healed'), { ...seen, now: 'Unknown' }).message).toBe(`${what}; healed`)
  })

  it('say how long an agent was away, and who paused what', () => {
    const since = '2026-01-31T10:00:00Z'
    expect(tell({ ...place, kind: 'agent', detail: { what: 'back', since } }).message).toBe(
      'the agent is back, away for 12.0 s',
    )
    const detail = { what: 'paused', by: ['ann'] } as const
    expect(tell({ ...place, kind: 'control', project: 'shop', detail }).message).toBe(
      'the rollout is paused',
    )
    expect(tell({ ...place, kind: 'control', stagelet: 'prod', detail })).toMatchObject({
      what: 'paused',
      by: ['ann'],
      message: 'paused',
    })
  })

  it('name the keys of a revision, and never more than are known', () => {
    const detail = { revision: 3, by: ['ann'], keys: ['A', 'B'], written: 1, deleted: 1 }
    expect(tell({ ...place, kind: 'revision', detail }).message).toBe(
      'revision 3: 2 secrets changed: A, B',
    )
  })
})
