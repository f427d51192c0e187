// The audit log: rows, the verifiable export, what a person has read, and the erasure of a person.
import { ReadableStream } from 'node:stream/web'
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { teamsWhere, type Principal } from '../../../../src/access/principal.ts'
import type { ExportLine } from '../../../../src/audit/lines.ts'
import { auditRecord, signedHead } from '../../../../src/audit/record.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import type { AuditFilter } from '../../../../src/store/audit/queries.ts'
import { renderId } from '../ids.ts'
import { listRoute } from '../lists.ts'
import { badCursor, pageOf, pageQuery } from '../paging.ts'
import { timeSchema } from '../representations.ts'
import { route, routesOf } from '../route.ts'

const access = { in: 'teams', verb: 'list', resource: 'audit' } as const

const word = z.string().min(1).max(300).optional()
const instant = z.iso.datetime({ offset: true }).max(limits.time).optional()
const filterQuery = {
  by: word.describe('Who acted: name or id.'),
  action: word.describe('What was done, such as create, update, delete, reveal, deliver, deny.'),
  kind: word.describe('To what kind: StagelySecret, Stagelet, User and so on.'),
  namespace: word.describe('In this team.'),
  name: word.describe('To the object of this name.'),
  result: z.enum(['success', 'denied']).optional().describe('How it ended.'),
  request_id: word.describe('In this request.'),
  since: instant.describe('From this time on, RFC 3339.'),
  until: instant.describe('Before this time, RFC 3339.'),
}
type FilterQuery = z.infer<z.ZodObject<typeof filterQuery>>

const teamsOf = (principal: Principal): string[] | undefined =>
  teamsWhere(principal, 'list', 'audit')

const filterOf = (
  principal: Principal,
  { request_id: requestId, ...query }: FilterQuery,
): AuditFilter => ({ ...query, requestId, teams: teamsOf(principal) })

const parseCursor = (cursor: string | undefined): number | undefined => {
  if (cursor === undefined) return undefined
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw badCursor()
}

const chain = { kind: 'AuditChain', namespace: '', name: 'chain' }

/** Number of lines that are written at once. */
const together = 100

async function* written(
  lines: AsyncGenerator<ExportLine>,
  first: IteratorResult<ExportLine, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let ready: string[] = []
  try {
    for (let next = first; next.done !== true && !signal.aborted; next = await lines.next()) {
      ready.push(`${JSON.stringify(next.value)}\n`)
      if (ready.length < together) continue
      yield Buffer.from(ready.join(''))
      ready = []
    }
    if (ready.length > 0) yield Buffer.from(ready.join(''))
  } finally {
    await lines.return(undefined)
  }
}

const revealedSecret = z.strictObject({
  id: z.string().describe('`sec_…`'),
  namespace: z.string(),
  name: z.string(),
  project: z.string(),
  key: z.string(),
  scope: z.string(),
  version: z.int().describe('Newest version that was read.'),
  reads: z.int(),
  last_read_at: z.string(),
  current_version: z.int().optional().describe('Absent when the secret is gone.'),
  knows_current: z.boolean().describe('The value in use was read: rotate it.'),
})

export const auditRoutes = routesOf('Audit', [
  route({
    id: 'listAudit',
    at: 'GET /audit',
    summary: 'Who did what, newest first, in the teams that you may audit.',
    access,
    query: z.strictObject({ ...filterQuery, ...pageQuery }),
    response: {
      description: 'One page of rows.',
      schema: pageOf('rows', auditRecord),
    },
    handle: async ({ deps, principal, query: { cursor, limit, ...filter } }) => {
      const page = { before: parseCursor(cursor), limit }
      const { records, next } = await deps.audit.list(filterOf(principal, filter), page)
      const more = next === undefined ? {} : { next_cursor: String(next) }
      return { body: { rows: records, ...more } }
    },
  }),
  route({
    id: 'exportAudit',
    at: 'GET /audit/export',
    summary:
      'The chain as JSON lines, the signed head last. Rows of other teams, and those that the filter leaves out, come as digests, so that every export can be verified.',
    access,
    query: z.strictObject({
      ...filterQuery,
      after: z.coerce.number().int().nonnegative().optional().describe('Only rows after this one.'),
    }),
    response: { description: 'JSON lines (application/x-ndjson).' },
    handle: async ({ deps, principal, actor, query: { after, ...filter }, signal }) => {
      await deps.audit.record(actor, chain, { action: 'export audit' })
      const lines = deps.audit.export(filterOf(principal, filter), after)
      // The first line is read before the answer begins, so that a refusal still gets its status.
      const first = await lines.next()
      return {
        headers: { 'content-type': 'application/x-ndjson' },
        stream: ReadableStream.from(written(lines, first, signal)),
      }
    },
  }),
  route({
    id: 'getAuditHead',
    at: 'GET /audit/head',
    summary: 'The signed head: keep it where the database cannot be reached from.',
    access,
    response: { description: 'The head of the chain.', schema: signedHead },
    handle: async ({ deps }) => ({ body: await deps.audit.sign() }),
  }),
  route({
    id: 'getAuditState',
    at: 'GET /audit/state',
    summary: 'How far the chain goes, and whether the controller still signs it.',
    access,
    response: {
      description:
        'What the controller says of itself. To be sure, verify an export with a head that you kept.',
      schema: z.strictObject({
        linked_to: z.int().describe('The newest row.'),
        head: signedHead,
        head_at: timeSchema
          .optional()
          .describe('When it was signed, or its signature was looked at.'),
        fault: z.string().optional().describe('Why nothing is signed: somebody changed the chain.'),
      }),
    },
    handle: async ({ deps: { audit, clock } }) => {
      const { linkedTo, head, fault } = await audit.state()
      const said = fault === undefined ? { head_at: toTimestamp(clock.now()) } : { fault }
      return { body: { linked_to: linkedTo, head, ...said } }
    },
  }),
  listRoute({
    id: 'listRevealed',
    at: 'GET /audit/revealed',
    summary: 'The secrets whose values somebody has read: what to rotate when he leaves.',
    access,
    query: {
      by: z.string().min(1).max(300).describe('Name or id.'),
      namespace: word.describe('Only in this team.'),
    },
    description: 'In order of team, project and key.',
    list: 'secrets',
    item: revealedSecret,
    read: async ({ deps, principal, query: { by, namespace } }) => {
      const all = await deps.audit.revealed(by, teamsOf(principal))
      return all
        .filter((read) => namespace === undefined || read.namespace === namespace)
        .map((read) => ({ ...read, id: renderId('StagelySecret', read.uid) }))
    },
    order: {
      of: 'revealed',
      placeOf: (read) => [read.namespace, read.project, read.key, read.scope, read.name, read.uid],
    },
  }),
  route({
    id: 'erasePerson',
    at: 'POST /audit/erasures',
    summary:
      'Put a pseudonym in place of a person in the whole log, for good. The chain stays valid.',
    access: { in: 'admin' },
    session: 'confirmed',
    body: z.strictObject({
      person: z.string().min(1).max(300).describe('Name or id.'),
      dry_run: z.boolean().default(false).describe('Only count.'),
    }),
    response: {
      description: 'What was erased.',
      schema: z.strictObject({
        pseudonym: z.string(),
        rows: z.int(),
        mentions: z.int().describe('Rows whose detail holds the name still.'),
      }),
    },
    handle: async ({ deps, actor, body }) => ({
      body: await deps.audit.erase(body.person, actor, body.dry_run),
    }),
  }),
])
