import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { accessReportOf, type AskedAccess } from './report.ts'
import type { Kept } from './timeline.ts'

const hour = 3_600_000
const start = Date.parse('2026-11-01T00:00:00Z')
const at = (hours: number): string => toFineTimestamp(start + hours * hour)
const short = (hours: number): string => at(hours).replace('.000', '')

let seq = 0
const row = (
  hours: number,
  [kind, name, action]: readonly [string, string, string],
  detail: Record<string, unknown> = {},
  by = 'olga',
): AuditRecord => ({
  seq: ++seq,
  at: at(hours),
  actor: { name: by, source: 'api' },
  action,
  object: { kind, namespace: 'pay', name },
  result: 'success',
  detail,
})
const nothing: Kept = { members: [], policies: [], projects: [], requests: [] }
const reportOf = (
  rows: readonly AuditRecord[],
  {
    kept = {},
    reads = [],
    ...more
  }: Partial<AskedAccess> & {
    kept?: Partial<Kept>
    reads?: readonly { request: string; firstAt: string; lastAt: string; seqs: readonly number[] }[]
  } = {},
) =>
  accessReportOf(
    { rows, reads, auditSince: undefined },
    { ...nothing, ...kept },
    {
      team: 'pay',
      project: undefined,
      period: { from: start + 10 * hour, to: start + 20 * hour },
      emergencies: false,
      nowMs: start + 100 * hour,
      ...more,
    },
  ).rows
const shop = row(0, ['Project', 'shop', 'create'])
const policyRow = (hours: number, more: object = {}, action = 'create') =>
  row(hours, ['AccessPolicy', 'guard', action], {
    generation: hours,
    policy: { projects: ['shop'], approvals: { users: 0 }, ...more },
  })
const member = (name: string, hours: number, action: string, detail: object) =>
  row(hours, ['Member', name, action], { userId: `id-${name}`, ...detail })
const readers = (rows: ReturnType<typeof reportOf>) =>
  rows
    .filter((one) => one.row === 'reader')
    .map(({ by, name, from, until, not_in: notIn }) => [by, name, from, until, ...(notIn ?? [])])

describe('who could read without a request', () => {
  it('is who had the role in that time, and was no user who is disabled or gone', () => {
    const rows = [
      shop,
      member('olga', 1, 'add member', { role: 'owner' }),
      member('vera', 1, 'add member', { role: 'viewer' }),
      member('max', 2, 'add member', { role: 'maintainer' }),
      member('max', 12, 'change role', { role: 'viewer', previousRole: 'maintainer' }),
      member('late', 21, 'add member', { role: 'owner' }),
      member('left', 1, 'add member', { role: 'owner' }),
      member('left', 9, 'remove member', { previousRole: 'owner' }),
      member('old', 15, 'remove member', { previousRole: 'owner' }),
      row(1, ['Member', 'off', 'add member'], { userId: 'id-off', role: 'owner' }),
      row(3, ['User', 'off', 'update user'], { userId: 'id-off', admin: false, disabled: true }),
      row(18, ['User', 'off', 'update user'], { userId: 'id-off', admin: false, disabled: false }),
      row(2, ['User', 'root', 'create user'], { userId: 'id-root', admin: true }),
      row(19, ['User', 'root', 'delete user'], { userId: 'id-root' }),
      row(14, ['User', 'break-glass', 'break glass'], { expiresAt: start + 15 * hour }),
    ]
    const kept = {
      members: [
        { userId: 'id-p', user: 'pruned', role: 'owner', narrowing: undefined, since: start },
      ],
    }
    expect(readers(reportOf(rows, { kept }))).toEqual([
      ['olga', 'role owner', short(1), undefined],
      ['max', 'role maintainer', short(2), short(12)],
      ['old', 'role owner', short(0), short(15)],
      ['off', 'role owner', short(18), undefined],
      ['pruned', 'role owner', short(0), undefined],
      ['root', 'admin of the controller', short(2), short(19)],
      ['break-glass', 'stagely controller break-glass', short(14), short(15)],
    ])
  })

  it('is nobody while a policy guards the whole project, but machines that it names and that are older', () => {
    const token = (name: string, hours: number) =>
      row(hours, ['Token', name, 'create token'], {
        tokenId: `t-${name}${hours}`,
        role: 'maintainer',
      })
    const rows = [
      shop,
      member('olga', 1, 'add member', { role: 'owner' }),
      token('ci', 2),
      token('bot', 2),
      policyRow(5, { machines: ['ci', 'new'] }),
      token('new', 6),
      row(15, ['AccessPolicy', 'guard', 'delete']),
      row(17, ['Token', 'bot', 'revoke token'], { tokenId: 't-bot2' }),
    ]
    expect(readers(reportOf(rows))).toEqual([
      ['olga', 'role owner', short(15), undefined],
      ['ci', 'token ci, role maintainer', short(2), undefined],
      ['bot', 'token bot, role maintainer', short(15), short(17)],
      ['new', 'token new, role maintainer', short(15), undefined],
    ])
    expect(
      readers(reportOf(rows, { period: { from: start + 10 * hour, to: start + 12 * hour } })),
    ).toEqual([['ci', 'token ci, role maintainer', short(2), undefined]])
  })

  it('is where the policy, the place of the right and the protection leave it', () => {
    const project = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name: 'shop', namespace: 'pay' },
      spec: { environments: [{ name: 'production', protected: true }, { name: 'staging' }] },
    }
    const rows = [
      shop,
      row(0, ['Project', 'other', 'create']),
      row(11, ['Project', 'other', 'delete']),
      member('max', 1, 'add member', { role: 'maintainer', narrowing: { projects: ['shop'] } }),
      member('olga', 1, 'add member', { role: 'owner' }),
      policyRow(5, { environments: ['staging'] }),
    ]
    expect(readers(reportOf(rows, { kept: { projects: [project] } }))).toEqual([
      ['olga', 'role owner', short(1), short(11)],
      ['max', 'role maintainer', short(5), undefined, 'production', 'staging'],
      ['olga', 'role owner', short(5), undefined, 'staging'],
    ])
  })

  it('is told for each part of the time in which other environments were closed', () => {
    const closes = (hours: number, now: string[], before: string[]) =>
      row(hours, ['Project', 'shop', 'update'], { protected: now, protectedBefore: before })
    const rows = [
      member('max', 1, 'add member', { role: 'maintainer' }),
      member('olga', 1, 'add member', { role: 'owner' }),
      closes(2, ['production'], ['demo']),
      closes(12, ['production', 'staging'], ['production']),
      policyRow(14, { environments: ['staging'] }),
      row(16, ['AccessPolicy', 'guard', 'delete']),
      closes(30, ['production'], []),
      row(17, ['Project', 'shop', 'delete']),
      row(18, ['Project', 'shop', 'create']),
    ].sort((a, b) => (a.at < b.at ? -1 : 1))
    expect(readers(reportOf(rows))).toEqual([
      ['max', 'role maintainer', short(2), short(12), 'production'],
      ['max', 'role maintainer', short(12), short(17), 'production', 'staging'],
      ['olga', 'role owner', short(1), short(14)],
      ['olga', 'role owner', short(14), short(16), 'staging'],
      ['olga', 'role owner', short(16), short(17)],
      ['max', 'role maintainer', short(18), short(30)],
      ['olga', 'role owner', short(18), undefined],
    ])
  })

  it('is told by what is protected now where a project was made again before changes were kept', () => {
    const project = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name: 'shop', namespace: 'pay' },
      spec: { environments: [{ name: 'production', protected: true }] },
    }
    const rows = [
      member('max', 1, 'add member', { role: 'maintainer' }),
      row(2, ['Project', 'shop', 'delete']),
      row(3, ['Project', 'shop', 'create']),
    ]
    expect(readers(reportOf(rows, { kept: { projects: [project] } }))).toEqual([
      ['max', 'role maintainer', short(3), undefined, 'production'],
    ])
  })
})

