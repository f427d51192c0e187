import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { idleFacts } from '../../../test/support/rotation-facts.ts'
import { describe, expect, it } from 'vitest'
import { defined } from '../../../src/kernel/defined.ts'
import type { Restored, RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { decideRotation, decisionOf } from './decide.ts'
import { always, decisions, stateOf, underWay } from './machine.ts'
import type { RotationFacts, Next } from './facts.ts'
import { afterLook } from './old-use.ts'
import { nothingToProve, settledMs } from '../proof/proof.ts'

const minute = 60_000
const day = 86_400_000
const now = Date.parse('2026-03-02T12:00:00Z')
const at = (ms: number): string => toFineTimestamp(now + ms).replace('.000Z', 'Z')

const spec = {
  projectRef: { name: 'shop' },
  outputs: { password: 'p' },
  rotator: { generate: { order: 'SwitchFirst' } },
  schedule: { every: '30d' },
  overlap: '10m',
  away: 'Wait',
} as RotationSpec
const facts = idleFacts(now, now - 90 * day)
const rotated: RotationStatus = {
  phase: 'Idle',
  attempt: 4,
  slot: 'a',
  endedAt: at(-31 * day),
  lastRotatedAt: at(-31 * day),
}
const inside = (phase: RotationStatus['phase'], more: RotationStatus = {}): RotationStatus => ({
  phase,
  attempt: 5,
  slot: 'a',
  candidateSlot: 'b',
  hasOld: true,
  step: 'Switch',
  phaseSince: at(-minute),
  startedAt: at(-2 * minute),
  ...more,
})
const failed = { stagelet: 'one', service: 'web', message: 'exited with code 1' }
const away = { stagelet: 'two', reason: 'AgentAway', message: 'its agent is away' }
const proof = (more: Partial<RotationFacts['proof']>): Partial<RotationFacts> => ({
  proof: { ...nothingToProve, ...more },
})
const watch = { provenRuns: { of: '', restarts: {} } }
const proven = { ...watch, provenSince: at(-settledMs) }
const bearer = { stagelet: 'one', service: 'web', containers: 1, restarts: 0, ill: undefined }
const use = { looks: 5, since: at(-10 * minute), at: at(-minute) }

/** Such as `move Proving (RotationProven)`, `effect set`, `wait 60 s`. */
const said = (next: Next): string => {
  if (next.do === 'effect') return `effect ${next.effect}`
  if (next.do === 'wait') {
    const left = next.until === undefined ? 'for a change' : `${(next.until - now) / 1000} s`
    const who = (next.status.blockedBy ?? []).map(({ reason }) => ` ${reason}`).join('')
    return `wait ${left}${who}`
  }
  const { phase = '', step, failure } = next.status
  const more = [step === undefined ? [] : [step], failure === undefined ? [] : [failure.reason]]
  return [
    'move',
    phase,
    ...more.flat(),
    ...(next.rotationEvent ? [`(${next.rotationEvent.reason})`] : []),
  ].join(' ')
}

const later: RotationStatus = { retryAt: at(minute) }
const overlapping = inside('Overlapping', { provenAt: at(0) })
const ofBackup = (state: Restored['state'], project?: Restored['project']): RotationStatus => ({
  ...rotated,
  restored: { at: at(0), takenAt: at(-day), state, message: '', ...defined({ project }) },
})

const tried: Partial<RotationSpec> = { rotator: {} }
const justNow = { ...rotated, endedAt: at(0), lastRotatedAt: at(0) }
const ill = (what: string) => proof({ bearers: [{ ...bearer, ill: what }] })

type Row = readonly [string, RotationStatus, Partial<RotationFacts>, Partial<RotationSpec>, string]
const failedOf = (reason: string, failures: number): RotationStatus => ({
  ...rotated,
  endedAt: at(-30_000),
  failures,
  failure: { reason, message: 'no' },
})
const rows: readonly Row[] = [
  ['is tried again soon where it never began', failedOf('Preflight', 1), {}, {}, 'wait 30 s'],
  ['is tried again later each time', failedOf('SetFailed', 3), {}, {}, 'wait 930 s'],
  ['waits for its turn after five failures', failedOf('Preflight', 5), {}, {}, 'wait 2591970 s'],
  ['waits for its turn after a rollback', failedOf('RolledBack', 1), {}, {}, 'wait 2591970 s'],
  ['its turn has come', rotated, {}, {}, 'move Preparing (RotationStarted)'],
  [
    'somebody asked more than an hour ago',
    { ...rotated, request: { at: at(-61 * minute), by: 'alice', cause: 'Run' } },
    { faults: ['no'] },
    {},
    'move Idle RequestExpired (RotationFailed)',
  ],
  ['its turn is to come', { ...rotated, endedAt: at(-day) }, {}, {}, `wait ${29 * 86_400} s`],
  ['it is paused', rotated, {}, { paused: true }, 'wait for a change'],
  [
    'it is paused before its turn',
    { ...rotated, endedAt: at(-day) },
    ...([{}, { paused: true }, 'wait for a change'] as const),
  ],
  ['an output is refused', rotated, { faults: ['no'] }, {}, 'wait for a change'],
  [
    'another one runs',
    rotated,
    { busy: { message: 'rotation "other" must end first', isBlocked: false } },
    ...([{}, 'wait for a change'] as const),
  ],
  [
    'another one runs that waits itself',
    rotated,
    { busy: { message: 'rotation "other" must end first', isBlocked: true } },
    ...([{}, 'wait for a change OtherRotation'] as const),
  ],
  [
    'it is not due, and another one waits',
    { ...rotated, endedAt: at(-day) },
    { busy: { message: 'rotation "other" must end first', isBlocked: true } },
    ...([{}, `wait ${29 * 86_400} s`] as const),
  ],
  ['a day has passed since its end', { ...rotated, endedAt: at(-day) }, {}, tried, 'effect retest'],
  ['a service fails soon after its end', justNow, ill('is exited'), tried, 'move Idle (ServiceIllAgain)'], // prettier-ignore
  ['it is well again', { ...justNow, illAfter: ['one/web'] }, {}, tried, 'move Idle'],
  [
    'somebody asks',
    { ...rotated, endedAt: at(0), request: { at: at(0), by: 'alice', cause: 'Run' } },
    ...([{}, {}, 'move Preparing (RotationStarted)'] as const),
  ],
  [
    'there is no value yet',
    {},
    { hasValues: false },
    { schedule: undefined },
    'move Preparing (RotationStarted)',
  ],
  ['nobody asks and no schedule', rotated, {}, { schedule: undefined }, 'wait for a change'],
  [
    'it failed before its first value',
    { failures: 1, endedAt: at(0) },
    { hasValues: false },
    {},
    'wait 60 s',
  ],
  ['it prepares', inside('Preparing'), {}, {}, 'effect prepare'],
  ['it sets', inside('Setting'), {}, {}, 'effect set'],
  ['it sets again later', inside('Setting', { retryAt: at(minute) }), {}, {}, 'wait 60 s'],
  ['it tests', inside('Testing'), {}, {}, 'effect test'],
  ['it writes', inside('RollingOut'), {}, {}, 'effect write'],
  ['all run it for the first time', inside('Proving'), {}, {}, 'wait 60 s'],
  [
    'all run it for 60 s',
    inside('Proving', proven),
    {},
    {},
    'move Overlapping Switch (RotationProven)',
  ],
  ['one is on its way', inside('Proving', proven), proof({ rolling: ['one'] }), {}, 'wait 540 s'],
  [
    'one is on its way for long',
    inside('Proving', { phaseSince: at(-20 * minute) }),
    ...([proof({ rolling: ['one'] }), {}, 'wait for a change NotHealthy'] as const),
  ],
  [
    'one is away',
    inside('Proving', proven),
    proof({ blockedBy: [away] }),
    {},
    'wait 540 s AgentAway',
  ],
  [
    'one is away for longer than it may',
    inside('Proving', { ...proven, phaseSince: at(-73 * 60 * minute) }),
    proof({ blockedBy: [away] }),
    { away: 'RevokeAfter', revokeAfter: '72h' },
    'move Overlapping Switch (RotationProven)',
  ],
  [
    'one is paused for longer',
    inside('Proving', { ...proven, phaseSince: at(-73 * 60 * minute) }),
    proof({ blockedBy: [{ ...away, reason: 'Paused' }] }),
    { away: 'RevokeAfter', revokeAfter: '72h' },
    'wait for a change Paused',
  ],
  [
    'a service fails',
    inside('Proving'),
    proof({ failed }),
    {},
    'move RollingOut Back RolledBack (RotationFailed)',
  ],
  [
    'it still fails on the way back',
    inside('Proving', { step: 'Back' }),
    proof({ failed }),
    {},
    'wait 60 s',
  ],
  [
    'its project is gone',
    inside('Proving', proven),
    { hasProject: false },
    {},
    'wait for a change ProjectMissing',
  ],
  [
    'its project is gone as it ends',
    inside('Revoking'),
    { hasProject: false },
    {},
    'wait for a change ProjectMissing',
  ],
  ['all are back', inside('Proving', { step: 'Back', ...proven }), {}, {}, 'effect scramble'],
  [
    'the proof is skipped',
    inside('Proving', { withoutProof: true }),
    proof({ rolling: ['one'] }),
    {},
    'move Overlapping Switch',
  ],
  [
    'there is no old one',
    inside('Proving', { hasOld: false }),
    proof({ rolling: ['one'] }),
    {},
    'effect revoke',
  ],
  [
    'a container was started since the proof began',
    inside('Proving', proven),
    proof({ runs: 'later' }),
    {},
    'wait 60 s',
  ],
  [
    'a service has restarted three times that was well before',
    inside('Proving', { ...proven, illBefore: [] }),
    proof({ bearers: [{ ...bearer, restarts: 3 }], rolling: ['one'] }),
    {},
    'move RollingOut Back RolledBack (RotationFailed)',
  ],
  [
    'each of three containers has restarted once',
    inside('Proving', { ...proven, illBefore: [] }),
    proof({ bearers: [{ ...bearer, containers: 3, restarts: 3 }], rolling: ['one'] }),
    {},
    'wait 540 s',
  ],
  [
    'a service has restarted three times that was not well before',
    inside('Proving', { ...proven, illBefore: ['one/web'] }),
    proof({ bearers: [{ ...bearer, restarts: 3 }], rolling: ['one'] }),
    {},
    'wait 540 s',
  ],
  [
    'a service restarts again and again that was not well before, and runs in between',
    inside('Proving', { ...watch, illBefore: ['one/web'] }),
    proof({ bearers: [{ ...bearer, restarts: 3 }] }),
    {},
    'wait 60 s NotHealthy',
  ],
  [
    'a service that has restarted again and again has run for a minute',
    inside('Proving', { ...proven, illBefore: ['one/web'] }),
    proof({ bearers: [{ ...bearer, restarts: 3 }] }),
    {},
    'move Overlapping Switch (RotationProven)',
  ],
  [
    'a service had restarted before it got the new values',
    inside('Proving', {
      ...proven,
      illBefore: [],
      provenRuns: { of: '', restarts: { 'one/web': 7 } },
    }),
    proof({ bearers: [{ ...bearer, restarts: 7 }], restarts: { 'one/web': 7 } }),
    {},
    'move Overlapping Switch (RotationProven)',
  ],
  [
    'a service is unhealthy',
    inside('Proving', { ...proven, illBefore: [] }),
    proof({ bearers: [{ ...bearer, ill: 'is unhealthy' }], rolling: ['one'] }),
    {},
    'wait 540 s',
  ],
  [
    'a service is unhealthy for long',
    inside('Proving', { ...proven, illBefore: [], phaseSince: at(-10 * minute) }),
    proof({ bearers: [{ ...bearer, ill: 'is unhealthy' }], rolling: ['one'] }),
    {},
    'move RollingOut Back RolledBack (RotationFailed)',
  ],
  [
    'a service is unhealthy for long, and the old credential is a login alone',
    inside('Proving', { illBefore: [], oldIsLogin: true, phaseSince: at(-10 * minute) }),
    proof({ bearers: [{ ...bearer, ill: 'is unhealthy' }], rolling: ['one'] }),
    {},
    'wait for a change NotHealthy',
  ],
  [
    'a container is started in the overlap',
    inside('Overlapping', { ...watch, provenAt: at(-10 * minute) }),
    proof({ runs: 'later' }),
    {},
    'move Proving Switch',
  ],
  [
    'a container is started before the end begins',
    inside('Revoking', watch),
    proof({ runs: 'later' }),
    {},
    'move Proving Switch',
  ],
  [
    'somebody wrote an output',
    inside('Proving', proven),
    { changed: ['password'] },
    {},
    'move Idle OutputChanged (RotationFailed)',
  ],
  ['the overlap begins', inside('Overlapping', { provenAt: at(0) }), {}, {}, 'effect checkUse'],
  [
    'the overlap lasts',
    inside('Overlapping', { provenAt: at(-minute), retryAt: at(15_000) }),
    {},
    {},
    'wait 15 s',
  ],
  [
    'the overlap is over',
    inside('Overlapping', { provenAt: at(-10 * minute) }),
    {},
    {},
    'effect checkUse',
  ],
  [
    'the overlap is skipped',
    inside('Overlapping', { provenAt: at(0), now: true }),
    {},
    {},
    'effect checkUse',
  ],
  [
    'one goes away in the overlap',
    inside('Overlapping', { provenAt: at(0) }),
    proof({ blockedBy: [away] }),
    {},
    'move Proving Switch',
  ],
  [
    'somebody goes back in the overlap',
    inside('Overlapping', { provenAt: at(0) }),
    { changed: ['password'] },
    {},
    'move Idle OutputChanged (RotationFailed)',
  ],
  ['it may revoke', inside('Revoking'), {}, {}, 'effect beginRevoke'],
  ['the end has begun', inside('Revoking', { revokeStartedAt: at(0) }), {}, {}, 'effect revoke'],
  [
    'a service fails after the end has begun',
    inside('Revoking', { revokeStartedAt: at(0) }),
    { ...proof({ failed }), changed: ['password'] },
    {},
    'effect revoke',
  ],
  [
    'an agent is away after the end has begun',
    inside('Revoking', { revokeStartedAt: at(0) }),
    proof({ blockedBy: [away] }),
    {},
    'wait 540 s AgentAway',
  ],
  [
    'an attempt has failed before its values were written',
    inside('Testing', { failure: { reason: 'SetFailed', message: 'no route' } }),
    {},
    {},
    'effect scramble',
  ],
  [
    'one is away in the overlap for longer than it may',
    inside('Overlapping', { provenAt: at(0), provingSince: at(-73 * 60 * minute), now: true }),
    proof({ blockedBy: [away] }),
    { away: 'RevokeAfter', revokeAfter: '72h' },
    'effect checkUse',
  ],
  [
    'one goes away before',
    inside('Revoking'),
    proof({ blockedBy: [away] }),
    {},
    'move Proving Switch',
  ],
  [
    'it is known everywhere',
    inside('Proving', { step: 'Add', ...proven }),
    {},
    {},
    'move RollingOut Switch',
  ],
  [
    'it is forgotten everywhere',
    inside('Proving', { step: 'Remove', ...proven }),
    {},
    {},
    'move Revoking Remove',
  ],
  ['its next try as it prepares is to come', inside('Preparing', later), {}, {}, 'wait 60 s'],
  ['its next try as it tests is to come', inside('Testing', later), {}, {}, 'wait 60 s'],
  ['its next try as it writes is to come', inside('RollingOut', later), {}, {}, 'wait 60 s'],
  ['its next try before the end is to come', inside('Revoking', later), {}, {}, 'wait 60 s'],
  [
    'its next try as the old one ends is to come',
    inside('Revoking', { ...later, revokeStartedAt: at(0) }),
    ...([{}, {}, 'wait 60 s'] as const),
  ],
  [
    'its next try as the new one is taken back is to come',
    inside('Setting', { ...later, failure: { reason: 'SetFailed', message: 'no route' } }),
    ...([{}, {}, 'wait 60 s'] as const),
  ],
  ['it writes the old values', inside('RollingOut', { step: 'Back' }), {}, {}, 'effect write'],
  [
    'its next try as it writes the old values is to come',
    inside('RollingOut', { step: 'Back', ...later }),
    ...([{}, {}, 'wait 60 s'] as const),
  ],
  [
    'somebody wrote an output on the way back',
    inside('Proving', { step: 'Back' }),
    { changed: ['password'] },
    ...([{}, 'move Idle OutputChanged (RotationFailed)'] as const),
  ],
  [
    'somebody wrote an output before the end',
    inside('Revoking'),
    { changed: ['password'] },
    ...([{}, 'move Idle OutputChanged (RotationFailed)'] as const),
  ],
  ['there is none to end', inside('Revoking', { hasOld: false }), {}, {}, 'effect revoke'],
  [
    'it was proven before',
    inside('Proving', { ...proven, provenAt: at(-minute) }),
    ...([{}, {}, 'move Overlapping Switch'] as const),
  ],
  ['a service fails in the overlap', overlapping, proof({ failed }), {}, 'move Proving Switch'],
  [
    'nobody is to be looked for',
    { ...overlapping, withoutProof: true },
    ...([{}, {}, 'move Revoking Switch'] as const),
  ],
  [
    'nobody is to be looked for, and the old value is to be forgotten',
    { ...overlapping, withoutProof: true },
    { steps: ['Switch', 'Remove'] },
    ...([{}, 'move RollingOut Remove'] as const),
  ],
  [
    'somebody asks for haste',
    inside('Overlapping', { request: { at: at(0), by: 'alice', cause: 'Run', now: true } }),
    ...([{}, {}, 'move Overlapping Switch'] as const),
  ],
  [
    'somebody else wrote the outputs',
    rotated,
    { foreign: { password: 4 } },
    ...([{}, 'effect takeOver'] as const),
  ],
  ['a backup was restored', ofBackup('Untested'), {}, {}, 'effect verify'],
  [
    'nobody could be asked after a restore',
    { ...ofBackup('Unknown'), ...later },
    ...([{}, {}, 'wait 60 s'] as const),
  ],
  [
    'another credential may not be made after a restore',
    ofBackup('Renewing'),
    ...([{}, { paused: true }, 'wait for a change'] as const),
  ],
  [
    'the restored project was deleted',
    ofBackup('Accepted', { uid: 'u', since: at(0) }),
    ...([{}, {}, 'move Idle'] as const),
  ],
]

describe('what a rotation does next', () => {
  it('is each row of the machine', () => {
    const taken = rows.flatMap(([, status, around, more]) => {
      const { guard } = decisionOf({ ...spec, ...more }, status, { ...facts, ...around })
      return [guard, `${stateOf(status)} ${guard}`]
    })
    const all = [
      ...Object.keys({ ...always, ...underWay }),
      ...Object.entries(decisions).flatMap(([state, of]) =>
        Object.keys(of).map((guard) => `${state} ${guard}`),
      ),
    ]
    expect(all.filter((row) => !taken.includes(row))).toEqual([])
  })

  it.each(rows)('when %s', (...[, status, around, more, expected]) => {
    const wanted = { ...spec, ...more }
    expect(said(decideRotation(wanted, status, { ...facts, ...around }))).toBe(expected)
  })

  it.each([
    ['in the overlap', at(-minute), undefined, 0, 'wait 15 s'],
    ['in the overlap, and finds one', at(-minute), undefined, 2, 'wait 15 s'],
    ['in the overlap, where nobody can know', at(-minute), undefined, undefined, 'wait 540 s'],
    ['after it', at(-10 * minute), undefined, 0, 'move Revoking Switch'],
    ['after it, and finds one', at(-10 * minute), undefined, 2, 'wait 15 s StillUsed'],
    ['after it, some time after one', at(-20 * minute), at(-minute), 0, 'wait 15 s StillUsed'],
    ['after it, long after one', at(-20 * minute), at(-10 * minute), 0, 'move Revoking Switch'],
    [
      'after it, where nobody can know',
      at(-10 * minute),
      undefined,
      undefined,
      'move Revoking Switch',
    ],
  ])('looks for sessions of the old one %s', (...[, provenAt, seenAt, sessions, expected]) => {
    const status = inside('Overlapping', { provenAt, use: { ...use, ...defined({ seenAt }) } })
    const next = afterLook(spec, status, { ...facts, random: 0.5 }, { sessions, from: [] })
    expect(said(next)).toBe(expected)
    if (sessions === undefined) return
    expect((next as { status: RotationStatus }).status.use).toMatchObject({ looks: 6, at: at(0) })
  })

  it('keeps the overlap that has begun while a container is only started again', () => {
    const status = inside('Proving', { ...proven, provenAt: at(-5 * minute) })
    const next = decideRotation(spec, status, facts)
    expect(next).toMatchObject({ status: { phase: 'Overlapping', provenAt: at(-5 * minute) } })
  })

  it.each([
    ['keeps, where somebody starts a container,', { runs: 'other' }, at(-5 * minute)],
    ['loses, with a service that died,', { runs: 'other', restarts: { web: 1 } }, undefined],
    ['loses, with the proof,', { rolling: ['one'] }, undefined],
  ])('%s the overlap that has begun', (_, more, provenAt) => {
    const status = inside('Overlapping', { ...watch, provenAt: at(-5 * minute) })
    const next = decideRotation(spec, status, { ...facts, ...proof(more) })
    const { phase, provenAt: then } = (next as { status: RotationStatus }).status
    expect([phase, then]).toEqual(['Proving', provenAt])
  })

  it('keeps no evidence where nothing was proven', () => {
    const evidence = [{ stagelet: 'one', revision: 2, containers: 1 }]
    const status = inside('Proving', { withoutProof: true, evidence })
    const next = decideRotation(spec, status, { ...facts, ...proof({ evidence }) })
    expect((next as { status: RotationStatus }).status.evidence).toBeUndefined()
  })

  it('begins without the evidence of the attempt before', () => {
    const evidence = [{ stagelet: 'one', revision: 2, containers: 1 }]
    const next = decideRotation(spec, { ...rotated, evidence }, facts)
    expect((next as { status: RotationStatus }).status).not.toHaveProperty('evidence')
  })

  it('takes a request while it runs as a wish for haste', () => {
    const request = { at: at(0), by: 'alice', cause: 'Run' as const, now: true }
    const next = decideRotation(spec, inside('Overlapping', { request }), facts)
    expect(next).toMatchObject({ do: 'move', status: { phase: 'Overlapping', now: true } })
    expect((next as { status: RotationStatus }).status.request).toBeUndefined()
  })

  it('makes another credential for whoever asks once the new one is given out', () => {
    const request = { at: at(0), by: 'alice', cause: 'Run' as const }
    const waits = inside('Testing', { request, retryAt: at(60 * minute) })
    const early = decideRotation(spec, waits, facts) as { status: RotationStatus }
    expect(early.status).not.toHaveProperty('request')
    expect(decideRotation(spec, early.status, facts)).toEqual({ do: 'effect', effect: 'test' })
    const failure = { reason: 'RolledBack', message: 'it failed' }
    for (const status of [
      inside('Overlapping', { request, provenAt: at(0) }),
      inside('Testing', { request: { ...request, now: true }, failure }),
    ])
      expect(decideRotation(spec, status, facts)).not.toMatchObject({ do: 'move' })
    // The hour in which it is to start begins with the end of the attempt.
    const ended = { ...rotated, request: { ...request, at: at(-120 * minute) }, endedAt: at(0) }
    expect(decideRotation(spec, ended, facts)).toMatchObject({ status: { phase: 'Preparing' } })
  })
})
