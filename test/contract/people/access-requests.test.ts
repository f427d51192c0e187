// Guarded values, as people and machines ask for them: by the REST API of a whole controller, with a clock that leaps.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { verifyLines } from '../../../cli/audit/signed-file.ts'
import type { SignedAccess } from '../../../src/audit/access-report.ts'
import { reportFault } from '../../../src/audit/signed-report.ts'
import { nodeCrypto } from '../../../src/audit/chain.ts'
import { teamRoles } from '../../../src/access/team-roles.ts'
import { freePort } from '../../support/programs/processes.ts'
import { tellingTests } from './guarded-tells.ts'
import { passes, reaches } from '../../support/eventually.ts'
import {
  createGuardedWorld,
  guardedValue as value,
  incident as reason,
} from '../../support/guarded-world.ts'

const minute = 60_000
const hour = 60 * minute

const world = createGuardedWorld()
const {
  adminToken,
  as,
  admin,
  tokenOf,
  by,
  newToken,
  newUser,
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
  clock,
  call,
} = world

beforeAll(() => world.start())
afterAll(() => world.stop())

describe('values that a policy guards', () => {
  it('leave in exactly the cells that are granted: role, token and way, with and without a grant', async () => {
    const readers: Record<string, { token: string; requester?: string; role?: string }> = {
      admin: { token: adminToken() },
      stranger: { token: tokenOf('stranger') },
      ci: { token: tokenOf('ci') },
      bot: { token: tokenOf('bot') },
    }
    for (const role of teamRoles)
      readers[role] = { token: tokenOf(`a-${role}`), requester: `a-${role}`, role }
    const limited = {
      'read-only': { read_only: true },
      'as viewer': { role: 'viewer' },
      'as deployer': { role: 'deployer' },
      'for open alone': { projects: ['open'] },
      'for shop': { projects: ['shop'] },
    }
    for (const [name, more] of Object.entries(limited))
      readers[name] = {
        token: await newToken('a-maintainer', name.replaceAll(' ', '-'), more),
        requester: 'a-maintainer',
      }
    const expires_at = toFineTimestamp(clock.now() + 5_000)
    readers['expired'] = {
      token: await newToken('a-owner', 'expired', { expires_at }),
      requester: 'a-owner',
    }
    clock.leap(10_000)
    const walk = async (project: string): Promise<string[]> => {
      const left: string[] = []
      for (const [reader, { token }] of Object.entries(readers))
        for (const [way, call] of Object.entries(ways)) {
          const { status, text } = await call(token, project)
          expect(text.includes(value), `${reader} ${way}`).toBe(status === 200)
          if (status === 200) left.push(reader)
          else expect([401, 403, 404], `${reader} ${way}: ${text}`).toContain(status)
        }
      return [...new Set(left.filter((one) => left.filter((x) => x === one).length === 7))].concat(
        left
          .filter((one) => left.filter((x) => x === one).length !== 7)
          .map((one) => `half ${one}`),
      )
    }
    const standing = ['admin', 'ci', 'bot', 'owner', 'maintainer', 'read-only']
    expect((await walk('open')).sort()).toEqual([...standing, 'for open alone'].sort())
    // Whatever the role, and without a difference for admins.
    expect(await walk('shop')).toEqual(['ci'])
    for (const role of ['owner', 'maintainer', 'developer']) await granted(`a-${role}`, 'shop')
    for (const role of ['viewer', 'deployer', 'operator', 'auditor', 'stranger', 'ci', 'bot']) {
      const who = teamRoles.includes(role as never) ? `a-${role}` : role
      const refused = await by(who, 'POST', `${pathOf('shop')}/access-requests`, { reason })
      expect([403, 404], role).toContain(refused.status)
    }
    const byGrant = ['owner', 'maintainer', 'developer', 'read-only', 'for shop']
    expect((await walk('shop')).sort()).toEqual(['ci', ...byGrant].sort())
    clock.leap(hour)
    expect(await walk('shop')).toEqual(['ci'])
  })
})

