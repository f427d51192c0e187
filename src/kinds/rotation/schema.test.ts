import { toFineTimestamp } from '../../kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import { checkRotation } from './rules.ts'
import { rotationSpec } from './schema.ts'
import { isWindowOpen, windowLength, openingAt, shareOf, startAt } from './window.ts'

const outputs = { username: 'db-user', password: 'db-password' }
const inside = { stagelet: 'shop', service: 'postgres' }
const postgres = { in: inside, database: 'shop', owner: 'app', roles: ['app_a', 'app_b'] }
const good = { projectRef: { name: 'shop' }, outputs, rotator: { postgres } }
const generate = { ...good, outputs: { current: 'a', list: 'b' }, rotator: { generate: {} } }

const faultsOf = (more: object, base: object = good): string[] => {
  const spec = { ...base, ...more }
  const parsed = rotationSpec.safeParse(spec)
  const own = parsed.success ? [] : parsed.error.issues.map(({ message }) => message)
  return [...own, ...checkRotation(spec).map(({ field, message }) => `${field}: ${message}`)]
}

describe('the rules of a Rotation', () => {
  const every = '30d'
  const window = { from: '02:00', to: '05:00' }
  it.each<[string, object, object, RegExp]>([
    ['no rotator', { rotator: {} }, good, /spec.rotator: Required.*exactly one of postgres/],
    ['two', { rotator: { postgres, generate: {} } }, good, /rotator.generate: Forbidden/],
    ['no place', { rotator: { postgres: { ...postgres, in: undefined } } }, good, /in and at/],
    [
      'two places',
      { rotator: { postgres: { ...postgres, at: { host: 'db', adminRef: { name: 'a' } } } } },
      good,
      /rotator.postgres: Forbidden.*in and at/,
    ],
    ...['redis', 'mariadb'].map((name): [string, object, object, RegExp] => [
      `${name} over the network`,
      {
        outputs: name === 'redis' ? { password: 'p' } : outputs,
        rotator: {
          [name]: {
            ...(name === 'redis' ? {} : { database: 'shop', users: ['a', 'b'] }),
            at: { host: 'db', adminRef: { name: 'a' } },
          },
        },
      },
      good,
      /say in, with the stagelet.*only postgres can be changed over the network \(at\)/,
    ]),
    [
      'equal roles',
      { rotator: { postgres: { ...postgres, roles: ['app_a', 'app_a'] } } },
      good,
      /roles: .*two different names/,
    ],
    [
      'one role without inPlace',
      { rotator: { postgres: { ...postgres, roles: ['app_a'] } } },
      good,
      /roles: .*give two names/,
    ],
    ['two roles with inPlace', { inPlace: true }, good, /roles: .*give its name alone/],
    [
      'an owner that takes turns',
      { rotator: { postgres: { ...postgres, roles: ['app', 'app_b'] } } },
      good,
      /"app" is owner/,
    ],
    ['inPlace of what has no password', { inPlace: true }, generate, /inPlace: Forbidden/],
    ['an unknown output', { outputs: { ...outputs, url: 'x' } }, good, /outputs.url: Forbidden/],
    ['a missing output', { outputs: { password: 'x' } }, good, /outputs.username: Required/],
    ['no outputs', { outputs: {} }, good, /outputs: Required/],
    ['one secret twice', { outputs: { current: 'a', list: 'a' } }, generate, /same secret/],
    ['every under overlap', { schedule: { every: '5m' } }, good, /longer than the overlap, 10m/],
    [
      'a login that would be an option',
      { rotator: { postgres: { ...postgres, roles: ['-h', 'app_b'] } } },
      good,
      /not begin with one of the last three/,
    ],
    ['seconds', { overlap: '30s' }, good, /90s, 30m, 12h or 90d; 1m is the shortest/],
    ['no time', { schedule: { every: '30 days' } }, good, /30m, 12h or 90d/],
    [
      'a window that never opens',
      { schedule: { every, window: { from: '02:00', to: '02:00' } } },
      good,
      /window.to: .*never opens/,
    ],
    ['no days', { schedule: { every, window: { ...window, days: [] } } }, good, /Too small/],
    [
      'an unknown time zone',
      { schedule: { every, window: { ...window, timezone: 'Europe/Atlantis' } } },
      good,
      /timezone: .*no such time zone/,
    ],
    [
      '25 o’clock',
      { schedule: { every, window: { from: '25:00', to: '02:00' } } },
      good,
      /time of/,
    ],
    ['RevokeAfter without a time', { away: 'RevokeAfter' }, good, /revokeAfter: Required/],
    ['a time without RevokeAfter', { revokeAfter: '72h' }, good, /revokeAfter: Forbidden/],
  ])('refuse %s', (_, more, base, expected) => {
    expect(faultsOf(more, base).join('\n')).toMatch(expected)
  })

  it('take logins with the names that databases have', () => {
    const roles = ['svc.app-a', '2nd_login$']
    expect(faultsOf({ rotator: { postgres: { ...postgres, roles } } })).toEqual([])
  })

  it('refuse all of it at once', () => {
    const roles = ['app', 'app']
    const all = faultsOf({
      outputs: { password: 'a', url: 'a' },
      away: 'RevokeAfter',
      rotator: { postgres: { ...postgres, roles, in: undefined } },
      schedule: { every: '1m', window: { from: '02:00', to: '02:00', timezone: 'Nowhere' } },
    })
    expect(all).toHaveLength(10)
  })

  it('take what makes sense', () => {
    expect(faultsOf({})).toEqual([])
    expect(faultsOf({}, generate)).toEqual([])
    const mariadb = { in: inside, database: 'shop', users: ['a', 'b'], from: '10.0.%' }
    expect(faultsOf({ rotator: { mariadb } })).toEqual([])
    expect(
      faultsOf({ schedule: { every, window }, away: 'RevokeAfter', revokeAfter: '72h' }),
    ).toEqual([])
    const oneRole = { postgres: { ...postgres, roles: ['app_a'] } }
    expect(faultsOf({ inPlace: true, rotator: oneRole, outputs: { password: 'p' } })).toEqual([])
    expect(
      faultsOf({
        outputs: { token: 't' },
        rotator: { webhook: { url: 'https://a/', signingKeyRef: { name: 'k' } } },
      }),
    ).toEqual([])
  })
})

