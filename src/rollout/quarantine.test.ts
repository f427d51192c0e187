import { describe, expect, it } from 'vitest'
import { anEntry } from '../../test/support/builders.ts'
import type { Quarantined } from '../kinds/observation/schema.ts'
import type { SetEntry } from '../secrets/visible.ts'
import {
  digestFor,
  liveQuarantine,
  mergeQuarantine,
  attributeFailure,
  type QuarantineFacts,
} from './quarantine.ts'

const other = anEntry({ key: 'OTHER' })
const good: SetEntry[] = [anEntry({ key: 'KEY', scope: 'web', version: 1 }), other]
const bad: SetEntry[] = [anEntry({ key: 'KEY', scope: 'web', version: 2 }), other]
const failed: Quarantined = {
  service: 'web',
  digest: digestFor('shop', 'web', bad),
  revision: 5,
  retry: '',
  message: 'crashed',
}
const facts: QuarantineFacts = {
  stagelet: 'shop',
  retry: '',
  passed: {},
  healthyRevision: 4,
  newest: bad,
}

describe('what failed', () => {
  it.each<[string, Partial<QuarantineFacts>, boolean]>([
    ['counts while nothing has changed', {}, true],
    ['ends by another value of the retry annotation', { retry: 'now' }, false],
    ['ends by passing after all', { passed: { web: failed.digest } }, false],
    ['counts where the service passed with other values', { passed: { web: 'other' } }, true],
    ['counts while nothing newer is healthy', { newest: good }, true],
    ['ends when something newer is healthy', { newest: good, healthyRevision: 6 }, false],
    ['counts while the newest set holds it', { healthyRevision: 6 }, true],
    ['counts where no set is known', { newest: undefined, healthyRevision: 6 }, true],
  ])('%s', (_, over, counts) => {
    expect(liveQuarantine([failed], { ...facts, ...over })).toEqual(counts ? [failed] : [])
  })

  it('may be that the service got nothing', () => {
    const starved = { ...failed, digest: '' }
    const without = { ...facts, newest: [], healthyRevision: 6 }
    expect(liveQuarantine([starved], without)).toEqual([starved])
    expect(liveQuarantine([starved], { ...without, passed: { web: '' } })).toEqual([])
  })

  it('is named once, with the last message, and the newest 20 are kept', () => {
    const again = { ...failed, message: 'again' }
    expect(mergeQuarantine([failed, again])).toEqual([again])
    expect(mergeQuarantine([failed, { ...failed, message: '' }])).toEqual([failed])
    const many = Array.from({ length: 25 }, (_, i) => ({ ...failed, digest: String(i) }))
    expect(mergeQuarantine(many)).toEqual(many.slice(-20))
  })
})

describe('the services to blame for a failed gate', () => {
  const blamed = (
    service: string,
    dependencies: string[] = [],
    sets: { failed: SetEntry[]; healthy: SetEntry[] | undefined } = { failed: bad, healthy: good },
  ): string[] => attributeFailure('shop', { service, dependencies }, sets)

  it('are the failed one, where it got something new or had something taken away', () => {
    expect(blamed('web')).toEqual(['web'])
    expect(blamed('web', ['db'])).toEqual(['web'])
    expect(blamed('web', [], { failed: [other], healthy: good })).toEqual(['web'])
  })

  it('are else those of its dependencies that got something new', () => {
    expect(blamed('db', ['cache', 'web'])).toEqual(['web'])
  })

  it('are none where going back gives none of them other values', () => {
    expect(blamed('db')).toEqual([])
    expect(blamed('db', ['cache'])).toEqual([])
    expect(blamed('web', [], { failed: [], healthy: [] })).toEqual([])
    expect(blamed('db', ['web'], { failed: bad, healthy: undefined })).toEqual([])
  })
})