describe('a request', () => {
  it('is decided by others alone, by who may approve now, and once each; what is refused is audited', async () => {
    await newProject('eyes')
    await admin('POST', '/policies', policyOf('eyes', 'eyes', { approvals: { count: 2 } }))
    const request = await ask('olga', 'eyes', { secrets: [{ key: 'URL' }] })
    expect(request).toMatchObject({ state: 'Pending', approvals: { counted: 0, needed: 2 } })
    const second = await newToken('olga', 'second')
    const own = await as(second, 'PUT', `${requestPath(request)}/approval`, {})
    expect([own.status, own.text.includes('another person decides it')]).toEqual([403, true])
    expect((await decide('dev', request, 'approval')).status).toBe(404)
    // Machines see it by their role, and decide nothing.
    const machine = await decide('ci', request, 'approval')
    expect([machine.status, machine.text.includes('never a machine')]).toEqual([403, true])
    for (const _ of [1, 2])
      expect((await decide('otto', request, 'approval')).json()).toMatchObject({
        state: 'Pending',
        approvals: { counted: 1, needed: 2 },
      })
    expect((await decide('a-maintainer', request, 'approval')).json()).toMatchObject({
      state: 'Approved',
    })
    expect((await reveal(tokenOf('olga'), 'eyes', 'url')).status).toBe(200)
    // A demoted approver's approval ends what it has opened.
    await admin('PUT', '/teams/default/members/a-maintainer', { role: 'viewer' })
    const after = await reveal(tokenOf('olga'), 'eyes', 'url')
    expect(after.json()).toMatchObject({ status: 403, reason: 'AccessRequestNeeded' })
    expect(after.text).toContain('stagely access request')
    await reaches(() => stateOf(request), 'Revoked')
    await admin('PUT', '/teams/default/members/a-maintainer', { role: 'maintainer' })
    expect((await reveal(tokenOf('olga'), 'eyes', 'url')).status).toBe(403)
    const denied = await audited('result=denied&by=olga')
    expect(denied.map(({ detail }) => detail!['route'] ?? detail!['path'])).not.toEqual([])
    expect(denied.length).toBeGreaterThan(1)
    expect((await audited('action=approve%20access')).length).toBeGreaterThan(1)
  })

  it('needs new approvals where the policy has changed, and is bound to what was asked', async () => {
    await newProject('bound')
    const made = await admin('POST', '/policies', policyOf('bound', 'bound'))
    const request = await granted('dev', 'bound', { secrets: [{ key: 'DB' }] })
    // What was not asked for stays closed.
    expect((await reveal(tokenOf('dev'), 'bound', 'url')).status).toBe(403)
    const { id } = made.json<{ id: string }>()
    await admin('PATCH', `/policies/${id}`, { request: { max_duration: '30m' } })
    expect((await reveal(tokenOf('dev'), 'bound')).status).toBe(403)
    await reaches(() => stateOf(request), 'Pending')
    await decide('olga', request, 'approval')
    expect((await reveal(tokenOf('dev'), 'bound')).json()).toMatchObject({ value: `${value}-2` })
  })

  it('is refused with what is wrong with it, all at once', async () => {
    const asked = (body: object, project = 'shop') =>
      by('dev', 'POST', `${pathOf(project)}/access-requests`, { reason, ...body })
    const bad = await asked({ duration: '5h', secrets: [{ key: 'DBB' }] })
    expect(bad.status).toBe(422)
    expect(bad.text).toContain('DB')
    expect((await asked({ duration: '5h' })).text).toContain('60m at most')
    expect((await asked({ reason: '   ' })).status).toBe(422)
    expect((await asked({}, 'open')).text).toContain('read it without a request')
    expect((await asked({}, 'none')).status).toBe(404)
    const open = await Promise.all(Array.from({ length: 20 }, () => ask('a-developer', 'shop')))
    const more = await by('a-developer', 'POST', `${pathOf('shop')}/access-requests`, { reason })
    expect([more.status, more.text.includes('cancel some')]).toEqual([409, true])
    expect((await decide('a-developer', open[0]!, 'cancellation')).json()).toMatchObject({
      state: 'Cancelled',
    })
    expect((await decide('olga', open[0]!, 'approval')).status).toBe(409)
    expect((await decide('olga', open[1]!, 'denial', { note: 'not now' })).json()).toMatchObject({
      state: 'Denied',
      message: 'denied by olga: not now',
    })
    clock.leap(25 * hour)
    await reaches(() => stateOf(open[2]!), 'Expired')
  })

  it('begins with its first use, and its end is a matter of all or nothing', async () => {
    await newProject('half')
    await admin('POST', '/policies', policyOf('half', 'half'))
    const request = await granted('dev', 'half', { duration: '10m' })
    clock.leap(50 * minute)
    const exported = async (): Promise<number> => {
      const { status, text } = await revealAll(tokenOf('dev'), 'half')
      return status === 200 ? [...text.matchAll(/"key":/g)].length : status
    }
    expect(await exported()).toBe(2)
    const running = Array.from({ length: 30 }, exported)
    await Promise.race(running)
    clock.leap(11 * minute)
    const outcomes = await Promise.all([...running, exported()])
    expect([...new Set(outcomes)].sort()).toEqual([2, 403])
    clock.leap(minute)
    expect((await revealAll(tokenOf('dev'), 'half')).status).toBe(403)
    await reaches(() => stateOf(request), 'Ended')
    // Nothing makes these values: they say that they are due, with the day and the request.
    await reaches(
      async () => (await shown(request)).after?.map(({ action }) => action),
      ['Due', 'Due'],
    )
    const secret = secretIds.get('half db')!
    const due = await passes(async () => {
      const { text } = await as(adminToken(), 'GET', `${pathOf('half')}/secrets/${secret}`)
      return text.includes(`by AccessRequest ${request.name}`) && text
    })
    expect(due).toContain('"reason":"Revealed"')
    await admin('PATCH', `${pathOf('half')}/secrets/${secret}`, { value: 'another' })
    const { text } = await as(adminToken(), 'GET', `${pathOf('half')}/secrets/${secret}`)
    expect(text).not.toContain('AccessRequest')
  })

  it('starts the Rotation of what was read when it ends, whatever ends it', async () => {
    await newProject('turn')
    await admin('POST', '/policies', policyOf('turn', 'turn', { after_use: 'Rotate' }))
    const secret = { key: 'SIGN', value_from: { rotation: { name: 'sign', output: 'current' } } }
    const made = await admin('POST', `${pathOf('turn')}/secrets`, secret)
    const { id } = made.json<{ id: string }>()
    const name = 'sign.global'
    await admin('POST', `${pathOf('turn')}/rotations`, {
      name: 'sign',
      outputs: { current: name },
      rotator: { generate: {} },
    })
    const versionOf = async (): Promise<number | undefined> =>
      (await as(adminToken(), 'GET', `${pathOf('turn')}/secrets/${id}`)).json<{
        version?: number
      }>().version
    await admin('POST', `${pathOf('turn')}/rotations/sign/run`, {})
    await reaches(versionOf, 1)
    const request = await granted('dev', 'turn', { secrets: [{ key: 'SIGN' }] })
    const read = await as(tokenOf('dev'), 'POST', `${pathOf('turn')}/secrets/${id}/reveal`, {})
    expect(read.status, read.text).toBe(200)
    await decide('dev', request, 'revocation')
    expect(await shown(request)).toMatchObject({
      state: 'Revoked',
      after: [{ name, action: 'Rotating', rotation: 'sign' }],
    })
    await clock.leapUntil(5 * minute, versionOf, 2)
  })
})

