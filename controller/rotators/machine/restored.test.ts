import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { idleFacts } from '../../../test/support/rotation-facts.ts'
import { describe, expect, it } from 'vitest'
import type { Restored, RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { fromFor, holdIn } from '../../../src/rollout/restored.ts'
import { decideRotation } from './decide.ts'
import { afterRefusal } from './store-refusal.ts'
import type { RotationFacts, Move } from './facts.ts'
import { nothingToProve } from '../proof/proof.ts'
import { decideRestored, renewed, stayUntested, type TestedCredentials } from './restored.ts'

const minute = 60_000
const now = Date.parse('2026-03-02T12:00:00Z')
const at = (ms: number): string => toFineTimestamp(now + ms).replace('.000Z', 'Z')

const spec = {
  projectRef: { name: 'shop' },
  outputs: { username: 'u', password: 'p' },
  rotator: {},
  overlap: '10m',
  away: 'Wait',
} as RotationSpec
const facts = idleFacts(now, now - 90 * minute)
const restored = (state: Restored['state'] = 'Untested'): RotationStatus => ({
  restored: { at: at(0), takenAt: at(-600 * minute), state, message: '' },
})
const idle: RotationStatus = {
  phase: 'Idle',
  attempt: 4,
  slot: 'a',
  endedAt: at(-minute),
  lastRotatedAt: at(-minute),
  ...restored(),
}
const inside = (phase: RotationStatus['phase'], more: RotationStatus = {}): RotationStatus => ({
  phase,
  attempt: 5,
  slot: 'a',
  candidateSlot: 'b',
  hasOld: true,
  step: 'Switch',
  phaseSince: at(-900 * minute),
  provingSince: at(-900 * minute),
  revision: 7,
  provenSince: at(-800 * minute),
  versions: { password: 3 },
  ...restored(),
  ...more,
})

/** Outputs, candidate, old: y is accepted, n refused, - not there. */
const seen = (text: string): TestedCredentials => {
  const [outputs, candidate, old] = Array.from(text, (one) =>
    one === '-' ? undefined : one === 'y' ? ('accepted' as const) : ('refused' as const),
  )
  return { outputs, candidate, old }
}
const said = ({ status, rotationEvent }: Move): string => {
  const { phase = 'Idle', step, cause, revokeStartedAt, restored: of, failure } = status
  const words = [
    phase,
    phase === 'Idle' ? undefined : step,
    cause === 'Refused' ? 'Refused' : undefined,
    revokeStartedAt === undefined ? undefined : 'no way back',
    of?.state ?? 'no mark',
    of?.revision === undefined ? undefined : `from ${of.revision}`,
    failure?.reason,
    rotationEvent && `(${rotationEvent.reason})`,
  ]
  return words.filter((one) => one !== undefined).join(' ')
}

type Row = readonly [string, RotationStatus, string, string]
const back = { step: 'Back', failure: { reason: 'RolledBack', message: '' } } as const
const rows: readonly Row[] = [
  ['nothing outside knows it', idle, '---', 'Idle no mark'],
  ['nothing outside knows an attempt', inside('Revoking'), '---', 'Proving Switch no mark'],
  ['it is accepted', idle, 'y--', 'Idle Accepted (CredentialTested)'],
  ['it is refused', idle, 'n--', 'Preparing Refused Renewing (CredentialRefused)'],
  [
    'an attempt has written nothing, and its credential runs',
    inside('Setting'),
    'nyn',
    'RollingOut Switch no way back Renewing (CredentialTested)',
  ],
  [
    'an attempt has written nothing, and both are accepted',
    inside('Testing'),
    'yyy',
    'RollingOut Switch Renewing (CredentialTested)',
  ],
  [
    'an attempt has written nothing, and its credential is unknown',
    inside('RollingOut'),
    'yny',
    'Idle Accepted Restored (CredentialTested)',
  ],
  [
    'an attempt has written nothing, and neither is accepted',
    inside('Setting'),
    'nnn',
    'Preparing Refused Renewing (CredentialRefused)',
  ],
  [
    'an attempt had failed',
    inside('Setting', { failure: { reason: 'SetFailed', message: '' } }),
    'yyy',
    'Idle Accepted Restored (CredentialTested)',
  ],
  [
    'an attempt has written what is accepted',
    inside('Overlapping'),
    'yyy',
    'Proving Switch Accepted from 7 (CredentialTested)',
  ],
  [
    'the old one was ended since',
    inside('Proving'),
    'yyn',
    'Proving Switch no way back Accepted from 7 (CredentialTested)',
  ],
  [
    'the end of the old one had begun',
    inside('Revoking', { revokeStartedAt: at(-minute) }),
    'yyy',
    'Proving Switch no way back Accepted from 7 (CredentialTested)',
  ],
  [
    'an attempt has gone back since',
    inside('Proving'),
    'nny',
    'RollingOut Back Renewing Restored (RotationFailed)',
  ],
  [
    'what an attempt has written is refused, and the end of the old one had begun',
    inside('Revoking', { revokeStartedAt: at(-minute) }),
    'nny',
    'Preparing Refused Renewing (CredentialRefused)',
  ],
  [
    'an attempt goes back',
    inside('RollingOut', back),
    'nny',
    'RollingOut Back Renewing RolledBack (CredentialTested)',
  ],
  [
    'an attempt has gone back',
    inside('Proving', back),
    'yny',
    'Proving Back Accepted RolledBack (CredentialTested)',
  ],
]

describe('what follows after a restore where', () => {
  it.each(rows)('%s', (_, status, looks, expected) => {
    expect(said(decideRestored(spec, status, facts, seen(looks)))).toBe(expected)
  })

  it('what was proven before the backup is proven anew', () => {
    const { status } = decideRestored(spec, inside('Overlapping'), facts, seen('yyy'))
    expect(status).toMatchObject({ phaseSince: at(0), provingSince: at(0) })
    expect(status.provenSince).toBeUndefined()
  })

  it('the rotation may not begin: the reason is said', () => {
    const paused = decideRestored({ ...spec, paused: true }, idle, facts, seen('n--'))
    expect(said(paused)).toBe('Idle Renewing (CredentialRefused)')
    expect(paused.status.restored?.message).toMatch(/No other one is made: spec.paused is true/)
    const faulty = decideRestored(spec, idle, { ...facts, faults: ['no output'] }, seen('n--'))
    expect(faulty.rotationEvent?.message).toMatch(/No other one is made: no output$/)
  })

  it('nobody answers: it is told once, and asked again', () => {
    const first = stayUntested(idle, now, { why: 'agent box is away', away: [] })
    expect(said(first)).toBe('Idle Unknown (CredentialUntested)')
    expect(first.status).toMatchObject({ tries: 1, retryAt: at(minute) })
    expect(first.rotationEvent?.message).toMatch(/delivered all the same: agent box is away$/)
    const second = stayUntested(first.status, now + minute, {
      why: 'agent box is away',
      away: [],
    })
    expect(said(second)).toBe('Idle Unknown')
    expect(second.status.retryAt).toBe(at(5 * minute))
  })

  it('nobody answers: those whose agents are away get nothing before it was asked again', () => {
    const why = 'agent box is away'
    const { status, rotationEvent } = stayUntested(idle, now, { why, away: ['two', 'one'] })
    const rotation = { kind: 'Rotation', metadata: { name: 'db' }, status } as never
    const froms = (of: never): number[] =>
      ['one', 'two', 'other'].map((s) => fromFor(holdIn(of), s))
    expect(froms(rotation)).toEqual([Infinity, Infinity, 0])
    const answered = { ...status, restored: { ...status.restored!, state: 'Accepted' } }
    expect(
      froms({ kind: 'Rotation', metadata: { name: 'db' }, status: answered } as never),
    ).toEqual([0, 0, 0])
    expect(rotationEvent?.message).toMatch(
      /delivered all the same, but not to one, two, whose agent is away/,
    )
    const near = { retryAt: at(minute) }
    expect(decided({ ...status, ...near }, { away: ['one', 'two'] })).toBe('wait 1')
    expect(decided({ ...status, ...near }, { away: ['one'] })).toBe('verify')
    const again = stayUntested(status, now, { why, away: ['one', 'other'] })
    expect(again.status.restored?.awaiting).toEqual(['one'])
    expect(again.rotationEvent).toBeUndefined()
    const all = stayUntested(again.status, now, { why, away: [] })
    expect(all.status.restored).not.toHaveProperty('awaiting')
    const seenOnes = decideRestored(spec, again.status, facts, seen('y--'))
    expect(seenOnes.status.restored).not.toHaveProperty('awaiting')
  })

  it('nobody answers any more: what was seen to be refused is not delivered', () => {
    const renewing = stayUntested({ ...idle, ...restored('Renewing') }, now, {
      why: 'away',
      away: [],
    })
    expect(said(renewing)).toBe('Idle Renewing')
    expect(renewing.status.retryAt).toBe(at(minute))
    const halfSeen = { why: 'the service says failed', outputs: 'refused', away: [] } as const
    const first = stayUntested(inside('Proving'), now, halfSeen)
    expect(said(first)).toBe('Proving Switch Refused (CredentialRefused)')
    expect(first.status.tries).toBe(1)
    const away = stayUntested(first.status, now + minute, { why: 'away', away: [] })
    expect(said(away)).toBe('Proving Switch Refused')
    expect(away.status.tries).toBe(1)
    expect(stayUntested(away.status, now, halfSeen).status.tries).toBe(2)
  })

  it('an attempt of then goes on, and an output does not take its value: services may run it already', () => {
    const invalid = { reason: 'Invalid', message: 'it does not match spec.pattern' }
    const { status } = decideRestored(spec, inside('Setting'), facts, seen('nyn'))
    expect(afterRefusal(status, now, invalid)).toMatchObject({
      status: {
        phase: 'RollingOut',
        retryAt: at(10_000),
        blockedBy: [invalid],
        restored: { state: 'Renewing' },
      },
    })
    const { restored: _, ...ordinary } = inside('RollingOut')
    for (const reason of ['Invalid', 'SameAsProduction']) {
      const taken = afterRefusal(ordinary, now, { ...invalid, reason })
      expect(taken.status.failure?.reason).toBe('OutputRefused')
    }
  })

  it('only a part is known to be accepted: the message says which', () => {
    const { rotationEvent } = stayUntested(inside('Setting'), now, {
      why: 'away',
      outputs: 'accepted',
      away: ['one'],
    })
    expect(rotationEvent?.message).toMatch(
      /is accepted, and delivered; whether the new one .*: away$/,
    )
  })

  it('somebody did without a proof: that was said of the containers of then', () => {
    const status = inside('Overlapping', { withoutProof: true, now: true })
    const next = decideRestored(spec, status, facts, seen('yyy'))
    expect(next.status).not.toHaveProperty('withoutProof')
    expect(next.status).not.toHaveProperty('now')
  })
})

const decided = (
  status: RotationStatus,
  more: Partial<RotationFacts> = {},
  tweak: Partial<RotationSpec> = {},
): string => {
  const next = decideRotation({ ...spec, ...tweak }, status, { ...facts, ...more })
  if (next.do === 'effect') return next.effect
  if (next.do === 'move') return `to ${next.status.phase ?? ''}`
  return `wait ${next.until === undefined ? '' : String((next.until - now) / minute)}`
}

describe('a rotation after a restore', () => {
  it('does nothing before what the outputs hold is known to be accepted', () => {
    const asked = { request: { at: at(0), by: 'alice', cause: 'Run' as const } }
    expect(decided({ ...idle, ...asked })).toBe('verify')
    expect(decided(inside('Revoking', { revokeStartedAt: at(-minute) }))).toBe('verify')
    const unknown = { ...restored('Unknown'), retryAt: at(minute) }
    expect(decided(inside('Setting', unknown))).toBe('wait 1')
    expect(decided(inside('Setting', unknown), { nowMs: now + minute })).toBe('verify')
    expect(decided(inside('Setting', restored('Accepted')))).toBe('set')
    const refused = { ...restored('Refused'), retryAt: at(minute) }
    expect(decided(inside('Setting', refused))).toBe('wait 1')
    expect(decided(inside('Setting', refused), { nowMs: now + minute })).toBe('verify')
    const states = ['Untested', 'Refused', 'Renewing', 'Accepted', 'Renewed', 'Unknown'] as const
    const rotation = { kind: 'Rotation', metadata: {} }
    expect(
      states.filter(
        (state) => fromFor(holdIn({ ...rotation, status: restored(state) } as never), 'one') > 0,
      ),
    ).toEqual(['Untested', 'Refused', 'Renewing'])
  })

  it('looks again before it replaces a refused credential, at the rate of attempts that fail', () => {
    const renewing = { ...idle, ...restored('Renewing') }
    expect(decided(renewing)).toBe('verify')
    expect(decided(renewing, {}, { paused: true })).toBe('wait ')
    expect(decided(renewing, { faults: ['no output'] })).toBe('wait ')
    const failed = { ...renewing, failures: 2, endedAt: at(0) }
    expect(decided(failed)).toBe('wait 4')
    expect(decided({ ...failed, request: { at: at(0), by: 'alice', cause: 'Run' } })).toBe('verify')
    expect(decided(inside('Setting', restored('Renewing')))).toBe('set')
  })

  it('never goes back to a credential that is dead', () => {
    const failed = { stagelet: 'one', service: 'web', message: 'exited with code 1' }
    const proof = { ...nothingToProve, failed, rolling: ['one'] }
    const proving = inside('Proving', restored('Renewed'))
    expect(decided(proving, { proof })).toBe('to RollingOut')
    expect(decided({ ...proving, cause: 'Refused', phaseSince: at(0) }, { proof })).toBe('wait 10')
    expect(decided({ ...proving, revokeStartedAt: at(0), phaseSince: at(0) }, { proof })).toBe(
      'wait 10',
    )
  })

  it('lets the revision through that carries an accepted credential', () => {
    const project = { uid: 'p', since: at(0) }
    expect(renewed(inside('RollingOut', restored('Renewing')), 9, project)).toMatchObject({
      restored: { state: 'Renewed', revision: 9, project },
    })
    expect(renewed(inside('RollingOut', restored('Accepted')), 9, project)).toEqual({})
  })

  it('forgets a revision of a project that is gone', () => {
    const project = { uid: 'p', since: at(0) }
    const status: RotationStatus = {
      ...idle,
      restored: { ...idle.restored!, state: 'Renewed', revision: 9, project },
    }
    expect(decided(status, { project })).not.toBe('to Idle')
    const anew = { uid: 'p', since: at(minute) }
    const next = decideRotation(spec, status, { ...facts, project: anew })
    expect(next.do === 'move' && next.status.restored).toBeUndefined()
    expect(decided(status, { project: anew })).toBe('to Idle')
  })
})
