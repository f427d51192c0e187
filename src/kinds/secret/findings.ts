// Files in which `stagely scan --report` has found a version of a secret: part of the secret's status. Pure.
import * as z from 'zod'
import { earliest } from '../../kernel/earliest.ts'
import { oneLine } from '../../kernel/printable.ts'
import { count, instant, word } from '../../resources/limits.ts'

/** Of one secret. */
export const mostFindings = 50
/** That are open, of a project. */
export const mostOpenFindings = 1_000
/** How long a closed one is kept. */
const keptMs = 30 * 86_400_000

export const findingPlace = {
  repository: z.string().min(1).max(256).describe('Such as git.example.com/acme/shop.'),
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/)
    .optional()
    .describe('Of a scan of commits.'),
  path: z.string().min(1).max(1_024).describe('Of the file.'),
  line: z.int().min(1).describe('Where it was found first.'),
}

const closedStates = ['Revoked', 'Superseded'] as const

export const secretFinding = z.strictObject({
  id: word.describe('One for each version, repository and path.'),
  version: count.describe('Newest version with the value that was found.'),
  ...findingPlace,
  foundAt: instant.describe('When it was reported first.'),
  closedAt: instant.optional().describe('Absent: it is open.'),
  closedAs: z
    .enum(closedStates)
    .optional()
    .describe(
      'Revoked: a Rotation has ended the credential. Superseded: a newer value took its place, and no Rotation ends it.',
    ),
})
export type SecretFinding = z.infer<typeof secretFinding>

type Findings = readonly SecretFinding[]

export const isOpen = ({ closedAt }: Pick<SecretFinding, 'closedAt'>): boolean =>
  closedAt === undefined

/** `known`: it is there. `full`: the secret has too many that are open. */
export const withFinding = (
  before: Findings,
  finding: SecretFinding,
): { readonly findings: Findings; readonly outcome: 'new' | 'known' | 'full' } => {
  const same = before.find(({ id }) => id === finding.id)
  if (same !== undefined && isOpen(same)) return { findings: before, outcome: 'known' }
  const others = before.filter(({ id }) => id !== finding.id)
  const oldest = others.find((other) => !isOpen(other))
  const kept = others.length < mostFindings ? others : others.filter((other) => other !== oldest)
  if (kept.length >= mostFindings) return { findings: before, outcome: 'full' }
  return { findings: [...kept, finding], outcome: 'new' }
}

/** How the value of a version stands; undefined where the version is kept no more. */
export type FoundState = 'current' | 'superseded' | 'revoked' | undefined

/** A finding closes with its value, and is open again where the value comes back. `canEnd`: a Rotation ends old values. */
export const settleFindings = (
  before: Findings,
  stateOf: (version: number) => FoundState,
  { now, canEnd }: { readonly now: string; readonly canEnd: boolean },
): Findings =>
  before.map((finding) => {
    const state = stateOf(finding.version)
    const { closedAt, closedAs: _, ...open } = finding
    if (state === 'current' || (state === 'superseded' && canEnd)) return open
    const closedAs = state === 'revoked' ? 'Revoked' : 'Superseded'
    return { ...open, closedAt: closedAt ?? now, closedAs }
  })

/** Without those that have been closed for long, and the next moment (ms) at which one has. */
export const keptFindings = (
  before: Findings = [],
  nowMs: number,
): { readonly kept: { findings?: SecretFinding[] }; readonly nextAt: number | undefined } => {
  const endOf = ({ closedAt }: SecretFinding): number | undefined =>
    closedAt === undefined ? undefined : Date.parse(closedAt) + keptMs
  const findings = before.filter((finding) => (endOf(finding) ?? Infinity) > nowMs)
  const nextAt = findings.map(endOf).reduce(earliest, undefined)
  return { kept: findings.length === 0 ? {} : { findings }, nextAt }
}

/** Which versions, in words; undefined where no finding is open. */
export const leakedVersions = (findings: Findings = []): string | undefined => {
  const versions = new Set(findings.filter(isOpen).map(({ version }) => version))
  if (versions.size === 0) return undefined
  const names = [...versions].sort((a, b) => a - b).join(', ')
  return versions.size === 1 ? `version ${names} was` : `versions ${names} were`
}

/** When the first open one was reported. */
export const leakedSince = (findings: Findings = []): string | undefined =>
  findings
    .filter(isOpen)
    .map(({ foundAt }) => foundAt)
    .sort()[0]

/** Where it is, on one line. */
export const findingText = ({
  repository,
  path,
  line,
}: Pick<SecretFinding, 'repository' | 'path' | 'line'>): string =>
  oneLine(`${path}:${line} in ${repository}`)
