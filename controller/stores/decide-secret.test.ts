import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import { checked, decideFetched, decideRemoval, decideSeen } from './decide-secret.ts'
import { storeSecretOf, type StoreSecret } from './store-secret.ts'

const now = { nowMs: 1_800_000_000_000, place: 'here' }
const secret = (
  last: StoreSecret['last'] = { version: 'v1', place: 'here', fetchedAt: 'then' },
  reason: string | undefined = 'Checked',
  spec: object = {},
): StoreSecret =>
  storeSecretOf({
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name: 'db', namespace: 'default', uid: 'u' },
    spec: {
      projectRef: { name: 'shop' },
      key: 'DB',
      scope: 'global',
      type: 'env',
      valueFrom: { external: { store: 'aws', key: 'prod/db' } },
      ...spec,
    },
    status: {
      version: 1,
      external: last,
      conditions:
        reason === undefined
          ? []
          : reason === 'Checked'
            ? [{ type: 'Fresh', ...checked, lastTransitionTime: '' }]
            : [{ type: 'Fresh', status: 'False', reason, message: '', lastTransitionTime: '' }],
    },
  })!
const value = (text: string, version = 'v2'): { version: string; value: Buffer } => ({
  version,
  value: Buffer.from(text),
})

describe('what a look says of a secret', () => {
  it('is nothing where the version is the one that was fetched', () => {
    expect(decideSeen(secret(), { version: 'v1' }, now)).toBeUndefined()
    expect(decideSeen(secret(undefined, 'Refused'), { version: 'v1' }, now)).toBeUndefined()
  })

  it('is to fetch what is new, of another place, or of which nothing is known', () => {
    expect(decideSeen(secret(), { version: 'v2' }, now)).toBe('fetch')
    expect(decideSeen(secret({ version: 'v1', place: 'there' }), { version: 'v1' }, now)).toBe(
      'fetch',
    )
    for (const reason of ['MissingUpstream', 'ForbiddenUpstream', 'NotAllowed', 'StoreMissing'])
      expect(decideSeen(secret(undefined, reason), { version: 'v1' }, now)).toBe('fetch')
  })

  it('is that a stale value is checked again', () => {
    expect(decideSeen(secret(undefined, 'Stale'), { version: 'v1' }, now)).toMatchObject({
      fresh: { status: 'True', reason: 'Checked' },
    })
  })

  it('is a new end of the same version, which costs no fetch', () => {
    const expiresAt = '2027-01-01T00:00:00Z'
    const last = { version: 'v1', place: 'here', fetchedAt: 'then' }
    expect(decideSeen(secret(), { version: 'v1', expiresAt }, now)).toMatchObject({
      last: { ...last, expiresAt },
    })
    const ending = secret({ ...last, expiresAt })
    expect(decideSeen(ending, { version: 'v1', expiresAt }, now)).toBeUndefined()
    expect(decideSeen(ending, { version: 'v1' }, now)).toMatchObject({ last })
  })

  it('leaves the end that the served value has, where another value is not taken', () => {
    const before = '2027-01-01T00:00:00Z'
    const later = { version: 'v2', expiresAt: '2028-01-01T00:00:00Z' }
    const ending = secret({ version: 'v1', place: 'here', expiresAt: before })
    expect(decideSeen(ending, { absent: 'missing' }, now)).toMatchObject({
      last: { expiresAt: before },
    })
    const refused = decideFetched(ending, { ...later, value: Buffer.alloc(0) }, now)!
    expect(refused.last).toMatchObject({ version: 'v2', expiresAt: before })
    expect(decideSeen(secret(refused.last, 'Refused'), later, now)).toBeUndefined()
    const taken = decideFetched(ending, { ...later, value: Buffer.from('x') }, now)!
    expect(taken.last.expiresAt).toBe(later.expiresAt)
  })

  it('is since when it is missing, and the same the next time', () => {
    const first = decideSeen(secret(), { absent: 'missing' }, now)
    expect(first).toMatchObject({
      last: { version: 'v1', missingSince: '2027-01-15T08:00:00Z' },
      fresh: { reason: 'MissingUpstream' },
    })
  })
})

describe('what a fetched answer means', () => {
  it('is a value, with the version of the store', () => {
    expect(decideFetched(secret(), value('secret'), now)).toMatchObject({
      value: Buffer.from('secret'),
      last: { version: 'v2', place: 'here', fetchedAt: '2027-01-15T08:00:00Z' },
      fresh: { reason: 'Checked' },
    })
  })

  it.each([
    ['', {}, 'Refused'],
    ['canary', { format: 'port' }, 'Refused'],
    ['canary\0', {}, 'Refused'],
    ['x'.repeat(200_000), {}, 'Refused'],
    ['canary', { valueFrom: { external: { store: 'a', key: 'k', property: '/a' } } }, 'Refused'],
    [
      '{}',
      { valueFrom: { external: { store: 'a', key: 'k', property: '/a' } } },
      'PropertyMissing',
    ],
  ])('is no value where it breaks a rule (%#)', (text, spec, reason) => {
    const said = decideFetched(secret(undefined, 'Checked', spec), value(text), now)
    expect(said?.value).toBeUndefined()
    expect(said?.fresh.reason).toBe(reason)
    expect(said?.fresh.message).not.toContain('canary')
    expect(said?.last.version).toBe('v2')
  })
})

describe('what is removed', () => {
  const missing = (since: number): StoreSecret =>
    secret({ version: 'v1', place: 'here', missingSince: toFineTimestamp(since) })
  const long = missing(now.nowMs - 300_000)
  const facts = {
    all: 4,
    everyMs: 300_000,
    nowMs: now.nowMs,
    areDeletionsHeld: false,
    isResumed: false,
  }

  it('is what was missing for the time between two looks', () => {
    expect(decideRemoval([long, missing(now.nowMs - 200_000)], facts).remove).toEqual([long])
    expect(decideRemoval([secret()], facts).remove).toEqual([])
  })

  it('is nothing where more than half is missing, until somebody says so', () => {
    const three = [long, long, missing(now.nowMs - 200_000)]
    expect(decideRemoval(three, facts)).toEqual({ remove: [], areDeletionsHeld: true })
    expect(decideRemoval([long], { ...facts, areDeletionsHeld: true })).toEqual({
      remove: [],
      areDeletionsHeld: true,
    })
    expect(decideRemoval(three, { ...facts, areDeletionsHeld: true, isResumed: true })).toEqual({
      remove: three,
      areDeletionsHeld: false,
    })
    expect(decideRemoval([long, long], facts).areDeletionsHeld).toBe(false)
  })
})
