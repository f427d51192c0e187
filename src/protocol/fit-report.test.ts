import { describe, expect, it, test } from 'vitest'
import { limits } from '../resources/limits.ts'
import type { ObservationSpec } from '../kinds/observation/schema.ts'
import { decodeReport, fitReport, fitStored } from './fit-report.ts'
import type { ReportedStagelet } from './messages.ts'

const service = (name: string): ReportedStagelet['services'][number] => ({
  name,
  digests: ['d'],
  containers: 1,
  state: 'running',
  restarts: 0,
})

const report = (more: Partial<ReportedStagelet> = {}): ReportedStagelet => ({
  stageletUid: 's',
  generation: 1,
  epoch: 1,
  revision: 1,
  phase: 'Settled',
  services: [service('web')],
  passed: { web: 'd' },
  pendingEdits: [],
  missingVariables: [],
  ...more,
})

const named = (count: number): ReportedStagelet['services'] =>
  Array.from({ length: count }, (_, i) => service(`s${i}`))

describe('a report', () => {
  it('stays the same object within its bounds', () => {
    const given = report()
    expect(fitReport(given)).toBe(given)
    expect(decodeReport(given)).toEqual({ report: given })
  })

  it('costs and says nothing by what no schema knows, however much of it there is', () => {
    const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, 1]))
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
    const plain = { report: report() }
    expect(decodeReport({ ...report(), ...many })).toEqual(plain)
    expect(decodeReport({ ...report(), x: deep })).toEqual(plain)
    expect(decodeReport({ ...report(), services: [{ ...service('web'), x: deep }] })).toEqual(plain)
    for (const field of ['services', 'passed'])
      expect(decodeReport({ ...report(), [field]: deep })).toHaveProperty('faults')
  })

  it('is escaped where it could control a reader or the database could not hold it, in names too', () => {
    const odd = report({ services: [service('w\0eb')], passed: { 'na\nme': '\ud800' } })
    expect(decodeReport(odd)).toMatchObject({
      report: { services: [{ name: 'w\\x00eb' }], passed: { 'na\\nme': '\\ud800' } },
    })
  })

  it.each(['+275760-09-13T00:00:00.000Z', 'soon', '9e15'])(
    'with a moment that is none is malformed: %s',
    (at) => {
      const rollout = { revision: 1, result: 'Healthy' as const, finishedAt: at }
      expect(decodeReport(report({ rollout }))).toEqual({
        faults: ['rollout.finishedAt'],
        stageletUid: 's',
      })
    },
  )

  it('loses what is over, and says so', () => {
    const detail = 'x'.repeat(limits.message + 1)
    const services = [{ ...service('web'), detail }, ...named(14_999)]
    const fitted = fitReport(report({ services }))
    expect(fitted.services).toHaveLength(limits.services)
    expect(fitted.cut).toEqual([
      { field: 'services', had: 15_000, kept: limits.services },
      { field: 'services[].detail', had: detail.length, kept: limits.message },
    ])
    expect(decodeReport(fitted)).toEqual({ report: fitted })
  })

  it('that is too large as a whole loses details of services before services', () => {
    const composeKeys = Array.from({ length: 900 }, (_, i) => `${'K'.repeat(200)}${i}`)
    const services = named(100).map((row) => ({ ...row, composeKeys }))
    const fitted = fitReport(report({ services }))
    expect(fitted.services).toHaveLength(100)
    expect(fitted.services[0]).toEqual(service('s0'))
    expect(fitted.cut).toEqual([{ field: 'services[].composeKeys', had: 100, kept: 0 }])
  })

  it('is never larger than its bound, whatever it is made of', () => {
    const digests = Array.from({ length: 50 }, (_, i) => `${'d'.repeat(120)}${i}`)
    const services = named(1_000).map((row) => ({ ...row, digests }))
    const decoded = decodeReport(report({ services }))
    expect(JSON.stringify(decoded).length).toBeLessThan(limits.observation + 1_000)
    const message = 'm'.repeat(limits.message)
    const waitingFor = Array.from({ length: 100 }, () => message)
    expect(decodeReport(report({ waitingFor }))).toMatchObject({ faults: ['the whole'] })
  })

  it.each([
    ['a negative revision', { revision: -1 }, 'revision'],
    ['a negative epoch', { epoch: -1 }, 'epoch'],
    ['a phase that does not exist', { phase: 'Done' }, 'phase'],
    ['no list', { services: 'web' }, 'services'],
  ])('with %s is malformed', (_, more, field) => {
    const given = { ...report(), ...more }
    expect(decodeReport(given)).toEqual({ faults: [field], stageletUid: 's' })
  })

  it('is looked at until ten faults are found', () => {
    let looked = 0
    const observed = {
      get state() {
        looked += 1
        return 'none'
      },
    }
    const services = Array.from({ length: limits.services }, () => observed)
    const decoded = decodeReport({ ...report(), services })
    expect('faults' in decoded && decoded.faults).toHaveLength(10)
    // Its size is measured twice.
    expect(looked).toBeLessThan(limits.services * 2 + 20)
  })

  it('without a uid names nothing', () => {
    for (const given of [null, 7, [], {}, { stageletUid: 'u'.repeat(65) }])
      expect(decodeReport(given)).toEqual({ faults: ['stageletUid'], stageletUid: undefined })
  })
})

test('a stored report without bounds is read within them', () => {
  const { cut: _, ...facts } = report({ services: named(15_000) })
  const stored: ObservationSpec = { agent: 'default/box', boot: 'b', seq: 1, ...facts }
  const fitted = fitStored(stored)
  expect(fitted.services).toHaveLength(limits.services)
  expect(fitStored(stored)).toBe(fitted)
})
