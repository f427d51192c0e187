// compliance: how old the keys and values of a project were, and what was overdue, signed for an auditor.
import { Option } from 'commander'
import * as z from 'zod'
import { accessCsv, signedInCsv } from '../../src/audit/access-csv.ts'
import {
  accessFault,
  accessWords,
  signedAccessReport,
  type SignedAccessReport,
} from '../../src/audit/access-report.ts'
import {
  complianceReport,
  reportFault,
  reportWords,
  signedReport,
  type SignedReport,
} from '../../src/audit/compliance.ts'
import { signedHead } from '../../src/audit/record.ts'
import { verifyFile, verifyOptions } from '../audit/signed-file.ts'
import { newCommand, newGroup, toInstant, type Command, type CommonFlags } from '../options.ts'
import { toYaml } from '../output/yaml.ts'
import { out } from '../print.ts'
import { openRest, projectPath } from '../connect/rest.ts'

export const command = (): Command =>
  newGroup('compliance', 'Make and verify signed reports on the age of keys and values.', [
    'stagely compliance report --project cards --since 365d -o json > cards.json',
    'stagely compliance verify cards.json --head audit.head',
  ]).having(reportCommand, verifyCommand)

interface ReportFlags extends CommonFlags {
  readonly project: string
  readonly since: string
}

const reportCommand = (): Command =>
  newCommand(
    'report',
    'Report the age of all keys and values of a project, who replaced them, and what was overdue. For auditors.',
    [
      'stagely compliance report --project cards',
      'stagely compliance report --project cards --since 365d -o json > cards.json',
      'stagely compliance report --project cards --since 2026-01-01 -n payments',
    ],
  )
    .requiredOption('--project <name>', 'which project')
    .addOption(
      new Option(
        '--since <time>',
        'leave out what ended before: 2026-01-31, 2026-01-31T10:00:00Z, or 365d for a year ago',
      )
        .argParser(toInstant)
        .default(toInstant('365d'), '365d'),
    )
    .choice(
      '-o, --output <format>',
      'json: the signed report, to be kept and verified; yaml: the same, to be read',
      ['json', 'yaml'],
    )
    .action(report)

const report = async ({ project, since, ...flags }: ReportFlags): Promise<void> => {
  const rest = await openRest(flags)
  const path = `${projectPath(rest.namespace, project)}/compliance?since=${encodeURIComponent(since)}`
  const { body } = await rest.call<SignedReport>(path)
  const { output } = flags
  if (output === 'json') out(JSON.stringify(body, null, 2))
  else out(output === 'yaml' ? toYaml(body) : reportWords(body).join('\n'))
}

const verifyCommand = (): Command =>
  verifyOptions(
    newGroup('verify', 'Verify a report, and print its content. Needs no controller.', [
      'stagely compliance verify cards.json --head audit.head',
      'stagely compliance verify access.csv --head audit.head',
      'stagely compliance report --project cards -o json | stagely compliance verify -',
    ]),
    'report',
  ).action((file: string, flags) =>
    verifyFile<SignedReport | SignedAccessReport>(file, flags as object, {
      noun: 'report',
      made: 'stagely compliance report -o json" or "stagely access report -o csv',
      schema: z.union([
        signedReport.extend({
          report: complianceReport.extend({ head: signedHead }).loose(),
        }),
        signedAccessReport,
      ]),
      parse: (content): unknown => signedInCsv(content) ?? JSON.parse(content),
      faultOf: async (crypto, signed, key, content) => {
        if (!('access' in signed)) return reportFault(crypto, signed, key)
        const isCsv = signedInCsv(content) !== undefined
        if (isCsv && accessCsv(signed) !== content.replace(/\n$/, ''))
          return 'its rows are not those that were signed'
        return accessFault(crypto, signed, key)
      },
      wordsOf: (signed) => ('access' in signed ? accessWords(signed) : reportWords(signed)),
    }),
  )
