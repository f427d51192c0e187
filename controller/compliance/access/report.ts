// A report on who could read values of a team when, and by which requests. Pure.
import type { AccessReport, AccessRow } from '../../../src/audit/access-report.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { AccessFacts } from '../../../src/store/audit/access-facts.ts'
import { readerRows } from './readers.ts'
import { requestRows } from './requests.ts'
import { meets, type Span } from './spans.ts'
import { policySpans, type Kept } from './timeline.ts'
import { rulesText, spanFields } from './words.ts'

export interface AskedAccess {
  readonly team: string
  readonly project: string | undefined
  readonly period: Span
  readonly emergencies: boolean
  readonly nowMs: number
}

const policyRows = (facts: AccessFacts, kept: Kept, period: Span): AccessRow[] =>
  policySpans(facts, kept)
    .filter((span) => meets(span, period))
    .map((span) => ({
      row: 'policy',
      name: span.name,
      projects: [...span.policy.projects],
      ...defined({ environments: span.policy.environments && [...span.policy.environments] }),
      ...spanFields(span),
      rules: rulesText(span.policy),
      audit: span.seqs.map(String),
    }))

export const accessReportOf = (
  facts: AccessFacts,
  kept: Kept,
  { team, project, period, emergencies, nowMs }: AskedAccess,
): AccessReport => {
  const requests = requestRows(facts, kept.requests, { period, nowMs })
  const rows = emergencies
    ? requests.filter(({ row }) => row !== 'request')
    : [...policyRows(facts, kept, period), ...readerRows(facts, kept, period), ...requests]
  return {
    team,
    ...defined({ project }),
    from: toTimestamp(period.from),
    to: toTimestamp(period.to),
    emergencies_only: emergencies,
    issued_at: toTimestamp(nowMs),
    ...defined({ audit_since: facts.auditSince }),
    rows: rows.filter(({ projects }) => project === undefined || projects.includes(project)),
  }
}
