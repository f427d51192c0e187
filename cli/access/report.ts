// Who could read values when, and by which requests: signed, for an auditor.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { Option } from 'commander'
import { accessCsv } from '../../src/audit/access-csv.ts'
import { accessWords, type SignedAccessReport } from '../../src/audit/access-report.ts'
import { newCommand, toInstant, type Command, type CommonFlags } from '../options.ts'
import { openRest } from '../connect/rest.ts'
import { out } from '../print.ts'

interface ReportFlags extends Omit<CommonFlags, 'output'> {
  readonly project?: string
  readonly at?: Moment
  readonly since: string
  readonly emergency?: boolean
  readonly output?: 'csv' | 'json' | 'table'
}

interface Moment {
  readonly from: string
  readonly to: string
}

/** A day is the whole of it, in UTC; a time is its second. */
const toMoment = (text: string): Moment => {
  const from = toInstant(text)
  const lastsMs = /^\d{4}-\d\d-\d\d$/.test(text) ? 86_400_000 : 1_000
  return { from, to: toFineTimestamp(Date.parse(from) + lastsMs) }
}

export const reportCommand = (): Command =>
  newCommand(
    'report',
    'Report who could read values, by which policies, rights and requests, who approved them, and which emergencies were reviewed. Signed, for auditors.',
    [
      'stagely access report --at 2026-11-01 -p shop',
      'stagely access report --since 365d -o csv > access.csv',
      'stagely access report --since 90d --emergency',
      'stagely compliance verify access.csv --head audit.head',
    ],
  )
    .option('-p, --project <name>', 'only of this project; else of all in the team')
    .addOption(
      new Option('--at <time>', 'a day: 2026-01-31, or a time: 2026-01-31T10:00:00Z')
        .argParser(toMoment)
        .conflicts('since'),
    )
    .addOption(
      new Option('--since <time>', 'from then on: 2026-01-31, or 365d for a year ago')
        .argParser(toInstant)
        .default(toInstant('365d'), '365d'),
    )
    .option('--emergency', 'only emergencies and their reviews')
    .choice('-o, --output <format>', 'csv or json: to be kept and verified; table: to be read', [
      'csv',
      'json',
      'table',
    ])
    .action(report)

const report = async (flags: ReportFlags): Promise<void> => {
  const { project, at, since, emergency, output } = flags
  const rest = await openRest(flags)
  const path = `/teams/${encodeURIComponent(rest.namespace)}/access-report`
  const query = {
    ...(at ?? { from: since }),
    ...(project !== undefined && { project }),
    ...(emergency === true && { emergencies: 'true' }),
  }
  const { body } = await rest.call<SignedAccessReport>(path, { query })
  if (output === 'json') out(JSON.stringify(body, null, 2))
  else out(output === 'csv' ? accessCsv(body) : accessWords(body).join('\n'))
}
