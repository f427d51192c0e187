// Reports on who could read values of a team, and by which requests. Signed by the key of the audit log, and checked
// anywhere. Pure.
import * as z from 'zod'
import { issuedText } from './signed-report.ts'
import { reportTime as time, signedSchema } from './signed-schema.ts'

const accessRow = z.object({
  row: z
    .enum(['policy', 'reader', 'request', 'emergency', 'overdue review'])
    .describe(
      'policy: rules in force. reader: a right that needs no request. overdue review: of an emergency.',
    ),
  name: z.string().describe('Of the policy or the request; of a reader the role or token.'),
  projects: z.array(z.string()),
  environments: z.array(z.string()).optional().describe('Only there. Absent: everywhere.'),
  not_in: z.array(z.string()).optional().describe('Environments where the right does not count.'),
  by: z.string().optional().describe('Who reads or asks. A pseudonym after an erasure.'),
  approved_by: z.array(z.string()).optional().describe('Who approved what was used.'),
  reason: z.string().optional().describe('Absent where the request is kept no more.'),
  secrets: z.array(z.string()).optional().describe('Names of the secrets that were asked for.'),
  asked_at: time.optional(),
  approved_at: time.optional(),
  from: time
    .optional()
    .describe('Since when values could be read. Absent: not at all, or before what is known.'),
  until: time.optional().describe('Absent: it goes on.'),
  uses: z.int().optional().describe('How often values were read.'),
  state: z.string().optional(),
  review: z.string().optional().describe('Outcome, person and time; or until when one is due.'),
  rules: z.string().optional().describe('Of a policy, in words.'),
  audit: z.array(z.string()).describe('Rows of the audit log: 7, or 7-9 for rows side by side.'),
})
export type AccessRow = z.infer<typeof accessRow>

const accessReport = z.object({
  team: z.string(),
  project: z.string().optional().describe('Absent: all of the team.'),
  from: time,
  to: time.describe('Rows are of what was so between these times.'),
  emergencies_only: z.boolean(),
  issued_at: time,
  audit_since: time
    .optional()
    .describe('The oldest row of the audit log. Before it, only what is kept now is known.'),
  rows: z.array(accessRow),
})
export type AccessReport = z.infer<typeof accessReport>

export const signedAccess = signedSchema('access', accessReport)
export type SignedAccess = z.infer<typeof signedAccess>

const spanText = ({ from, until }: AccessRow): string =>
  [from && `from ${from}`, until && `until ${until}`].filter(Boolean).join(' ')

const list = (names: readonly string[] | undefined): string => (names ?? []).join(', ')

const rowWords = (row: AccessRow): string => {
  const { by = 'nobody', name, projects, environments, not_in: notIn, approved_by: approved } = row
  const where = [
    list(projects),
    ...(environments === undefined ? [] : [`(only ${list(environments)})`]),
    ...(notIn === undefined ? [] : [`(not ${list(notIn)})`]),
  ].join(' ')
  const when = spanText(row)
  const rows = `rows ${list(row.audit) || 'not kept'}`
  const texts: Readonly<Record<AccessRow['row'], readonly (string | undefined)[]>> = {
    policy: [`Policy ${name} of ${where}`, when, row.rules, rows],
    reader: [`${by} reads ${where} as ${name}`, when, rows],
    request: [
      `${name}: ${by} for ${where}`,
      row.state,
      approved === undefined ? 'approved by nobody' : `approved by ${list(approved)}`,
      when,
      `${row.uses ?? 0} uses`,
      row.reason && JSON.stringify(row.reason),
      rows,
    ],
    emergency: [
      `${name}: emergency of ${by} for ${where}`,
      row.state,
      when,
      `${row.uses ?? 0} uses`,
      `review ${row.review ?? 'due'}`,
      row.reason && JSON.stringify(row.reason),
      rows,
    ],
    'overdue review': [`${name}: the review is overdue`, when],
  }
  return `  ${texts[row.row].filter(Boolean).join('; ')}.`
}

const titles: Readonly<Record<AccessRow['row'], readonly [string, string]>> = {
  policy: ['Policies in force:', 'No policy was in force.'],
  reader: ['Who could read values without a request:', 'Nobody could read without a request.'],
  request: ['Requests:', 'No request.'],
  emergency: ['Emergencies:', 'No emergency.'],
  'overdue review': ['Reviews that are overdue:', 'No review is overdue.'],
}

/** What it says, a sentence a line. */
export const accessWords = ({ access }: SignedAccess): readonly string[] => {
  const { team, project, rows, head } = access
  const kinds = accessRow.shape.row.options.filter(
    (kind) => !access.emergencies_only || ['emergency', 'overdue review'].includes(kind),
  )
  return [
    `Access to values of ${project === undefined ? `team ${team}` : `${team}/${project}`}, ${access.from} to ${access.to}.`,
    ...kinds.flatMap((kind) => {
      const own = rows.filter(({ row }) => row === kind)
      const [title, none] = titles[kind]
      return own.length === 0 ? [none] : [title, ...own.map(rowWords)]
    }),
    issuedText(access.issued_at, head),
  ]
}
