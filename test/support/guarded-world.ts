// A whole controller with people of each role, machines, and a project whose values a policy guards. Its clock leaps.
import { expect } from 'vitest'
import type { SignedAccess } from '../../src/audit/access-report.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { teamRoles } from '../../src/access/team-roles.ts'
import { startTestController, type Answer, type TestController } from './programs/controller.ts'
import { createLeapingClock } from './leaping-clock.ts'

export const guardedValue = 'value-behind-the-guard'
export const incident = 'INC-42: refunds fail since 14:05'

export interface ShownRequest {
  readonly name: string
  readonly state: string
  readonly message: string
  readonly starts_at?: string
  readonly decisions?: readonly { readonly action: string }[]
  readonly approvals: { readonly counted: number; readonly needed: number }
  readonly after?: readonly { readonly name: string; readonly action: string }[]
}

/** Its functions may be called once it was started. */
export const createGuardedWorld = () => {
  const [value, reason] = [guardedValue, incident]
  const clock = createLeapingClock()
  let controller: TestController
  const tokens = new Map<string, string>()
  const adminToken = (): string => controller.token

  const as = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    controller.call(method, `/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    })
  const admin = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const done = await as(adminToken(), method, path, body)
    if (done.status >= 300) throw new Error(`${method} ${path}: ${done.text}`)
    return done
  }
  const tokenOf = (who: string): string => tokens.get(who)!
  const by = (who: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    as(tokenOf(who), method, path, body)

  const newToken = async (who: string, name: string, more: object = {}): Promise<string> =>
    (await admin('POST', `/users/${who}/tokens`, { name, ...more })).json<{ token: string }>().token
  const newUser = async (who: string, role?: string): Promise<void> => {
    await admin('POST', '/users', { name: who })
    if (role !== undefined) await admin('PUT', `/teams/default/members/${who}`, { role })
    tokens.set(who, await newToken(who, 'good'))
  }
  const newMachine = async (name: string): Promise<void> => {
    const body = { name, role: 'maintainer' }
    const made = await admin('POST', '/teams/default/tokens', body)
    tokens.set(name, made.json<{ token: string }>().token)
  }

  const pathOf = (project: string): string => `/projects/default%2F${project}`
  const secretIds = new Map<string, string>()
  const newProject = async (name: string): Promise<void> => {
    await admin('POST', '/projects', { name })
    const at = `${pathOf(name)}/secrets`
    const secrets = { db: { value }, url: { value: 'https://x:${DB}@db', references: true } }
    for (const [key, more] of Object.entries(secrets)) {
      const made = await admin('POST', at, { key: key.toUpperCase(), ...more })
      secretIds.set(`${name} ${key}`, made.json<{ id: string }>().id)
    }
    await admin('PATCH', `${at}/${secretIds.get(`${name} db`)!}`, { value: `${value}-2` })
  }

  const requestPath = ({ name }: Pick<ShownRequest, 'name'>): string =>
    `/access-requests/default%2F${name}`
  const ask = async (who: string, project: string, more: object = {}): Promise<ShownRequest> => {
    const asked = await by(who, 'POST', `${pathOf(project)}/access-requests`, { reason, ...more })
    expect(asked.status, asked.text).toBe(201)
    return asked.json<ShownRequest>()
  }
  const decide = (
    who: string,
    request: ShownRequest,
    what: string,
    body: object = {},
  ): Promise<Answer> => by(who, 'PUT', `${requestPath(request)}/${what}`, body)
  const granted = async (
    who: string,
    project: string,
    more: object = {},
  ): Promise<ShownRequest> => {
    const request = await ask(who, project, more)
    const approver = who === 'olga' ? 'otto' : 'olga'
    const approved = await decide(approver, request, 'approval')
    expect(approved.json(), approved.text).toMatchObject({ state: 'Approved' })
    return request
  }
  const shown = async (request: Pick<ShownRequest, 'name'>): Promise<ShownRequest> =>
    (await as(adminToken(), 'GET', requestPath(request))).json<ShownRequest>()
  const stateOf = async (request: Pick<ShownRequest, 'name'>): Promise<string> =>
    (await shown(request)).state

  const reveal = (token: string, project: string, secret = 'db', body: object = {}) =>
    as(
      token,
      'POST',
      `${pathOf(project)}/secrets/${secretIds.get(`${project} ${secret}`)!}/reveal`,
      body,
    )
  const revealAll = (token: string, project: string, body: object = {}) =>
    as(token, 'POST', `${pathOf(project)}/reveal`, body)

  /** Every way by which a value leaves to who asks. */
  const ways: Readonly<Record<string, (token: string, project: string) => Promise<Answer>>> = {
    one: (token, project) => reveal(token, project),
    'as written': (token, project) => reveal(token, project, 'db', { as_written: true }),
    'an old version': (token, project) => reveal(token, project, 'db', { version: 1 }),
    'by a reference': (token, project) => reveal(token, project, 'url'),
    export: (token, project) => revealAll(token, project),
    'of a scope': (token, project) => revealAll(token, project, { scope: 'global' }),
    run: (token, project) => revealAll(token, project, { service: 'web', way: 'run' }),
  }

  const policyOf = (name: string, project: string, more: object = {}): object => ({
    name,
    projects: [project],
    machines: ['ci'],
    break_glass: { users: ['dev'] },
    ...more,
  })
  const audited = async (query: string): Promise<AuditRecord[]> =>
    (await as(adminToken(), 'GET', `/audit?${query}`)).json<{ rows: AuditRecord[] }>().rows

  const reportOf = async (query: string, token = adminToken()): Promise<SignedAccess> => {
    const answer = await as(token, 'GET', `/teams/default/access-report?${query}`)
    expect(answer.status, answer.text).toBe(200)
    return answer.json<SignedAccess>()
  }
  const start = async (): Promise<void> => {
    controller = await startTestController({
      clock,
      // A receiver of notices on this machine; requests that are dropped before certificates end.
      env: { STAGELY_EGRESS_ALLOW: '127.0.0.1', STAGELY_KEEP_REQUESTS_DAYS: '30' },
    })
    for (const role of teamRoles) await newUser(`a-${role}`, role)
    await newUser('olga', 'owner')
    await newUser('otto', 'owner')
    await newUser('dev', 'developer')
    await newUser('vera', 'viewer')
    await newUser('stranger')
    await newMachine('ci')
    await newMachine('bot')
    for (const project of ['open', 'shop']) await newProject(project)
    await admin('POST', '/policies', policyOf('guard', 'shop'))
  }
  const call = (...args: Parameters<TestController['call']>): Promise<Answer> =>
    controller.call(...args)
  const stop = async (): Promise<void> => {
    await controller?.remove()
  }
  return {
    clock,
    start,
    stop,
    call,
    tokens,
    adminToken,
    as,
    admin,
    tokenOf,
    by,
    newToken,
    newUser,
    newMachine,
    pathOf,
    secretIds,
    newProject,
    requestPath,
    ask,
    decide,
    granted,
    shown,
    stateOf,
    reveal,
    revealAll,
    ways,
    policyOf,
    audited,
    reportOf,
  }
}

export type GuardedWorld = ReturnType<typeof createGuardedWorld>