const msOf = (text: string): number => Date.parse(text)
const iso = (ms: number): string => toFineTimestamp(ms).replace(':00.000Z', 'Z')

describe('a window', () => {
  const berlin = { from: '02:00', to: '05:00', timezone: 'Europe/Berlin' }
  const night = { from: '22:00', to: '04:00', days: ['Fri' as const] }

  it('is open in its time zone, in summer and in winter, and past midnight', () => {
    expect(isWindowOpen(berlin, msOf('2026-07-01T00:00Z'))).toBe(true)
    expect(isWindowOpen(berlin, msOf('2026-07-01T03:00Z'))).toBe(false)
    expect(isWindowOpen(berlin, msOf('2026-12-01T00:30Z'))).toBe(false)
    expect(isWindowOpen(berlin, msOf('2026-12-01T01:00Z'))).toBe(true)
    expect(isWindowOpen(night, msOf('2026-11-27T21:59Z'))).toBe(false)
    expect(isWindowOpen(night, msOf('2026-11-27T22:00Z'))).toBe(true)
    expect(isWindowOpen(night, msOf('2026-11-28T03:59Z'))).toBe(true)
    expect(isWindowOpen(night, msOf('2026-11-28T22:30Z'))).toBe(false)
    expect(windowLength(night)).toBe(6 * 3_600_000)
  })

  it.each([
    [{ ...berlin, days: ['Mon' as const] }, '2026-11-28T12:00Z', '2026-11-30T01:00Z'],
    [berlin, '2026-03-28T12:00Z', '2026-03-29T01:00Z'], // 02:00 is 03:00 in that night
    [berlin, '2026-10-24T12:00Z', '2026-10-25T00:00Z'],
    [night, '2026-11-27T23:10Z', '2026-11-27T23:10Z'],
    [night, '2026-11-28T05:00Z', '2026-12-04T22:00Z'],
  ])('opens next at its time: %j after %s', (window, after, expected) => {
    const opening = openingAt(window, msOf(after))
    expect(isWindowOpen(window, opening)).toBe(true)
    expect(iso(opening)).toBe(expected)
  })

  it('spreads what is due over its length, by uid, and a missed one is the next', () => {
    const schedule = { every: '30d', window: { from: '02:00', to: '04:00' } }
    const [early, late] = ['10000000-0000', 'f0000000-0000']
    const start = (uid: string, due: string, now: string): string =>
      iso(startAt(schedule, { uid, dueMs: msOf(due), nowMs: msOf(now) }))
    expect(shareOf(late)).toBeGreaterThan(0.9)
    const due = '2026-01-31T12:00Z'
    expect(start(early, due, due)).toBe('2026-02-01T02:07:30.000Z')
    expect(start(late, due, due)).toBe('2026-02-01T03:52:30.000Z')
    // The controller was away: now is within the window, or after it.
    expect(start(early, due, '2026-02-05T03:00Z')).toBe('2026-02-05T03:00Z')
    expect(start(early, due, '2026-02-05T05:00Z')).toBe('2026-02-06T02:07:30.000Z')
    expect(iso(startAt({ every: '1d' }, { uid: late, dueMs: msOf(due), nowMs: msOf(due) }))).toBe(
      due,
    )
  })
})
