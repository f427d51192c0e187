// Reports of a project for auditors: how old its keys and values were, who replaced them, what was overdue. Signed
// by the key of the audit log, and checked anywhere. Pure.
import * as z from 'zod'
import { reportTime as time, signedSchema } from './signed-schema.ts'

const lifetime = {
  since: time.optional().describe('Absent where that is not known.'),
  until: time.optional().describe('Absent while it is in use.'),
  by: z.string().optional().describe('Who brought it; absent where that is not known.'),
  overdue_from: time.optional().describe('By the rules of that time; absent where it never was.'),
  overdue_days: z
    .number()
    .optional()
    .describe(
      'For how long, up to its end or the report, without the time in which the rules allowed it.',
    ),
}

const reportedKey = z.object({
  kind: z.enum(['data', 'master', 'project', 'sealing']),
  name: z.string().describe('Its id, or its name in the configuration. Never a key.'),
  ...lifetime,
})

const reportedSecret = z.object({
  name: z.string(),
  key: z.string().optional().describe('Absent where the secret and its history are gone.'),
  scope: z.string().optional(),
  stagelet: z.string().optional(),
  environments: z.array(z.string()).optional(),
  exempt: z.boolean().describe('spec.secretPolicy.exempt names its key.'),
  deleted_at: time.optional(),
  deleted_by: z.string().optional(),
  values: z.array(z.object({ version: z.int(), ...lifetime })),
})

const complianceReport = z.object({
  team: z.string(),
  project: z.string(),
  since: time.describe('What ended before is left out.'),
  issued_at: time,
  rules: z.object({
    max_age: z.string().optional().describe('spec.secretPolicy.maxAge'),
    exempt: z.array(z.string()).describe('spec.secretPolicy.exempt'),
    enforce: z.string().optional().describe('spec.secretPolicy.enforce'),
    key_rotation: z.string().describe('How old a key of the project may be.'),
    key_rotation_enforced: z.boolean(),
    sealing_key_rotation: z.string(),
    rotation: z
      .enum(['auto', 'off'])
      .describe('auto: the controller replaces data keys and the sealing key when they are due.'),
  }),
  rules_before: z
    .array(
      z.object({
        until: time,
        max_age: z.string().optional(),
        exempt: z.array(z.string()),
        key_rotation: z.string(),
      }),
    )
    .optional()
    .describe('Earlier rules, in order; absent where no change of them is known.'),
  keys: z.array(reportedKey),
  secrets: z.array(reportedSecret),
  rotations: z
    .array(
      z.object({
        at: time,
        by: z.string(),
        what: z.string().describe('As the audit log names it.'),
        key: z.string().optional(),
      }),
    )
    .describe('What the audit log says of rotations that concern the project.'),
  audit_since: time
    .optional()
    .describe('The oldest row of the audit log: before it, only what the store keeps is known.'),
})

export type ComplianceReport = z.infer<typeof complianceReport>
export type ReportedKey = z.infer<typeof reportedKey>
export type ReportedSecret = z.infer<typeof reportedSecret>
export type Lifetime = Pick<ReportedKey, 'since' | 'until' | 'by' | 'overdue_from' | 'overdue_days'>

export const signedCompliance = signedSchema('compliance', complianceReport)
export type SignedCompliance = z.infer<typeof signedCompliance>

/** What was, or is, overdue: the longest first. */
const overdueIn = ({
  report,
}: Pick<SignedCompliance, 'report'>): {
  what: string
  from: string
  days: number
  open: boolean
}[] => {
  const overdueRows = (
    what: string,
    { overdue_from: from, overdue_days: days, until }: Lifetime,
  ) => (from === undefined ? [] : [{ what, from, days: days ?? 0, open: until === undefined }])
  const keys = report.keys.flatMap((key) => overdueRows(`${key.kind} key ${key.name}`, key))
  const secrets = report.secrets.flatMap(({ name, values }) =>
    values.flatMap((value) => overdueRows(`secret ${name} version ${value.version}`, value)),
  )
  return [...keys, ...secrets].sort((a, b) => b.days - a.days)
}

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
const mostLines = 20

/** What the report says, a sentence a line. */
export const complianceWords = (signed: SignedCompliance): readonly string[] => {
  const { report } = signed
  const { rules, keys, secrets, rotations, head } = report
  const overdue = overdueIn(signed)
  const open = overdue.filter((row) => row.open).length
  const values = secrets.reduce((sum, secret) => sum + secret.values.length, 0)
  const enforced = rules.key_rotation_enforced ? ', enforced' : ''
  const exempt = secrets.filter((secret) => secret.exempt).map(({ name }) => name)
  return [
    `Project ${report.team}/${report.project}, ${report.since} to ${report.issued_at}.`,
    `Rules of now: keys ${rules.key_rotation}${enforced}; values ${rules.max_age ?? 'of any age'}.`,
    ...(report.rules_before ?? []).map(
      ({ until, key_rotation: every, max_age: age }) =>
        `Until ${until}: keys ${every}; values ${age ?? 'of any age'}.`,
    ),
    `${many(keys.length, 'key')}; ${many(values, 'value')} of ${many(secrets.length, 'secret')}; ${many(rotations.length, 'row')} about rotations.`,
    exempt.length === 0 ? 'No secret is exempt.' : `Exempt: ${exempt.join(', ')}.`,
    overdue.length === 0
      ? 'Nothing was overdue.'
      : `${many(overdue.length, 'lifetime')} overdue, ${open} of them now:`,
    ...overdue
      .slice(0, mostLines)
      .map(
        ({ what, from, days, open: isOpen }) =>
          `  ${what}: from ${from}, ${days} days${isOpen ? ', still' : ''}.`,
      ),
    ...(overdue.length > mostLines ? [`  and ${overdue.length - mostLines} more.`] : []),
    `Issued when the audit log had ${many(head.seq, 'row')}.`,
  ]
}