describe('requests', () => {
  const rows = [
    policyRow(1),
    row(
      11,
      ['AccessRequest', 'req-a', 'request access'],
      { project: 'shop', secrets: ['db.global'] },
      'dev',
    ),
    row(11.1, ['AccessRequest', 'req-a', 'approve access'], { digest: 'before' }, 'max'),
    policyRow(11.2, { request: { maxDuration: '30m' } }, 'update'),
    row(11.3, ['AccessRequest', 'req-a', 'approve access'], { digest: 'd' }, 'olga'),
    row(12, ['AccessRequest', 'req-a', 'access'], { state: 'Active' }, 'dev'),
    row(13, ['AccessRequest', 'req-a', 'access'], { state: 'Ended' }, 'controller'),
    row(14, ['AccessRequest', 'req-b', 'break glass'], { project: 'shop', secrets: [] }, 'dev'),
    row(15, ['AccessRequest', 'req-b', 'revoke access'], {}, 'dev'),
    row(16, ['AccessRequest', 'req-b', 'review access'], { outcome: 'Misuse' }, 'otto'),
    row(30, ['AccessRequest', 'req-c', 'request access'], { project: 'shop', secrets: [] }, 'dev'),
  ]
  const seqOf = (name: string) =>
    rows.filter(({ object }) => object.name === name).map((one) => one.seq)

  it('that are kept no more are told by the audit log, with approvals that counted', () => {
    const reads = [{ request: 'req-a', firstAt: short(12), lastAt: short(12), seqs: [90, 91, 95] }]
    const shown = reportOf(rows, { reads }).filter((one) => one.row !== 'policy')
    const [first] = seqOf('req-a')
    expect(shown).toEqual([
      {
        row: 'request',
        name: 'req-a',
        projects: ['shop'],
        by: 'dev',
        secrets: ['db.global'],
        approved_by: ['olga'],
        asked_at: short(11),
        approved_at: short(11.3),
        from: short(12),
        until: short(13),
        state: 'Ended',
        uses: 3,
        audit: [`${first}-${first! + 1}`, `${first! + 3}-${first! + 5}`, '90-91', '95'],
      },
      {
        row: 'emergency',
        name: 'req-b',
        projects: ['shop'],
        by: 'dev',
        secrets: [],
        asked_at: short(14),
        from: short(14),
        until: short(15),
        state: 'Revoked',
        review: `Misuse by otto at ${short(16)}`,
        audit: [`${seqOf('req-b')[0]}-${seqOf('req-b')[2]}`],
      },
    ])
    expect(reportOf(rows, { project: 'other' })).toEqual([])
  })

  it('that are emergencies are shown alone where asked, with the review that is overdue', () => {
    const request = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'AccessRequest',
      metadata: { name: 'req-b', namespace: 'pay', creationTimestamp: short(14) },
      spec: { projectRef: { name: 'shop' }, reason: 'INC-1', emergency: true },
      status: { state: 'Ended', startedAt: short(14), endsAt: short(15), reviewBy: short(86) },
    }
    const shown = reportOf(rows.slice(0, -2), { emergencies: true, kept: { requests: [request] } })
    expect(shown).toMatchObject([
      { row: 'emergency', reason: 'INC-1', review: `due until ${short(86)}` },
      { row: 'overdue review', name: 'req-b', from: short(86) },
    ])
    expect(shown[1]).not.toHaveProperty('until')
  })
})