tellingTests(world)

describe('a policy', () => {
  it('says where nobody hears of an emergency, when it is written and as long as it is so', async () => {
    const base = '/apis/stagely.dev/v1alpha1/namespaces/default/accesspolicies'
    await newProject('silent')
    const made = await call('POST', base, {
      body: {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'AccessPolicy',
        metadata: { name: 'silent' },
        spec: { projects: ['silent'], approvals: { count: 5, users: ['olga'] } },
      },
    })
    expect(made.status, made.text).toBe(201)
    const warnings = String(made.headers['warning'])
    expect(warnings).toContain('no Notifier tells of an emergency in silent')
    expect(warnings).toContain('Usable: 1 may approve, and 5 have to')
    expect(warnings).toContain('these tokens read no value here any more: bot, ci')
    const notified = async (): Promise<string> => {
      const shown = await call('GET', `${base}/silent`)
      const { status } = shown.json<{
        status: { conditions: { type: string; status: string }[] }
      }>()
      return status.conditions.find(({ type }) => type === 'EmergencyNotified')!.status
    }
    expect(await notified()).toBe('False')
    const webhook = { url: 'https://hooks.example.com/s' }
    const notifier = { name: 'elsewhere', projects: ['shop'], reasons: ['GlassBroken'], webhook }
    await admin('POST', '/notifiers', notifier)
    await admin('POST', '/notifiers', { name: 'other', reasons: ['AccessRequested'], webhook })
    expect(await notified()).toBe('False')
    await admin('POST', '/notifiers', { name: 'loud', reasons: ['GlassBroken'], webhook })
    await reaches(notified, 'True')
    for (const name of ['elsewhere', 'other', 'loud'])
      await admin('DELETE', `/notifiers/default%2F${name}`)
    await reaches(notified, 'False')
  })
})

