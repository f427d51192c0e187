import { expect, it } from 'vitest'
import type { Rotation } from '../../src/generated/rest-types.ts'
import { rotationSummary, runText } from './views.ts'

const rotationWith = (more: Partial<Rotation>): Rotation => ({
  id: 'r',
  name: 'db',
  team: 'default',
  project: 'shop',
  outputs: {},
  rotator: {},
  overlap: '10m',
  away: 'Wait',
  paused: false,
  phase: 'Idle',
  attempt: 1,
  versions: {},
  blocked_by: [],
  released: [],
  evidence: [],
  source: 'api',
  created_at: '2026-03-02',
  conditions: [],
  ...more,
})
const lineOf = (name: string, more: Partial<Rotation>): string | undefined => {
  const found = rotationSummary(rotationWith(more)).find((line) => line.startsWith(`${name}:`))
  return found?.slice(name.length + 1).trim()
}
const nextOf = (more: Partial<Rotation>): string | undefined => lineOf('Next', more)

it('says when the next rotation is, where that is known', () => {
  const schedule = { every: '30d' }
  const nextAt = '2026-03-09T12:00:00Z'
  expect(nextOf({ schedule, next_at: nextAt })).toBe(nextAt)
  expect(nextOf({})).toBe('when somebody asks for it')
  expect(nextOf({ paused: true })).toBe('not while it is paused')
  expect(nextOf({ phase: 'Proving' })).toBe('when somebody asks for it')
  expect(nextOf({ schedule, phase: 'Proving' })).toBe('known when this attempt has ended')
})

it('says which login the outputs name, from when they do', () => {
  const more = { slot: 'app_a', candidate_slot: 'app_b' }
  expect(lineOf('In use', more)).toBe('app_a')
  expect(lineOf('In use', { ...more, phase: 'Setting' })).toBe('app_a')
  expect(lineOf('In use', { ...more, phase: 'Proving', step: 'Switch' })).toBe(
    'app_b, in place of app_a',
  )
  expect(lineOf('In use', { ...more, phase: 'Proving', step: 'Back' })).toBe('app_a')
  expect(lineOf('In use', { phase: 'Proving', candidate_slot: 'app_a' })).toBe('app_a')
})

it('says what was not done, and how often it was looked for clients', () => {
  expect(lineOf('Not done', {})).toBeUndefined()
  expect(lineOf('Not done', { skipped: ['Proving', 'Overlapping', 'Revoking'] })).toBe(
    'nothing was proven; no overlap; no old credential was known, so none was ended',
  )
  const use = { looks: 21, since: '2026-03-02T12:00:00Z', at: '2026-03-02T12:10:00Z' }
  expect(lineOf('Clients', { use })).toBe(
    'looked 21 times for sessions of the old credential, from 2026-03-02T12:00:00Z to 2026-03-02T12:10:00Z: none (what comes and goes between two looks may be unseen)',
  )
  expect(lineOf('Clients', { use: { ...use, watched_ms: 63_000 } })).toMatch(
    /: none \(who logs in at least every 22 s is seen with 95 %, less often with less\)$/,
  )
  expect(lineOf('Clients', { use: { ...use, looks: 1, seen_at: use.since } })).toMatch(
    /^looked once .*: the last one at 2026-03-02T12:00:00Z$/,
  )
  expect(lineOf('Clients', { phase: 'Overlapping' })).toMatch(/^nobody can know/)
})

it('counts the containers of a proof in words', () => {
  const proven = (containers: number) =>
    lineOf('Proven', { evidence: [{ stagelet: 'one', revision: 2, containers }] })
  expect(proven(1)).toBe('one: 1 container, revision 2')
  expect(proven(2)).toBe('one: 2 containers, revision 2')
})

const condition = (type: string, reason: string, message: string) => ({
  type,
  reason,
  message,
  status: 'True' as const,
  since: '2026-03-02',
})

it('gives the lines of a log below the message that they belong to', () => {
  const message = 'web exited with code 1\nlast log lines:\nReady:       True\n'
  const blocked = [{ reason: 'Failed', message }]
  expect(rotationSummary(rotationWith({ blocked_by: blocked }))).toContain(
    'Waits for:   web exited with code 1\n             last log lines:\n             Ready:       True',
  )
})

const proving = condition('Progressing', 'Proving', 'attempt 2: until it is proven')
const underWay = { phase: 'Proving' as const, started_at: '2026-03-02T12:00:00Z' }
it.each([
  [{}, false, 'rotation/db starts'],
  [
    { conditions: [condition('Progressing', 'Waiting', 'rotation "other" must end first')] },
    true,
    'rotation/db starts later: rotation "other" must end first',
  ],
  [
    { conditions: [condition('Ready', 'Refused', 'an output is missing')] },
    true,
    'rotation/db starts once it is Ready: an output is missing',
  ],
  [
    { ...underWay, conditions: [proving] },
    true,
    'rotation/db is under way since 2026-03-02T12:00:00Z, in Proving (attempt 2: until it is proven): it goes on without the overlap',
  ],
  [{ ...underWay, conditions: [proving] }, false, /: another attempt begins after it$/],
  [{ ...underWay, phase: 'Setting' as const }, true, /\(attempt 1\): it makes the new credential$/],
])('says what a run that is asked for leads to: %o, in haste %s', (more, isHasty, expected) => {
  const text = runText(rotationWith(more), { isHasty })
  if (typeof expected === 'string') expect(text).toBe(expected)
  else expect(text).toMatch(expected)
})
