import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import type { ComplianceFacts, VersionFact } from '../../src/store/keys/compliance-facts.ts'
import { complianceReportOf } from './report.ts'

const day = 86_400_000
const from = Date.parse('2026-01-01T00:00:00Z')
const at = (days: number): number => from + days * day
const text = (days: number): string => toFineTimestamp(at(days)).replace('.000', '')
const nothing: ComplianceFacts = {
  versions: [],
  secrets: [],
  dataKeys: [],
  keys: [],
  rules: [],
  auditSince: undefined,
  ages: {
    masterSince: undefined,
    oldestDataKey: undefined,
    dataKeys: 0,
    sealingSince: undefined,
    named: new Map(),
  },
}
const project = {
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name: 'cards', namespace: 'pay', uid: 'u' },
  spec: { secretPolicy: { maxAge: '90d', exempt: ['FREE'] }, keyRotation: { every: '90d' } },
}
const asked = {
  project,
  sinceMs: at(-200),
  nowMs: at(100),
  rotationMs: 365 * day,
  rotatesKeys: true,
}
const report = (facts: Partial<ComplianceFacts>, more: Partial<typeof asked> = {}) =>
  complianceReportOf({ ...nothing, ...facts }, { ...asked, ...more })
const version = (n: number, days: number, more: Partial<VersionFact> = {}): VersionFact => ({
  uid: 's1',
  name: 'token',
  key: 'TOKEN',
  scope: 'global',
  stagelet: null,
  environments: null,
  version: n,
  digest: `d${n}`,
  at: at(days),
  by: 'ann',
  ...more,
})
const row = (action: string, days: number, more: object = {}) => ({
  at: text(days),
  by: 'bob',
  action,
  kind: 'StagelySecret',
  name: 'token',
  detail: {},
  ...more,
})

describe('the values of a report', () => {
  it('live until the next one, and are overdue from the age that the policy allows', () => {
    const { secrets } = report({ versions: [version(1, -50), version(2, 60)] })
    expect(secrets).toEqual([
      {
        name: 'token',
        key: 'TOKEN',
        scope: 'global',
        exempt: false,
        values: [
          {
            version: 1,
            since: text(-50),
            until: text(60),
            by: 'ann',
            overdue_from: text(40),
            overdue_days: 20,
          },
          { version: 2, since: text(60), by: 'ann' },
        ],
      },
    ])
  })

  it('are as old as when they were given first, where one comes back', () => {
    const back = version(3, 95, { digest: 'd1' })
    const { secrets } = report({ versions: [version(1, 0), version(2, 50), back] })
    expect(secrets[0]?.values.at(-1)).toMatchObject({ overdue_from: text(95), overdue_days: 5 })
  })

  it('of an exempt key are never overdue', () => {
    const { secrets } = report({ versions: [version(1, -100, { key: 'FREE' })] })
    expect(secrets[0]).toMatchObject({ exempt: true })
    expect(secrets[0]?.values[0]).not.toHaveProperty('overdue_from')
  })

  it('that the history no longer keeps are those of the audit log', () => {
    const secrets = [
      row('create', -20, { detail: { version: 1 } }),
      row('update', 10, { detail: { version: 2 } }),
      row('update', 30, { detail: { version: 3 } }),
    ]
    const told = report({ versions: [version(3, 30)], secrets }).secrets
    expect(told).toHaveLength(1)
    expect(told[0]?.values.map((one) => [one.version, one.by, one.until])).toEqual([
      [1, 'bob', text(10)],
      [2, 'bob', text(30)],
      [3, 'ann', undefined],
    ])
  })

  it('of a name that two secrets had are two secrets, of which the first has ended', () => {
    const secrets = [
      row('create', 0, { detail: { version: 1 } }),
      row('delete', 5),
      row('purge', 6),
      row('create', 10, { detail: { version: 1 } }),
    ]
    const told = report({ versions: [version(1, 10)], secrets }).secrets
    expect(told.map((one) => [one.key, one.deleted_at, one.values[0]?.until])).toEqual([
      [undefined, text(5), text(5)],
      ['TOKEN', undefined, undefined],
    ])
  })

  it('that ended before the time that is asked for are left out', () => {
    const { secrets } = report({ versions: [version(1, 0), version(2, 10)] }, { sinceMs: at(20) })
    expect(secrets[0]?.values.map((one) => one.version)).toEqual([2])
  })
})