describe('an emergency', () => {
  const projectConditions = async (project: string): Promise<string> =>
    (await as(adminToken(), 'GET', pathOf(project))).text

  it('is active at once, for who is named; another person reviews it', async () => {
    await newProject('glass')
    await admin('POST', '/policies', policyOf('glass', 'glass'))
    const body = { reason, emergency: true }
    const refused = await by('olga', 'POST', `${pathOf('glass')}/access-requests`, body)
    expect([refused.status, refused.text.includes('who may declare an emergency')]).toEqual([
      403,
      true,
    ])
    const request = await ask('dev', 'glass', body)
    expect(request.state).toBe('Active')
    expect(await projectConditions('glass')).toContain('values were opened in an emergency')
    expect((await reveal(tokenOf('dev'), 'glass')).status).toBe(200)
    const again = await by('dev', 'POST', `${pathOf('glass')}/access-requests`, body)
    expect([again.status, again.text.includes('still open')]).toEqual([409, true])
    clock.leap(31 * minute)
    await reaches(() => stateOf(request), 'Ended')
    expect((await reveal(tokenOf('dev'), 'glass')).status).toBe(403)
    expect((await decide('dev', request, 'review', { outcome: 'Justified' })).status).toBe(403)
    expect((await decide('a-maintainer', request, 'review', { outcome: 'Justified' })).status).toBe(
      403,
    )
    const events = async (): Promise<string> =>
      (await call('GET', '/api/v1/namespaces/default/events')).text
    clock.leap(72 * hour)
    await passes(async () => (await events()).includes('is overdue since'))
    const review = await decide('otto', request, 'review', { outcome: 'Misuse', note: 'no INC' })
    expect(review.json()).toMatchObject({ state: 'Ended' })
    await passes(async () =>
      (await projectConditions('glass')).includes('each emergency was reviewed'),
    )
    expect((await decide('olga', request, 'review', { outcome: 'Justified' })).status).toBe(409)
  })
})

describe('an emergency that nobody can be told of', () => {
  it('opens values at once; the condition stays, and the message arrives when its receiver is there', async () => {
    await newProject('down')
    await admin('POST', '/policies', policyOf('down', 'down'))
    const port = await freePort()
    const webhook = { url: `http://127.0.0.1:${port}/glass` }
    const notifier = { name: 'down', projects: ['down'], reasons: ['GlassBroken'], webhook }
    await admin('POST', '/notifiers', notifier)
    const conditions = async (path: string): Promise<string> =>
      (await as(adminToken(), 'GET', path)).text
    await ask('dev', 'down', { emergency: true })
    expect((await reveal(tokenOf('dev'), 'down')).status).toBe(200)
    const isFailing = async (): Promise<boolean> =>
      (await conditions('/notifiers/default%2Fdown')).includes('"status":"False"')
    await clock.leapUntil(minute, isFailing, true)
    expect(await conditions(pathOf('down'))).toContain('values were opened in an emergency')
    const received: string[] = []
    const receiver = createServer((message, response) => {
      void text(message).then((body) => {
        received.push(body)
        response.writeHead(204).end()
      })
    })
    await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve))
    await clock.leapUntil(10 * minute, () => received.length, 1)
    expect(received[0]).toContain('dev has declared an emergency')
    expect(received[0]).not.toContain(reason)
    expect(await conditions(pathOf('down'))).toContain('values were opened in an emergency')
    receiver.close()
    await admin('DELETE', '/notifiers/default%2Fdown')
  })
})

describe('what admins may not', () => {
  it('is to write what people have decided', async () => {
    const request = await ask('dev', 'shop')
    const base = '/apis/stagely.dev/v1alpha1/namespaces/default'
    const forged = { status: { state: 'Active', startedAt: toFineTimestamp(clock.now()) } }
    const sent = async (path: string, body: object, type = 'application/merge-patch+json') =>
      (
        await call('PATCH', `${base}/${path}`, {
          headers: { 'content-type': type },
          body,
        })
      ).status
    expect(await sent(`accessrequests/${request.name}/status`, forged)).toBe(403)
    expect(await sent(`accessrequests/${request.name}`, { spec: { reason: 'another one' } })).toBe(
      403,
    )
    expect(await sent('accesspolicies/guard/status', { status: {} })).toBe(403)
    const gone = await call('DELETE', `${base}/accessrequests/${request.name}`)
    expect(gone.status).toBe(403)
    const named = await call('POST', `${base}/accessrequests`, {
      body: {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'AccessRequest',
        metadata: { name: 'alice' },
        spec: { projectRef: { name: 'shop' }, reason },
      },
    })
    expect([named.status, named.text.includes('generateName')]).toEqual([422, true])
  })

  it('is to guard a project twice', async () => {
    const twice = await as(adminToken(), 'POST', '/policies', policyOf('again', 'shop'))
    expect([twice.status, twice.text.includes('\\"guard\\" guards it already')]).toEqual([
      422,
      true,
    ])
    const unlisted = policyOf('unlisted', 'open', { environments: ['production'] })
    expect((await as(adminToken(), 'POST', '/policies', unlisted)).status).toBe(422)
  })
})

