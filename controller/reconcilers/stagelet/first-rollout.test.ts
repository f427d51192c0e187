import { describe, expect, it } from 'vitest'
import { aStagelet, anEntry, anInput } from '../../../test/support/builders.ts'
import { decideStagelet } from './decide.ts'
import { awaitedBy } from './first-rollout.ts'
import type { StageletInput } from './facts.ts'

const entries = [anEntry({ key: 'A' }), anEntry({ key: 'B', secretId: 'b', stagelet: 'other' })]
const nowMs = Date.parse('2026-01-01T00:00:00Z')
const since = '2025-01-01T00:00:00Z'
const project = { uid: 'p', since }

const requiring = (...requires: string[]): StageletInput['stagelet'] => {
  const stagelet = aStagelet()
  const compose = { ...stagelet.spec.compose, requires }
  return { ...stagelet, spec: { ...stagelet.spec, compose } }
}
const given = (over: Partial<StageletInput>): StageletInput =>
  anInput(entries, { project, ...over })
const quietIn = (ms: number): StageletInput['revisions'] => ({
  epoch: 1,
  closed: 1,
  closesAt: undefined,
  quietAt: nowMs + ms,
})

describe('a first rollout', () => {
  it('waits until each required key is there for this stagelet, and says which are not', () => {
    const input = given({ stagelet: requiring('A', 'B', 'C') })
    expect(awaitedBy(input)?.message).toMatch(/waits for B, C \(spec.compose.requires\)/)
    const { status } = decideStagelet(input)
    expect(status.wantedRevision).toBeUndefined()
    const reasons = status.conditions?.map((c) => `${c.type}=${c.status}/${c.reason}`)
    expect(reasons).toContain('Progressing=False/WaitingForSecrets')
    expect(reasons).toContain('SecretsInSync=False/WaitingForSecrets')
    expect(awaitedBy(given({ stagelet: requiring('A') }))).toBeUndefined()
  })

  it('waits until its project is quiet, and no longer than 10 s for that', () => {
    expect(awaitedBy(given({ revisions: quietIn(0) }))).toBeUndefined()
    const late = given({ revisions: quietIn(1_500), project: { uid: 'p', since: '' } })
    const stagelet = (created: string): StageletInput['stagelet'] => {
      const made = aStagelet()
      return { ...made, metadata: { ...made.metadata, creationTimestamp: created } }
    }
    const young = { ...late, stagelet: stagelet('2025-12-31T23:59:55Z') }
    expect(awaitedBy(young)).toMatchObject({ reason: 'AwaitingQuiet', until: nowMs + 1_500 })
    const old = { ...late, stagelet: stagelet('2025-12-31T23:59:49Z') }
    expect(awaitedBy(old)).toBeUndefined()
  })

  it('is one again under a project that was made anew, and keeps what was wanted before', () => {
    const stagelet = requiring('MISSING')
    const compared = { ...stagelet, status: { wantedRevision: 7, project } }
    expect(awaitedBy(given({ stagelet: compared }))).toBeUndefined()
    const anew = given({ stagelet: compared, project: { uid: 'p', since: '2025-06-01T00:00:00Z' } })
    expect(awaitedBy(anew)?.reason).toBe('WaitingForSecrets')
    expect(decideStagelet(anew).status).toMatchObject({ wantedRevision: 7, project })
  })

  const seen = (revision: number, place: string): StageletInput['closedSets'][number] => ({
    projectUid: 'p',
    epoch: 1,
    revision,
    entries,
    place,
    isLaidOut: true,
  })
  const wantedOf = (over: Partial<StageletInput>): number | undefined =>
    decideStagelet(given({ head: seen(3, 'preview alone'), ...over })).status.wantedRevision

  it('takes no revision in which the stagelet is in another environment, or in none', () => {
    const revisions = { ...quietIn(0)!, closed: 2, closesAt: nowMs + 300 }
    for (const place of ['', 'preview', 'production']) {
      const closedSets = [seen(2, place)]
      expect(wantedOf({ revisions, closedSets }), place).toBeUndefined()
      const input = given({ revisions, closedSets, head: seen(3, 'preview alone') })
      expect(awaitedBy(input)).toMatchObject({ reason: 'AwaitingQuiet', until: nowMs + 300 })
    }
    expect(wantedOf({ revisions, closedSets: [seen(2, 'preview alone')] })).toBe(2)
  })

  it('waits for its turn where the revision of its turn has it in no environment', () => {
    const stagelet = aStagelet()
    const admitted = { revision: 1, at: '2025-12-31T23:59:00Z', retry: '', project: 'p' }
    const staged = {
      isStaged: true,
      stagelet: { ...stagelet, status: { admitted } },
      revisions: { ...quietIn(0)!, closed: 2 },
      closedSets: [seen(2, 'preview alone')],
    }
    expect(wantedOf(staged)).toBeUndefined()
    expect(wantedOf({ ...staged, isStaged: false })).toBe(2)
  })

  it('leaves a stagelet that has run where it is: what ran before is what it goes back to', () => {
    const stagelet = { ...aStagelet(), status: { wantedRevision: 1, project } }
    const revisions = { ...quietIn(0)!, closed: 2, closesAt: nowMs + 300 }
    expect(wantedOf({ stagelet, revisions, closedSets: [seen(2, '')] })).toBe(2)
  })
})
