// Findings: files in which a scan has found values of a project. They are part of the status of the secret.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { defined } from '../../../../src/kernel/defined.ts'
import type { Fault } from '../../../../src/kernel/errors.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { refOf } from '../../../../src/resources/meta.ts'
import {
  findingPlace,
  findingText,
  isOpen,
  mostFindings,
  mostOpenFindings,
  withFinding,
  type SecretFinding,
} from '../../../../src/kinds/secret/findings.ts'
import type { Typed } from '../../../../src/kinds/typed.ts'
import { createScanner, scanName } from '../../../../src/scan/scanner.ts'
import {
  scannerFileOf,
  type ProjectFingerprints,
} from '../../../../src/store/history/fingerprints.ts'
import type { Transaction } from '../../../../src/store/store.ts'
import { idOf, renderId } from '../ids.ts'
import { invalidInput } from '../input.ts'
import { listRoute } from '../lists.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { answer } from '../shapes.ts'

const findingsPath = '/projects/:project_id/findings'
const mostInReport = 1_000

const findingSchema = z
  .strictObject({
    id: z.string(),
    secret_id: z.string(),
    secret: z.string().describe('Name of the secret.'),
    key: z.string(),
    scope: z.string(),
    version: z.int(),
    state: z
      .enum(['open', 'revoked', 'superseded'])
      .describe('`revoked`, `superseded`: it has closed by itself.'),
    repository: z.string(),
    commit: z.string().optional(),
    path: z.string(),
    line: z.int(),
    found_at: timeSchema,
    closed_at: timeSchema.optional(),
  })
  .describe('A file of a repository in which a value was found.')

const reportSchema = z.strictObject({
  repository: findingPlace.repository,
  findings: z
    .array(
      z.strictObject({
        secret_id: z.string().max(limits.word),
        version: z.int().min(1),
        commit: findingPlace.commit,
        path: findingPlace.path,
        line: findingPlace.line,
      }),
    )
    .min(1)
    .max(mostInReport),
})
type Report = z.infer<typeof reportSchema>
type Reported = Report['findings'][number]

const reportedSchema = z.strictObject({
  reported: z.int().describe('Findings that are new.'),
  known: z.int().describe('Those that were reported before.'),
  ended: z.int().describe('Those of revoked values and deleted secrets: there is nothing to do.'),
  not_kept: z
    .int()
    .describe(
      `Those beyond ${mostFindings} open ones of a secret, or ${mostOpenFindings} of the project.`,
    ),
})

const fieldFault = (i: number, field: string, message: string): Fault => ({
  field: `findings.${i}.${field}`,
  reason: 'FieldValueInvalid',
  message,
})

/** Texts of the report that hold a value themselves. A report that is no scanner's could tell one. */
const textFaults = (
  { repository, findings }: Report,
  { scanKey, values }: ProjectFingerprints,
): Fault[] => {
  const scanner = createScanner(scannerFileOf(scanKey, values))
  for (const path of [repository, ...findings.map((found) => found.path)])
    scanName([scanner], { path })
  const words = scanner.macsOfWords()
  const weak = values.flatMap(({ fingerprint }) =>
    scanner.placesOfWord(words.get(fingerprint.mac) ?? 0),
  )
  const telling = new Set([...scanner.hits, ...weak].map((place) => place.path))
  const message = 'holds a value of a secret: rename it, and report again'
  const ofRepository = { field: 'repository', reason: 'FieldValueInvalid', message } as const
  return [
    ...(telling.has(repository) ? [ofRepository] : []),
    ...findings.flatMap((found, i) =>
      telling.has(found.path) ? [fieldFault(i, 'path', message)] : [],
    ),
  ]
}

interface Live extends Reported {
  readonly isSuperseded: boolean
}

/** By the uid of the secret, what is still accepted. Invalid names what is no version of the project. */
const liveOf = (report: Report, prints: ProjectFingerprints): Map<string, Live[]> => {
  const byVersion = new Map(
    prints.values.map((value) => [
      `${renderId('StagelySecret', value.secretId)}/${value.version}`,
      value,
    ]),
  )
  const live = new Map<string, Live[]>()
  const faults: Fault[] = []
  for (const [i, found] of report.findings.entries()) {
    const value = byVersion.get(`${found.secret_id}/${found.version}`)
    const isEnded = value?.state === 'revoked' || value?.state === 'deleted'
    const isHidden = value?.mayAsk === false
    if (value === undefined || (isHidden && !isEnded))
      faults.push(
        fieldFault(i, 'version', 'is no version that a scan of this project finds: scan again'),
      )
    else if (!isEnded) {
      const { secretId, state } = value
      const reported = { ...found, isSuperseded: state === 'superseded' }
      live.set(secretId, [...(live.get(secretId) ?? []), reported])
    }
  }
  const all = [...faults, ...textFaults(report, prints)]
  if (all.length > 0) throw invalidInput(all)
  return live
}