describe('a person who is erased', () => {
  it('is in no request, approval or reason any more, and the chain still verifies', async () => {
    await newProject('gone')
    await admin('POST', '/policies', policyOf('gone', 'gone'))
    await newUser('gustav', 'developer')
    await newUser('greta', 'owner')
    const request = await ask('gustav', 'gone', { reason: 'asked by gustav himself' })
    await decide('greta', request, 'approval', { note: 'greta says yes' })
    expect((await reveal(tokenOf('gustav'), 'gone')).status).toBe(200)
    const open = await ask('gustav', 'gone')
    const before = await reportOf('project=gone')
    expect(before.access.rows.find(({ name }) => name === request.name)).toMatchObject({
      by: 'gustav',
      approved_by: ['greta'],
      reason: 'asked by gustav himself',
      uses: 1,
    })
    await admin('POST', '/audit/erasures', { person: 'gustav', dry_run: false })
    await admin('POST', '/audit/erasures', { person: 'greta', dry_run: false })
    const whole = await as(adminToken(), 'GET', '/access-requests?project=gone')
    expect(whole.text).not.toMatch(/gustav|greta/)
    expect(whole.text).toContain('(erased)')
    expect(await stateOf(open)).toBe('Revoked')
    const base = '/apis/stagely.dev/v1alpha1/namespaces/default/accessrequests'
    const watched = await call('GET', `${base}?resourceVersion=0`)
    expect(watched.text).not.toMatch(/gustav|greta/)
    const rows = await audited(`kind=AccessRequest&name=${request.name}`)
    expect(rows.map(({ action }) => action)).toEqual(['access', 'approve access', 'request access'])
    expect(JSON.stringify(rows)).not.toMatch(/gustav|greta/)
    const exported = (await as(adminToken(), 'GET', '/audit/export')).text.trim().split('\n')
    const verdict = await verifyLines(Readable.from(exported.map((line) => `${line}\n`)), {
      heads: [],
    })
    expect(verdict).toMatchObject({ ok: true })
    // What was signed before holds; what is signed now names nobody, and cites the same rows.
    expect(await reportFault(nodeCrypto, before)).toBeUndefined()
    const after = await reportOf('project=gone')
    expect(await reportFault(nodeCrypto, after, before.public_key)).toBeUndefined()
    expect(JSON.stringify(after)).not.toMatch(/gustav|greta/)
    const cited = ({ access }: SignedAccess) =>
      access.rows.find(({ name }) => name === request.name)?.audit
    expect(cited(after)).toEqual(cited(before))
    // The first of them is the one in which it was asked for.
    expect(cited(after)?.[0]?.split('-')[0]).toBe(String(rows.at(-1)!.seq))
  })
})

