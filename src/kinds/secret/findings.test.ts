import { describe, expect, it } from 'vitest'
import {
  keptFindings,
  leakedVersions,
  mostFindings,
  settleFindings,
  withFinding,
  type FoundState,
  type SecretFinding,
} from './findings.ts'

const foundAt = '2026-03-01T00:00:00Z'
const now = '2026-03-02T00:00:00Z'
const day = 86_400_000
const finding = (id: string, more: Partial<SecretFinding> = {}): SecretFinding => ({
  id,
  version: 1,
  repository: 'acme/shop',
  path: `${id}.env`,
  line: 1,
  foundAt,
  ...more,
})
const closed = { closedAt: foundAt, closedAs: 'Superseded' } as const

describe('findings of a secret', () => {
  it.each<[FoundState, boolean, string | undefined]>([
    ['current', false, undefined],
    ['current', true, undefined],
    ['superseded', true, undefined],
    ['superseded', false, 'Superseded'],
    ['revoked', true, 'Revoked'],
    ['revoked', false, 'Revoked'],
    [undefined, true, 'Superseded'],
  ])(
    'of a value that is %s, where a Rotation ends old ones: %s, are closed as %s',
    (state, canEnd, as) => {
      const [settled] = settleFindings([finding('a')], () => state, { now, canEnd })
      expect([settled?.closedAs, settled?.closedAt]).toEqual([
        as,
        as === undefined ? undefined : now,
      ])
      const [again] = settleFindings([finding('a', closed)], () => state, { now, canEnd })
      expect(again?.closedAt).toBe(as === undefined ? undefined : foundAt)
    },
  )

  it('are kept once for each file, and so many at most: closed ones make room', () => {
    const full = Array.from({ length: mostFindings }, (_, i) => finding(`f${i}`))
    expect(withFinding(full, finding('f0'))).toEqual({ findings: full, outcome: 'known' })
    expect(withFinding(full, finding('new')).outcome).toBe('full')
    const room = [...full.slice(1), finding('f0', closed)]
    const next = withFinding(room, finding('new'))
    expect([next.outcome, next.findings.length]).toEqual(['new', mostFindings])
    expect(next.findings).not.toContainEqual(expect.objectContaining({ id: 'f0' }))
    expect(withFinding(room, finding('f0')).findings.at(-1)).toEqual(finding('f0'))
  })

  it('make the secret due while they are open, and are dropped 30 days after they have closed', () => {
    expect(leakedVersions([finding('a', { version: 7 }), finding('b')])).toBe('versions 1, 7 were')
    expect(leakedVersions([finding('a', closed)])).toBeUndefined()
    const since = Date.parse(foundAt)
    const both = [finding('a'), finding('b', closed)]
    expect(keptFindings(both, since + 30 * day - 1)).toEqual({
      kept: { findings: both },
      nextAt: since + 30 * day,
    })
    expect(keptFindings(both, since + 30 * day)).toEqual({
      kept: { findings: [both[0]] },
      nextAt: undefined,
    })
    expect(keptFindings(undefined, since).kept).toEqual({})
  })
})