const findingIdOf = (uid: string, version: number, repository: string, file: string): string =>
  createHash('sha256')
    .update(JSON.stringify([uid, version, repository, file]))
    .digest('hex')
    .slice(0, 16)

const outcomes = ['new', 'known', 'full'] as const
type Counts = Record<(typeof outcomes)[number], number>

interface Kept {
  readonly found: readonly Live[]
  readonly repository: string
  /** How many more of the project are kept. */
  readonly most: number
  readonly now: string
}

/** Keeps the findings of one secret, and tells of the new ones. */
const keep = async (
  tx: Transaction,
  secret: Typed<'StagelySecret'>,
  { found, repository, most, now }: Kept,
): Promise<Counts> => {
  const counts = { new: 0, known: 0, full: 0 }
  const canEnd = secret.spec.valueFrom?.rotation !== undefined
  let findings: readonly SecretFinding[] = secret.status?.findings ?? []
  const added: SecretFinding[] = []
  for (const { secret_id: _, isSuperseded, ...at } of found) {
    // It would close at once.
    if (isSuperseded && !canEnd) continue
    const id = findingIdOf(secret.metadata.uid ?? '', at.version, repository, at.path)
    const finding = { id, ...defined(at), repository, foundAt: now }
    const next = withFinding(findings, finding)
    const outcome = next.outcome === 'new' && counts.new >= most ? 'full' : next.outcome
    counts[outcome]++
    if (outcome !== 'new') continue
    findings = next.findings
    added.push(finding)
  }
  const [first] = added
  if (first === undefined) return counts
  const after = { ...secret, status: { ...secret.status, findings } }
  await tx.setStatus(after)
  const more = added.length === 1 ? '' : `, and in ${added.length - 1} more files`
  const message = `${secret.spec.key}: version ${first.version} was found at ${findingText(first)}${more}`
  await tx.recordEvent({ regarding: after, type: 'Warning', reason: 'LeakFound', message })
  return counts
}

export const findingRoutes = routesOf('Values', [
  listRoute({
    id: 'listFindings',
    at: `GET ${findingsPath}`,
    summary: 'Files of repositories in which values of the project were found.',
    access: { in: 'project', verb: 'list', resource: 'stagelysecrets', placed: true },
    description: 'The newest first. Closed ones are kept for 30 days.',
    query: {
      state: z.enum(['open', 'closed']).optional().describe('All when absent.'),
    },
    item: findingSchema,
    read: async ({ deps, query, ...context }) => {
      const { namespace = '', name: project } = requireTarget(context).metadata
      const { items } = await deps.store.list('StagelySecret', { namespace, project })
      return items.flatMap((secret) =>
        (secret.status?.findings ?? []).flatMap((finding) => {
          if (query.state !== undefined && isOpen(finding) !== (query.state === 'open')) return []
          const { key, scope } = secret.spec
          const { closedAs, ...shown } = finding
          const state =
            closedAs === undefined ? 'open' : closedAs === 'Revoked' ? 'revoked' : 'superseded'
          return [
            {
              ...shown,
              state,
              secretId: idOf(secret),
              secret: secret.metadata.name,
              key,
              scope,
            } as const,
          ]
        }),
      )
    },
    order: { of: 'findings', placeOf: ({ foundAt, id }) => [foundAt, id], descending: true },
  }),
  route({
    id: 'reportFindings',
    at: `POST ${findingsPath}`,
    summary: 'Tell where a scan has found values, so that they are changed.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets/findings' },
    body: reportSchema,
    changes: ({ findings }) => findings.length,
    response: { description: 'How many are new.', schema: reportedSchema },
    handle: async (context) => {
      const { deps, actor, body } = context
      const { store } = deps
      const project = refOf(requireTarget(context))
      const { namespace, name } = project
      const prints = await store.fingerprints(
        actor,
        project,
        `report ${body.findings.length} findings`,
      )
      const live = liveOf(body, prints)
      const now = toTimestamp(deps.clock.now())
      const counts = await store.write(actor, {}, async (tx): Promise<Counts> => {
        const sum = { new: 0, known: 0, full: 0 }
        const { items } = await tx.list('StagelySecret', { namespace, project: name })
        const open = items.flatMap(({ status }) => (status?.findings ?? []).filter(isOpen)).length
        for (const secret of items) {
          const found = live.get(secret.metadata.uid ?? '')
          if (found === undefined) continue
          const most = mostOpenFindings - open - sum.new
          const kept = await keep(tx, secret, { found, repository: body.repository, most, now })
          for (const outcome of outcomes) sum[outcome] += kept[outcome]
        }
        return sum
      })
      const ended = body.findings.length - counts.new - counts.known - counts.full
      const { new: reported, known, full: notKept } = counts
      return { body: answer(reportedSchema, { reported, known, ended, notKept }) }
    },
  }),
])