describe('the report for auditors', () => {
  const day = (ms: number): string => toFineTimestamp(ms)

  it('says who could read on a day, by which policy and which right, and what nobody could', async () => {
    await newProject('told')
    const closed = (isClosed: boolean) =>
      admin('PATCH', '/projects/default%2Ftold', {
        environments: [{ name: 'live', protected: isClosed }],
      })
    await closed(false)
    clock.leap(hour)
    const before = day(clock.now())
    clock.leap(hour)
    await closed(true)
    clock.leap(hour)
    await admin('POST', '/policies', policyOf('told', 'told'))
    clock.leap(hour)
    const since = day(clock.now())
    const request = await granted('dev', 'told')
    expect((await reveal(tokenOf('dev'), 'told')).status).toBe(200)
    clock.leap(2 * hour)
    await reaches(() => stateOf(request), 'Ended')
    const open = await reportOf(`project=told&from=${before}&to=${day(Date.parse(before) + 1_000)}`)
    const readersIn = ({ access }: SignedAccess) =>
      access.rows.flatMap(({ row, by }) => (row === 'reader' ? [by] : []))
    expect(open.access.rows.map(({ row }) => row)).not.toContain('policy')
    expect(readersIn(open)).toEqual(
      expect.arrayContaining(['olga', 'a-maintainer', 'admin', 'bot']),
    )
    expect(readersIn(open)).not.toContain('dev')
    // Not in what was protected later.
    const later = await reportOf(`project=told&from=${before}`)
    const ofMaintainer = ({ access }: SignedAccess) =>
      access.rows.flatMap((one) =>
        one.row === 'reader' && one.by === 'a-maintainer' ? [one.not_in] : [],
      )
    expect([ofMaintainer(open), ofMaintainer(later)]).toEqual([[undefined], [undefined, ['live']]])
    // By the role of an auditor, which needs no other.
    const guarded = await reportOf(`project=told&from=${since}`, tokenOf('a-auditor'))
    expect(readersIn(guarded)).toEqual(['ci'])
    expect(guarded.access.rows).toMatchObject([
      { row: 'policy', name: 'told', projects: ['told'] },
      { row: 'reader', by: 'ci' },
      { row: 'request', name: request.name, by: 'dev', approved_by: ['olga'], state: 'Ended' },
    ])
    expect((await by('olga', 'GET', '/teams/default/access-report')).status).toBe(403)
    const turned = await as(
      adminToken(),
      'GET',
      `/teams/default/access-report?from=${since}&to=${before}`,
    )
    expect([turned.status, turned.text.includes('before to')]).toEqual([422, true])
  })

  it('shows emergencies alone, and a review that is overdue as a row', async () => {
    await newProject('late')
    await admin('POST', '/policies', policyOf('late', 'late'))
    const request = await ask('dev', 'late', { emergency: true })
    await ask('olga', 'late')
    const rowsOf = async () => (await reportOf('project=late&emergencies=true')).access.rows
    expect(await rowsOf()).toMatchObject([{ row: 'emergency', name: request.name, by: 'dev' }])
    clock.leap(73 * hour)
    expect(await rowsOf()).toMatchObject([
      { row: 'emergency', review: expect.stringContaining('due until') as string },
      { row: 'overdue review', name: request.name },
    ])
    await decide('otto', request, 'review', { outcome: 'Justified' })
    const reviewed = await rowsOf()
    expect(reviewed[0]?.review).toContain('Justified by otto')
    expect(reviewed[1]).toHaveProperty('until')
  })
})

describe('kubectl', () => {
  it('shows policies and requests by what they mean', async () => {
    const base = '/apis/stagely.dev/v1alpha1/namespaces/default'
    const request = await ask('dev', 'shop')
    const rowOf = async (kind: string, name: string): Promise<Record<string, unknown>> => {
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
      const shown = await call('GET', `${base}/${kind}/${name}`, { headers: { accept } })
      const { columnDefinitions: columns, rows } = shown.json<{
        columnDefinitions: { name: string }[]
        rows: { cells: unknown[] }[]
      }>()
      return Object.fromEntries(columns.map((column, at) => [column.name, rows[0]!.cells[at]]))
    }
    expect(await rowOf('accesspolicies', 'guard')).toMatchObject({
      Name: 'guard',
      Projects: ['shop'],
      Usable: 'True',
      Reason: 'Usable',
    })
    expect(await rowOf('accessrequests', request.name)).toMatchObject({
      Name: request.name,
      Project: 'shop',
      State: 'Pending',
      By: 'dev',
      Approvals: 0,
      Needed: 1,
    })
  })
})

describe('a request that has ended long ago', () => {
  it('is dropped, and the report still tells of it, from the audit log', async () => {
    const since = toFineTimestamp(clock.now())
    const request = await granted('olga', 'shop')
    expect((await reveal(tokenOf('olga'), 'shop')).status).toBe(200)
    await decide('olga', request, 'revocation')
    const open = await ask('otto', 'shop')
    const statusOf = async ({ name }: { name: string }): Promise<number> =>
      (await as(adminToken(), 'GET', `/access-requests/default%2F${name}`)).status
    await clock.leapUntil(16 * 24 * hour, () => statusOf(request), 404)
    await reaches(() => statusOf(open), 200)
    const { access } = await reportOf(`project=shop&from=${since}`)
    const told = access.rows.find(({ name }) => name === request.name)
    expect(told).toMatchObject({
      row: 'request',
      by: 'olga',
      approved_by: ['otto'],
      state: 'Revoked',
      uses: 1,
    })
    expect(told).not.toHaveProperty('reason')
  })
})
