// The audit log over a port: who may read it, what is in it of what was refused, and that an export
// proves itself far away.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/audit/chain.ts'
import type { AuditRecord, ExportLine } from '../../../src/audit/lines.ts'
import { ChainVerifier } from '../../../src/audit/verify.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { joinBody } from '../../support/agents/join-body.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import { apiVersion } from '../../../src/resources/meta.ts'
import {
  openStoreOf,
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'

const canary = 'canary-of-the-audit-api'
const admin = { name: 'controller', source: 'system', authority: 'whole' as const }

let database: Awaited<ReturnType<typeof freshDatabase>>
let controller: TestController
let other: Opened
const tokens: Record<string, string> = {}
const ids: Record<string, string> = {}

const as = (who: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  controller.call(method, path, {
    headers: { authorization: `Bearer ${tokens[who]!}` },
    ...(body === undefined ? {} : { body }),
  })

const rows = async (who: string, query = ''): Promise<AuditRecord[]> =>
  (await as(who, 'GET', `/api/v1/audit${query}`)).json<{ rows: AuditRecord[] }>().rows

const addUser = async (name: string, team: string, role: TeamRole): Promise<void> => {
  const { id } = await other.users.create(admin, { name })
  await other.members.put(admin, team, name, { role })
  const { secret } = await other.tokens.create(admin, { user: id }, { name: 'laptop' })
  tokens[name] = secret
  ids[name] = id
}

const createTeam = async (team: string): Promise<void> => {
  const kube = `/apis/stagely.dev/v1alpha1/namespaces/${team}`
  await controller.call('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: team } },
  })
  const head = { apiVersion: 'stagely.dev/v1alpha1', metadata: { name: 'shop' } }
  await controller.call('POST', `${kube}/projects`, {
    body: { ...head, kind: 'Project', spec: {} },
  })
  const spec = { projectRef: { name: 'shop' }, key: 'KEY', value: canary }
  const made = await controller.call('POST', `${kube}/stagelysecrets`, {
    body: { ...head, kind: 'StagelySecret', spec },
    headers: { 'x-request-id': `request-of-${team}` },
  })
  expect(made.status).toBe(201)
}

beforeAll(async () => {
  database = await freshDatabase()
  controller = await startTestController({ databaseUrl: database.url })
  tokens['admin'] = controller.token
  other = await openStoreOf(controller, database.url)
  for (const team of ['red', 'blue']) await createTeam(team)
  await addUser('ruth', 'red', 'auditor')
  await addUser('victor', 'red', 'viewer')
})
afterAll(async () => {
  await other.close()
  await controller.remove()
  await database.drop()
})

describe('the audit log over the API', () => {
  it('says who did what, from where and in which request', async () => {
    const [row] = await rows('admin', '?request_id=request-of-red')
    expect(row).toMatchObject({
      actor: { name: 'admin', address: '127.0.0.1', source: 'api' },
      action: 'create',
      object: { kind: 'StagelySecret', namespace: 'red', name: 'shop' },
      result: 'success',
    })
  })

  it('has filters and pages', async () => {
    const filters = '?namespace=red&kind=StagelySecret&name=shop&action=create&by=admin'
    expect(await rows('admin', filters)).toHaveLength(1)
    expect(await rows('admin', `${filters}&until=2020-01-01T00:00:00Z`)).toEqual([])
    const all = await rows('admin', '?kind=Project')
    const first = (await as('admin', 'GET', '/api/v1/audit?kind=Project&limit=1')).json<{
      rows: AuditRecord[]
      next_cursor: string
    }>()
    const second = await rows('admin', `?kind=Project&limit=1&cursor=${first.next_cursor}`)
    expect([...first.rows, ...second]).toMatchObject(all.map((r) => ({ at: r.at })))
    expect((await as('admin', 'GET', '/api/v1/audit?since=yesterday')).status).toBe(422)
  })

  it('shows an auditor his own team, and nobody else anything', async () => {
    const seen = await rows('ruth')
    expect(seen.length).toBeGreaterThan(2)
    expect(JSON.stringify(seen)).not.toContain('blue')
    expect((await as('victor', 'GET', '/api/v1/audit')).status).toBe(403)
    expect((await as('victor', 'GET', '/api/v1/audit/export')).status).toBe(403)
    expect((await as('ruth', 'POST', '/api/v1/audit/erasures', { person: 'x' })).status).toBe(403)
  })

  it('exports what proves itself, to an auditor too, who learns nothing of other teams', async () => {
    const head = (await as('ruth', 'GET', '/api/v1/audit/head')).json()
    const state = (await as('ruth', 'GET', '/api/v1/audit/state')).json<{
      linked_to: number
      head: { seq: number }
      head_at: string
    }>()
    expect(state.head.seq).toBe(state.linked_to)
    expect(Date.parse(state.head_at)).toBeGreaterThan(Date.now() - 3_600_000)
    for (const who of ['admin', 'ruth']) {
      const answer = await as(who, 'GET', '/api/v1/audit/export')
      expect(answer.headers['content-type']).toBe('application/x-ndjson')
      const lines = answer.text.trimEnd().split('\n')
      const verifier = new ChainVerifier(nodeCrypto, { heads: [head as never] })
      await verifier.accept(...lines)
      expect(await verifier.finish()).toMatchObject({ ok: true })
      const hidden = lines
        .map((l) => JSON.parse(l) as ExportLine)
        .filter((l) => l.type === 'hidden')
      expect(hidden.length > 0).toBe(who === 'ruth')
      expect(answer.text).not.toContain(canary)
      if (who === 'ruth') expect(answer.text).not.toContain('blue')
    }
    expect((await rows('admin', '?action=export%20audit'))[0]).toMatchObject({
      actor: { name: 'ruth' },
    })
  })

  it('has what was refused: by role, by team, and with a token that was good once', async () => {
    await as('victor', 'DELETE', '/api/v1/projects/red%2Fshop')
    expect((await as('victor', 'GET', '/api/v1/projects/blue%2Fshop')).status).toBe(404)
    expect((await as('victor', 'GET', '/api/v1/projects/blue%2Fnothing')).status).toBe(404)
    const objects = [{ apiVersion, kind: 'Project', metadata: { name: 'new' }, spec: {} }]
    const review = { apiVersion, kind: 'ChangeSetReview', spec: { objects } }
    const path = `/apis/${apiVersion}/namespaces/red/changesetreviews`
    expect((await as('victor', 'POST', path, review)).text).toContain('is forbidden')
    const old = tokens['victor']!
    await other.tokens.revoke(admin, { user: ids['victor']! }, 'laptop')
    let status = 200
    let said = ''
    // The controller remembers a good token for up to 5 s where another replica revoked it.
    for (let i = 0; i < 80 && status !== 401; i++) {
      await realClock.sleep(100)
      const answer = await as('victor', 'GET', '/api/v1/projects')
      status = answer.status
      said = answer.text
    }
    // Who holds the token is told what became of it; who guesses one, nothing.
    expect([status, said]).toEqual([401, expect.stringContaining('the token was revoked')])
    tokens['never'] = `${old}x`
    const never = await as('never', 'GET', '/api/v1/projects')
    expect([never.status, /revoked|expired|disabled/.test(never.text)]).toEqual([401, false])
    const denied = await rows('admin', '?result=denied&by=victor')
    const found = denied.map((r) => `${r.object.namespace} ${String(r.detail!['why'])}`)
    expect(found).toEqual(
      expect.arrayContaining(['red Role', 'blue OtherTeam', ' TokenRevoked']) as string[],
    )
    expect(found.filter((f) => f === 'blue OtherTeam')).toHaveLength(1)
    expect(denied.map((r) => r.object.name)).toContain(
      `/apis/${apiVersion}/namespaces/:namespace/changesetreviews`,
    )
    expect(denied.every((r) => r.actor.id === ids['victor'])).toBe(true)
    expect(JSON.stringify(await rows('admin'))).not.toContain(old.slice(8))
  })

  it('has an agent that comes with a join token that is spent', async () => {
    const made = await other.agents.createJoinToken({
      namespace: 'red',
      name: 'box',
      ttlMs: -1,
      actor: admin,
    })
    const path = '/apis/stagely.dev/v1alpha1/namespaces/red/agents/box/token'
    const given = await controller.call('POST', path, { body: {} })
    const { token } = given.json<{ status: { token: string } }>().status
    const answer = await controller.call('POST', agentPaths.join, {
      body: joinBody({ ...parseJoinToken(token), ...made }),
    })
    expect(answer.status).toBe(401)
    expect(await rows('ruth', '?result=denied&by=agent:red/box')).toMatchObject([
      { object: { namespace: 'red' }, detail: { why: 'Credentials', status: 401 } },
    ])
  })

  it('audits a status that a person writes', async () => {
    const path = '/apis/stagely.dev/v1alpha1/namespaces/red/projects/shop'
    const project = (await controller.call('GET', path)).json<{ status?: object }>()
    const status = { ...project.status, revision: 41 }
    await controller.call('PUT', `${path}/status`, { body: { ...project, status } })
    expect(await rows('ruth', '?action=update%20status')).toMatchObject([
      { actor: { name: 'admin' }, object: { kind: 'Project', name: 'shop' } },
    ])
  })

  it('stays small when somebody is refused again and again', async () => {
    const before = (await rows('admin', '?result=denied')).length
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        as('ruth', 'POST', `/apis/stagely.dev/v1alpha1/namespaces/red/projects?try=${i}`, {}),
      ),
    )
    const after = await rows('admin', '?result=denied')
    expect(after.length - before).toBe(1)
    expect(after[0]).toMatchObject({ actor: { name: 'ruth' }, object: { namespace: 'red' } })
  })

  it('has each refusal of a value that production has, by both APIs, until there are too many', async () => {
    const kube = '/apis/stagely.dev/v1alpha1/namespaces/red'
    const live = 'canary-of-production'
    const rule = [{ name: 'production' }, { name: 'preview', differsFrom: ['production'] }]
    const head = { apiVersion, metadata: { name: 'apart' } }
    const project = { ...head, kind: 'Project', spec: { environments: rule } }
    await controller.call('POST', `${kube}/projects`, { body: project })
    await addUser('dora', 'red', 'developer')
    const rest = '/api/v1/projects/red%2Fapart/secrets'
    const secret = (environment: string, value: string): object => ({
      key: 'STRIPE_KEY',
      value,
      environments: [environment],
    })
    expect((await as('dora', 'POST', rest, secret('production', live))).status).toBe(201)
    const refused = await as('dora', 'POST', rest, secret('preview', live))
    expect([refused.status, refused.json()]).toMatchObject([409, { reason: 'SameAsProduction' }])
    expect(refused.text).toMatch(/in environment \\"preview\\".*in environment \\"production\\"/)
    const operation = { op: 'create', ...secret('preview', live) }
    for (const dryRun of [true, false])
      expect(
        await as('dora', 'POST', `${rest}/batch`, { operations: [operation], dry_run: dryRun }),
      ).toMatchObject({ status: 409 })
    const object = {
      apiVersion,
      kind: 'StagelySecret',
      metadata: { name: 'copied' },
      spec: { projectRef: { name: 'apart' }, ...secret('preview', live) },
    }
    const byKube = await as('dora', 'POST', `${kube}/stagelysecrets?dryRun=All`, object)
    expect(byKube.json()).toMatchObject({ code: 409, reason: 'SameAsProduction' })
    for (let i = 4; i < 20; i += 1) await as('dora', 'POST', rest, secret('preview', live))
    const tooMany = await as('dora', 'POST', rest, secret('preview', 'another-value'))
    expect([tooMany.status, tooMany.text]).toEqual([
      429,
      expect.stringMatching(/wait until \d{4}-/) as string,
    ])
    expect(Number(tooMany.headers['retry-after'])).toBeGreaterThan(3_000)
    const denied = await rows('ruth', '?result=denied&by=dora')
    expect(denied.length).toBeGreaterThanOrEqual(3)
    expect(denied.map(({ detail }) => detail?.['why'])).toContain('SameAsProduction')
    expect(JSON.stringify(denied)).not.toContain(live)
    // The value classes are few too, for whoever may not read a value.
    await addUser('dan', 'red', 'developer')
    for (let i = 0; i < 21; i += 1)
      await as('dan', 'POST', '/api/v1/projects/red%2Fshop/secrets', {
        key: 'KEY',
        value: `guess-${i}`,
        scope: `service-${i}`,
      })
    const classes = '/api/v1/projects/red%2Fshop/value-classes'
    expect((await as('dan', 'GET', classes)).text).toMatch(/20 different values of KEY.*wait until/)
    expect((await as('admin', 'GET', classes)).status).toBe(200)
  })

  it('erases a person for an admin, and the chain holds', async () => {
    const erased = await as('admin', 'POST', '/api/v1/audit/erasures', { person: 'victor' })
    expect(erased.json()).toMatchObject({ mentions: 0 })
    const answer = await as('admin', 'GET', '/api/v1/audit/export')
    expect(answer.text).not.toContain('"victor"')
    const verifier = new ChainVerifier(nodeCrypto)
    await verifier.accept(...answer.text.trimEnd().split('\n'))
    expect(await verifier.finish()).toMatchObject({ ok: true, hidden: 0 })
  })

  it('tells its head to Prometheus', async () => {
    const { text } = await controller.call('GET', '/metrics')
    expect(Number(/^stagely_audit_head_sequence\{.*\} (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(3)
  })
})
