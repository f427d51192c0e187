// The audit log: rows, the verifiable export, what somebody has read, and the erasure of a person.
import { z } from 'zod'
import { teamsWhere, type Principal } from '../../../src/access/principal.ts'
import { auditRecord, signedHead, type ExportLine } from '../../../src/audit/record.ts'
import type { AuditFilter, Revealed } from '../../../src/store/audit/queries.ts'
import type { RestDeps } from './deps.ts'
import { renderId } from './ids.ts'
import { badCursor, nextCursor, pagedBy, pageQuery } from './paging.ts'
import { route, type RestRoute } from './route.ts'

const tag = 'Audit'
const access = { in: 'teams', verb: 'list', resource: 'audit' } as const

const word = z.string().min(1).max(300).optional()
const instant = z.iso.datetime({ offset: true }).optional()
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

const filterOf = (principal: Principal, query: FilterQuery): AuditFilter => ({
  teams: teamsOf(principal),
  by: query.by,
  action: query.action,
  kind: query.kind,
  namespace: query.namespace,
  name: query.name,
  result: query.result,
  requestId: query.request_id,
  since: query.since,
  until: query.until,
})

export const auditRoutes = (deps: RestDeps): RestRoute[] => [
  listAudit(deps),
  exportAudit(deps),
  auditHead(deps),
  revealedTo(deps),
  erasePerson(deps),
]

const parseCursor = (cursor: string | undefined): number | undefined => {
  if (cursor === undefined) return undefined
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw badCursor()
}

const listAudit = (deps: RestDeps): RestRoute =>
  route({
    id: 'listAudit',
    method: 'GET',
    path: '/audit',
    tag,
    summary: 'Who did what, newest first, in the teams that you may audit.',
    access,
    query: z.strictObject({ ...filterQuery, ...pageQuery }),
    response: {
      status: 200,
      description: 'One page of rows.',
      schema: z.strictObject({ rows: z.array(auditRecord), next_cursor: nextCursor }),
    },
    handle: async ({ principal, query }) => {
      const page = { before: parseCursor(query.cursor), limit: query.limit }
      const { records, next } = await deps.audit.list(filterOf(principal, query), page)
      const more = next === undefined ? {} : { next_cursor: String(next) }
      return { status: 200, body: { rows: records, ...more } }
    },
  })

const chain = { kind: 'AuditChain', namespace: '', name: 'chain' }

const exportAudit = (deps: RestDeps): RestRoute =>
  route({
    id: 'exportAudit',
    method: 'GET',
    path: '/audit/export',
    tag,
    summary:
      'The chain as JSON lines, the signed head last. Rows of other teams, and those that the filter leaves out, come as digests, so that every export can be verified.',
    access,
    query: z.strictObject({
      ...filterQuery,
      after: z.coerce.number().int().nonnegative().optional().describe('Only rows after this one.'),
    }),
    response: { status: 200, description: 'JSON lines (application/x-ndjson).' },
    handle: async ({ principal, actor, query, signal }) => {
      await deps.audit.record(actor, chain, { action: 'export audit' })
      const lines = deps.audit.export(filterOf(principal, query), query.after)
      // The first line is read before the answer begins: a refusal still has its status.
      const first = await lines.next()
      return {
        status: 200,
        headers: { 'content-type': 'application/x-ndjson' },
        stream: toStream(lines, first, signal),
      }
    },
  })

const encode = (lines: readonly ExportLine[]): Uint8Array =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

/** Lines of one write. */
const together = 100

const toStream = (
  lines: AsyncGenerator<ExportLine>,
  first: IteratorResult<ExportLine, unknown>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> => {
  let ready = first.done === true ? [] : [first.value]
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      let done = signal.aborted
      while (!done && ready.length < together) {
        const next = await lines.next()
        if (next.done === true) done = true
        else ready.push(next.value)
      }
      if (ready.length > 0) controller.enqueue(encode(ready))
      ready = []
      if (done) controller.close()
    },
    cancel: async () => {
      await lines.return(undefined)
    },
  })
}

const auditHead = (deps: RestDeps): RestRoute =>
  route({
    id: 'getAuditHead',
    method: 'GET',
    path: '/audit/head',
    tag,
    summary: 'The signed head: keep it where the database cannot be reached from.',
    access,
    response: { status: 200, description: 'The head of the chain.', schema: signedHead },
    handle: async () => ({ status: 200, body: await deps.audit.link() }),
  })

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

const revealedOrder = {
  of: 'revealed',
  placeOf: (one: Revealed) => [one.namespace, one.project, one.key, one.scope, one.name, one.uid],
}

const revealedTo = (deps: RestDeps): RestRoute =>
  route({
    id: 'listRevealed',
    method: 'GET',
    path: '/audit/revealed',
    tag,
    summary: 'The secrets whose values somebody has read: what to rotate when he leaves.',
    access,
    query: z.strictObject({
      by: z.string().min(1).max(300).describe('Name or id.'),
      namespace: word.describe('Only in this team.'),
      ...pageQuery,
    }),
    response: {
      status: 200,
      description: 'In order of team, project and key.',
      schema: z.strictObject({ secrets: z.array(revealedSecret), next_cursor: nextCursor }),
    },
    handle: async ({ principal, query }) => {
      const all = await deps.audit.revealed(query.by, teamsOf(principal))
      const { namespace } = query
      const mine = all.filter((one) => namespace === undefined || one.namespace === namespace)
      const { items, next } = pagedBy(mine, revealedOrder, query)
      const secrets = items.map(({ uid, ...one }) => ({
        id: renderId('StagelySecret', uid),
        ...one,
      }))
      return { status: 200, body: { secrets, ...next } }
    },
  })

const erasePerson = (deps: RestDeps): RestRoute =>
  route({
    id: 'erasePerson',
    method: 'POST',
    path: '/audit/erasures',
    tag,
    summary:
      'Put a pseudonym in place of a person in the whole log, for good. The chain stays valid.',
    access: { in: 'admin' },
    body: z.strictObject({
      person: z.string().min(1).max(300).describe('Name or id.'),
      dry_run: z.boolean().default(false).describe('Only count.'),
    }),
    response: {
      status: 200,
      description: 'What was erased.',
      schema: z.strictObject({
        pseudonym: z.string(),
        rows: z.int(),
        mentions: z.int().describe('Rows whose detail holds the name still.'),
      }),
    },
    handle: async ({ actor, body }) => ({
      status: 200,
      body: await deps.audit.erase(body.person, actor, body.dry_run),
    }),
  })
