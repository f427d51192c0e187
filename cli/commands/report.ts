// report: what the controller signs for auditors, and the check of such a file without a controller.
import { openClient } from '../connect/client.ts'
import { Option } from 'commander'
import { accessCsv } from '../../src/audit/access-csv.ts'
import type { SignedAccess } from '../../src/audit/access-report.ts'
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { verifyReport, wordsOfReport } from '../audit/signed-file.ts'
import { CliError, usageError } from '../errors.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { openSecret } from '../objects/secret-identity.ts'
import { newCommand, newGroup, toInstant, type Command, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { out } from '../print.ts'

export const command = (): Command =>
  newGroup('report', 'Make and verify signed reports: receipts, exposure, ages of keys, access.', [
    'stagely report receipt shop',
    'stagely report compliance --project cards -o json > cards.json',
    'stagely report verify cards.json --head audit.head',
  ]).having(receipt, exposure, compliance, access, verify)

/** `json` is the file to keep; `yaml` and words are for people. */
const withFormat = (made: Command, ...more: readonly string[]): Command =>
  made.choice('-o, --output <format>', 'json: to be kept and verified; else words, to be read', [
    'json',
    'yaml',
    ...more,
  ])

type Format = 'json' | 'yaml' | 'csv' | 'table'
type Flags<T> = Omit<CommonFlags, 'output'> & { readonly output?: Format } & T

const printReport = async (
  rest: RestClient,
  path: string,
  { output, query }: { output?: Format | undefined; query?: Record<string, string> },
): Promise<void> => {
  const { body } = await rest.call<unknown>(path, query === undefined ? {} : { query })
  if (output === 'csv') out(accessCsv(body as SignedAccess))
  else {
    const format = output === 'table' ? undefined : output
    const words = wordsOfReport(body)
    if (words === undefined && format === undefined)
      throw new CliError(
        'the controller sent a report that this version cannot say in words: -o json prints it',
      )
    await printAs(body, format, () => words?.join('\n') ?? '')
  }
}

const receipt = (): Command =>
  withFormat(
    newCommand(
      'receipt',
      'Report who changed which keys in a revision, why, and which stagelets run it.',
      [
        'stagely report receipt shop',
        'stagely report receipt shop --revision 44 -o json > r44.json',
      ],
    ),
  )
    .argument('<project>', 'project')
    .option('--revision <number>', 'which; else the newest', parseNumber)
    .action(async (project: string, flags: Flags<{ readonly revision?: number }>) => {
      const { rest } = await openClient(flags)
      const path = projectPath(rest.namespace, project)
      const revision = flags.revision ?? (await rest.call<{ revision: number }>(path)).body.revision
      if (revision === 0) throw usageError(`project "${project}" has no revision yet`)
      await printReport(rest, `${path}/revisions/${revision}/receipt`, flags)
    })

const exposure = (): Command =>
  withFormat(
    secretCommand(
      'exposure',
      'Report which containers held a version of a secret when, who read it, and since when it is refused.',
      [
        'stagely report exposure STRIPE_SECRET_KEY --project shop --scope backend --version 7 -o json > e7.json',
        'stagely report verify e7.json',
      ],
    ),
  )
    .argument('<key>', 'variable name')
    .requiredOption('--version <number>', 'which version', parseNumber)
    .action(
      async (key: string, flags: Omit<SecretFlags, 'output'> & Flags<{ version: number }>) => {
        const { rest, path } = await openSecret(key, flags)
        await printReport(rest, `${path}/versions/${flags.version}/exposure`, flags)
      },
    )

const sinceOption = (text: string): Option =>
  new Option('--since <time>', `${text}: 2026-01-31, 2026-01-31T10:00:00Z, or 365d for a year ago`)
    .argParser(toInstant)
    .default(toInstant('365d'), '365d')

const compliance = (): Command =>
  withFormat(
    newCommand(
      'compliance',
      'Report the age of all keys and values of a project, who replaced them, and what was overdue.',
      [
        'stagely report compliance --project cards',
        'stagely report compliance --project cards --since 365d -o json > cards.json',
        'stagely report compliance --project cards --since 2026-01-01 -n payments',
      ],
    ),
  )
    .requiredOption('-p, --project <name>', 'which project')
    .addOption(sinceOption('leave out what ended before'))
    .action(async (flags: Flags<{ readonly project: string; readonly since: string }>) => {
      const { rest } = await openClient(flags)
      const path = `${projectPath(rest.namespace, flags.project)}/compliance`
      await printReport(rest, path, { output: flags.output, query: { since: flags.since } })
    })

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

type AccessFlags = Flags<{
  readonly project?: string
  readonly at?: Moment
  readonly since: string
  readonly emergency?: boolean
}>

const access = (): Command =>
  withFormat(
    newCommand(
      'access',
      'Report who could read values, by which policies, rights and requests, who approved them, and which emergencies were reviewed.',
      [
        'stagely report access --at 2026-11-01 -p shop',
        'stagely report access --since 365d -o csv > access.csv',
        'stagely report access --since 90d --emergency',
        'stagely report verify access.csv --head audit.head',
      ],
    ),
    'csv',
    'table',
  )
    .option('-p, --project <name>', 'only of this project; else of all in the team')
    .addOption(
      new Option('--at <time>', 'a day: 2026-01-31, or a time: 2026-01-31T10:00:00Z')
        .argParser(toMoment)
        .conflicts('since'),
    )
    .addOption(sinceOption('from then on'))
    .option('--emergency', 'only emergencies and their reviews')
    .action(async ({ project, at, since, emergency, ...flags }: AccessFlags) => {
      const { rest } = await openClient(flags)
      const query = {
        ...(at ?? { from: since }),
        ...(project !== undefined && { project }),
        ...(emergency === true && { emergencies: 'true' }),
      }
      const path = `/teams/${encodeURIComponent(rest.namespace)}/access-report`
      await printReport(rest, path, { output: flags.output, query })
    })

const verify = (): Command =>
  newGroup('verify', 'Verify a report of any kind, and print its content. Needs no controller.', [
    'stagely report verify r44.json --head audit.head',
    'stagely report verify access.csv --head audit.head',
    'stagely report receipt shop -o json | stagely report verify -',
  ])
    .argument('<file>', 'a report as JSON or CSV, or - for stdin')
    .option('--key <key>', 'public key that must have signed; else that of --head')
    .option(
      '--head <file>',
      'a head kept elsewhere ("stagely admin audit head"): its key must have signed',
    )
    .action(verifyReport)