describe('earlier rules of a project', () => {
  const change = (days: number, rules: object, rulesBefore?: object) =>
    row('update', days, { kind: 'Project', name: 'cards', detail: { rules, rulesBefore } })
  const policy = (maxAge: string, exempt: string[] = []) => ({ secretPolicy: { maxAge, exempt } })

  it('count for their time: nothing is overdue by a rule that came later, and what was overdue stays so', () => {
    // Any age until day 40, 30 days until day 60, TOKEN exempt until day 80; 90 days now.
    const rules = [
      change(40, policy('30d'), {}),
      change(60, policy('30d', ['TOKEN'])),
      change(80, { ...policy('90d'), keyRotation: { every: '90d' } }),
    ]
    const { secrets, rules_before: earlier } = report({
      rules,
      versions: [version(1, 0), version(2, 99)],
    })
    expect(secrets[0]?.values[0]).toMatchObject({ overdue_from: text(40), overdue_days: 29 })
    expect(earlier).toEqual([
      { until: text(40), exempt: [], key_rotation: '365d' },
      { until: text(60), max_age: '30d', exempt: [], key_rotation: '365d' },
      { until: text(80), max_age: '30d', exempt: ['TOKEN'], key_rotation: '365d' },
    ])
  })

  it('are those that a project was made with, and are left out where they ended before the report', () => {
    const made = row('create', 0, { kind: 'Project', detail: { rules: policy('10d') } })
    const rules = [made, change(20, policy('90d'), policy('10d'))]
    const facts = { rules, versions: [version(1, 0)] }
    expect(report(facts).secrets[0]?.values[0]).toMatchObject({ overdue_days: 20 })
    expect(report(facts, { sinceMs: at(30) })).not.toHaveProperty('rules_before')
    expect(report({ versions: facts.versions })).not.toHaveProperty('rules_before')
  })

  it('for keys count so too', () => {
    const { keys } = report({
      rules: [change(50, { keyRotation: { every: '90d' } }, { keyRotation: { every: '30d' } })],
      dataKeys: [{ id: 'k', since: at(0), until: null }],
    })
    expect(keys[0]).toMatchObject({ overdue_from: text(30), overdue_days: 30 })
  })
})

describe('the keys of a report', () => {
  const keyRow = (what: string, name: string, days: number, detail = {}) => {
    const [kind = '', ...action] = what.split(' ')
    return row(action.join(' '), days, { kind, name, detail })
  }

  it('are those that are there and those that were destroyed, with who brought them', () => {
    const { keys } = report({
      dataKeys: [{ id: 'k2', since: at(95), until: null }],
      keys: [
        keyRow('DataKey create', 'k2', 95),
        keyRow('DataKey destroy', 'k1', 96, { since: text(0), until: text(95) }),
      ],
    })
    expect(keys).toEqual([
      {
        kind: 'data',
        name: 'k1',
        since: text(0),
        until: text(95),
        overdue_from: text(90),
        overdue_days: 5,
      },
      { kind: 'data', name: 'k2', since: text(95), by: 'bob' },
    ])
  })

  it('are the master key and the sealing key too, each until the next', () => {
    const { keys } = report({
      keys: [
        keyRow('Keys use master key', 'master', -100, { provider: 'local', key: 'a' }),
        keyRow('SealingKey create', 'x', -100),
        keyRow('Keys use master key', 'master', 0, { provider: 'local', key: 'b' }),
      ],
    })
    expect(keys).toEqual([
      {
        kind: 'master',
        name: 'local a',
        since: text(-100),
        until: text(0),
        by: 'bob',
        overdue_from: text(-10),
        overdue_days: 10,
      },
      {
        kind: 'master',
        name: 'local b',
        since: text(0),
        by: 'bob',
        overdue_from: text(90),
        overdue_days: 10,
      },
      { kind: 'sealing', name: 'x', since: text(-100), by: 'bob' },
    ])
  })

  it('have who rotated them, and when', () => {
    const { rotations } = report({
      keys: [
        keyRow('Keys rotate keys', 'master', 1),
        keyRow('DataKey destroy', 'k1', 2),
        keyRow('Project move keys', 'cards', 3),
      ],
    })
    expect(rotations).toEqual([
      { at: text(1), by: 'bob', what: 'rotate keys (Keys)', key: 'master' },
      { at: text(3), by: 'bob', what: 'move keys (Project)' },
    ])
  })
})
