import { describe, expect, it } from 'vitest'
import {
  aService,
  aStagelet,
  anEntry,
  anInput,
  anObservation,
} from '../../../test/support/builders.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { visibleTo, type SetEntry } from '../../../src/secrets/visible.ts'
import { decideStagelet } from './decide.ts'
import { stageletEventsOf } from './events.ts'
import type { SeenSet, StageletInput } from './facts.ts'

const entriesAt = (web: number, db = 1): SetEntry[] => [
  anEntry({ key: 'WEB', scope: 'web', version: web }),
  anEntry({ key: 'DB', scope: 'db', version: db }),
]
const setAt = (revision: number, entries: SetEntry[]): SeenSet => ({
  projectUid: 'p',
  epoch: 1,
  revision,
  entries,
})
const digestOf = (service: string, entries: SetEntry[]): string =>
  serviceDigest(visibleTo(service, 'shop', entries))!
const failed = {
  service: 'web',
  digest: digestOf('web', entriesAt(2)),
  revision: 5,
  retry: '',
  message: 'service web keeps crashing',
}
const sets = [setAt(5, entriesAt(2)), setAt(4, entriesAt(1))]
const status: StageletStatus = { healthyRevision: 4, wantedRevision: 5, conditions: [] }

/** Revision 5 failed in web; 4 runs, was healthy, and is settled. */
const anInputAfter = (over: Partial<StageletInput> = {}): StageletInput =>
  anInput(entriesAt(2), {
    stagelet: aStagelet({ status }),
    revisions: { epoch: 1, closed: 5, closesAt: undefined, quietAt: 0 },
    head: setAt(5, entriesAt(2)),
    closedSets: sets,
    observation: anObservation({
      revision: 4,
      quarantine: [failed],
      services: ['web', 'db'].map((name) =>
        aService({ name, digests: [digestOf(name, entriesAt(1))] }),
      ),
      passed: { web: digestOf('web', entriesAt(1)), db: digestOf('db', entriesAt(1)) },
      rollout: { revision: 4, result: 'RolledBack', service: 'web', message: failed.message },
    }),
    ...over,
  })
const verdict = (input: StageletInput, type: string): string => {
  const condition = findCondition(decideStagelet(input).status.conditions, type)
  return `${condition?.status}/${condition?.reason}`
}

describe('a stagelet whose newest revision failed', () => {
  it('wants the newest one that does not hold what failed, and says why', () => {
    const input = anInputAfter()
    const next = decideStagelet(input).status
    expect(next).toMatchObject({ wantedRevision: 4, healthyRevision: 4, quarantine: [failed] })
    expect(next.runningRevision).toBe(4)
    expect(verdict(input, 'SecretsInSync')).toBe('False/RolledBack')
    expect(verdict(input, 'Degraded')).toBe('True/RolledBack')
    expect(verdict(input, 'Ready')).toBe('False/RolledBack')
    const message = findCondition(next.conditions, 'Degraded')?.message
    expect(message).toMatch(
      /^rolled back to revision 4, because revision 5 failed.*keeps crashing$/s,
    )
    expect(stageletEventsOf(aStagelet({ status }), next).map((e) => e.reason)).toEqual([
      'RolledBack',
    ])
    expect(stageletEventsOf(aStagelet({ status: next }), next)).toEqual([])
  })

  it('blames the new values by key, version and who set them, in the event too', () => {
    const authors = new Map([['id-WEB-web', { version: 2, by: 'ann', at: '2026-01-01T08:00:00Z' }]])
    const next = decideStagelet(anInputAfter({ authors })).status
    const said =
      'because revision 5 failed with WEB (version 2, set by ann at 2026-01-01T08:00:00Z) for web; give web another value'
    for (const type of ['SecretsInSync', 'Degraded', 'Ready'])
      expect(findCondition(next.conditions, type)?.message).toContain(said)
    expect(stageletEventsOf(aStagelet({ status }), next)[0]?.message).toContain(said)
    const taken = decideStagelet(
      anInputAfter({
        head: setAt(5, [anEntry({ key: 'DB', scope: 'db' })]),
        observation: {
          ...anInputAfter().observation!,
          quarantine: [{ ...failed, digest: '' }],
        },
      }),
    ).status
    expect(findCondition(taken.conditions, 'Degraded')?.message).toContain(
      'because revision 5 failed with WEB taken away for web; give web another value',
    )
  })

  it('says that it is going back while it is', () => {
    const { observation } = anInputAfter()
    const input = anInputAfter({ observation: { ...observation!, phase: 'Applying' } })
    expect(findCondition(decideStagelet(input).status.conditions, 'Degraded')?.message).toMatch(
      /^rolling back/,
    )
  })

  it('remembers it when the agent has forgotten it, or what was said', () => {
    const { observation } = anInputAfter()
    const stagelet = aStagelet({ status: { ...status, quarantine: [failed] } })
    const forgot = { ...observation!, quarantine: undefined }
    const { quarantine: _q, ...without } = forgot
    const first = decideStagelet(anInputAfter({ stagelet, observation: without })).status
    expect(first).toMatchObject({ wantedRevision: 4, quarantine: [failed] })
    const silent = { ...observation!, quarantine: [{ ...failed, message: '' }] }
    expect(
      decideStagelet(anInputAfter({ stagelet, observation: silent })).status.quarantine,
    ).toEqual([{ ...failed, keys: ['WEB'] }])
  })

  it('names the keys to blame, and no others when a newer revision differs in more', () => {
    const { quarantine } = decideStagelet(anInputAfter()).status
    expect(quarantine).toEqual([{ ...failed, keys: ['WEB'] }])
    const more = [...entriesAt(2), anEntry({ key: 'MORE', scope: 'db', version: 1 })]
    const head = setAt(6, more)
    const stagelet = aStagelet({ status: { ...status, quarantine: quarantine! } })
    const later = anInputAfter({ stagelet, head, closedSets: [head, ...sets] })
    expect(decideStagelet(later).status.quarantine).toEqual(quarantine)
    // Nothing is known where the sets are gone.
    const gone = decideStagelet(anInputAfter({ closedSets: [sets[0]!] })).status.quarantine
    expect(gone).toEqual([failed])
  })

  it('wants a newer revision as soon as that service gets something else', () => {
    const head = setAt(6, entriesAt(3))
    const input = anInputAfter({
      head,
      revisions: { epoch: 1, closed: 6, closesAt: undefined, quietAt: 0 },
      closedSets: [head, ...sets],
    })
    expect(decideStagelet(input).status.wantedRevision).toBe(6)
    expect(verdict(input, 'SecretsInSync')).toBe('False/NewRevision')
  })

  it('does not want a newer revision that still holds what failed', () => {
    const head = setAt(6, entriesAt(2, 9))
    const input = anInputAfter({
      head,
      revisions: { epoch: 1, closed: 6, closesAt: undefined, quietAt: 0 },
      closedSets: [head, ...sets],
    })
    expect(decideStagelet(input).status.wantedRevision).toBe(4)
    expect(verdict(input, 'SecretsInSync')).toBe('False/RolledBack')
  })

  it('does not want a revision that takes from the service what it needs', () => {
    const head = setAt(5, [anEntry({ key: 'DB', scope: 'db', version: 1 })])
    const { observation } = anInputAfter()
    const starved = { ...observation!, quarantine: [{ ...failed, digest: '' }] }
    const over = { head, closedSets: [head, sets[1]!] }
    const input = anInputAfter({ ...over, observation: starved })
    expect(decideStagelet(input).status.wantedRevision).toBe(4)
    expect(verdict(input, 'SecretsInSync')).toBe('False/RolledBack')
    const passed = { ...starved, passed: { web: '' } }
    expect(decideStagelet(anInputAfter({ ...over, observation: passed })).status).toMatchObject({
      wantedRevision: 5,
    })
  })

  it('wants it again after a new value of the retry annotation, whatever an old report says', () => {
    const stagelet = aStagelet({ status: { ...status, quarantine: [failed] } })
    stagelet.metadata.annotations = { [annotations.retry]: 'now' }
    const next = decideStagelet(anInputAfter({ stagelet })).status
    expect(next.wantedRevision).toBe(5)
    expect(next.quarantine).toBeUndefined()
  })

  it('forgets it when it has passed after all, and when something newer is healthy', () => {
    const { observation } = anInputAfter()
    const passed = { ...observation!, passed: { web: failed.digest } }
    expect(decideStagelet(anInputAfter({ observation: passed })).status.quarantine).toBeUndefined()
    const head = setAt(6, entriesAt(3))
    const settled = { ...observation!, revision: 6 }
    const input = anInputAfter({
      head,
      observation: settled,
      revisions: { epoch: 1, closed: 6, closesAt: undefined, quietAt: 0 },
      closedSets: [head, ...sets],
    })
    expect(decideStagelet(input).status).toMatchObject({ wantedRevision: 6, healthyRevision: 6 })
    expect(decideStagelet(input).status.quarantine).toBeUndefined()
  })

  it('wants the newest where nothing healthy is known: the first deploy stays and is explained', () => {
    const { healthyRevision: _h, ...never } = status
    const input = anInputAfter({ stagelet: aStagelet({ status: never }), closedSets: [sets[0]!] })
    expect(decideStagelet(input).status.wantedRevision).toBe(5)
  })
})
