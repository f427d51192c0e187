// Every route × every role × own and foreign team × the place to which a token or a membership is narrowed × no, expired
// and revoked token. The routes are
// the tables that the server mounts; what is expected is read off the table of roles.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeRoutes } from '../../../controller/http/app.ts'
import { rightOf, type KubeRoute } from '../../../controller/http/kube/route.ts'
import type { RestRoute } from '../../../controller/http/rest/route.ts'
import { restBase } from '../../../controller/http/rest/serve.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { teamRoles, type TeamRole } from '../../../src/access/team-roles.ts'
import {
  narrowedRights,
  partRights,
  readVerbs,
  rightsOf,
  type Resource,
  type Verb,
} from '../../../src/access/roles.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { passes } from '../../support/eventually.ts'
import { soak } from '../../support/soak.ts'

const teams = ['red', 'blue'] as const
type Team = (typeof teams)[number]

/** Everybody is in `red`, but the admin and the stranger, who are in no team. */
type Who = TeamRole | 'admin' | 'stranger'
const everybody: readonly Who[] = [...teamRoles, 'admin', 'stranger']
/** Whose expired and revoked tokens each route gets: those of so many, in turn. */
const spoiltOwners = soak(1, everybody.length)
/** Who is nobody in `blue`: each route is asked there by so many of them, in turn. */
const foreigners = everybody.filter((who) => who !== 'admin')
const askingForeigners = soak(1, foreigners.length)
/** Tokens that are good for less ask there in turn, too. */
const askingScopes = soak(1, 2)

interface Tokens {
  readonly good: string
  readonly expired: string
  readonly revoked: string
}

interface Answer {
  readonly status: number
  readonly text: string
}

const holds = (who: Who, verb: Verb, resource: Resource): boolean =>
  who !== 'admin' && who !== 'stranger' && rightsOf[who][resource]?.includes(verb) === true

const may = (who: Who, team: Team, verb: Verb, resource: Resource): boolean =>
  who === 'admin' || (team === 'red' && holds(who, verb, resource))

/** Tokens of the owner of red that are good for less than the owner is. */
type Scoped = 'read-only' | 'for blue only' | 'for shop only' | 'for preview only'
const scopes: Readonly<Record<Scoped, object>> = {
  'read-only': { read_only: true },
  'for blue only': { teams: ['blue'] },
  'for shop only': { projects: ['shop'] },
  'for preview only': { projects: ['shop'], environments: ['preview'] },
}

/** What tokens that are narrowed to places keep. */
const keptBy = { 'for shop only': narrowedRights, 'for preview only': partRights }
const isNarrowed = (scoped: Scoped): scoped is keyof typeof keptBy => Object.hasOwn(keptBy, scoped)

/** Members whose role is narrowed; each route is asked by so many of them, in turn. */
const narrowedMembers = teamRoles.flatMap((role) =>
  (Object.keys(keptBy) as (keyof typeof keptBy)[]).map((scoped) => ({ role, scoped })),
)
const askingNarrowed = soak(4, narrowedMembers.length)

/** What is left of a right that the owner has. */
const left = (scoped: Scoped, verb: Verb, resource: Resource): boolean => {
  if (isNarrowed(scoped)) return keptBy[scoped][resource]?.includes(verb) === true
  return scoped === 'read-only' && readVerbs.includes(verb)
}

/** Whether the answer to such a token tells no more than its place. */
const isPlaced = (scoped: Scoped, access: RestRoute['access']): boolean => {
  if (!isNarrowed(scoped) || !['project', 'teams', 'store'].includes(access.in)) return true
  if ('placed' in access && access.placed) return true
  return access.in === 'project' && scoped === 'for shop only'
}

/** `pass`: the route was entered, whatever it then said of the request. */
type Expected = 'pass' | 401 | 403 | 404

/** Open to who may write something somewhere. */
const isReview = ({ path }: KubeRoute): boolean => path.endsWith('/changesetreviews')
const writers: readonly Who[] = ['admin', 'owner', 'maintainer', 'developer', 'deployer']

const kubeExpected = (route: KubeRoute, who: Who, team: Team): Expected => {
  const { access } = route
  const { kind, verb, in: where, right = rightOf(kind) } = access
  if (isReview(route)) return writers.includes(who) ? 'pass' : 403
  if (where === 'own' || who === 'admin') return 'pass'
  if (where === 'admin') return 403
  // What is in no team is the admin's: a namespace that is to be made.
  const named = kind.namespaced || access.subresource !== undefined || verb !== 'create'
  const plain = verb === 'deletecollection' ? 'delete' : verb
  return named && may(who, team, plain, right) ? 'pass' : 403
}

const isPublic = ({ access }: RestRoute): boolean => access.in === 'public'

const restExpected = ({ access, method }: RestRoute, who: Who, team: Team): Expected => {
  if (access.in === 'public') return 'pass'
  // Everybody here has a token, and no session.
  if (access.in === 'session') return 403
  if (access.in === 'self' || who === 'admin') return 'pass'
  if (access.in === 'admin') return 403
  if (access.in === 'teams') return holds(who, access.verb, access.resource) ? 'pass' : 403
  if (who === 'stranger' || team === 'blue') return 404
  if (!may(who, team, access.verb, access.resource)) return 403
  // The request is another one's: who may not list them all is not told that it is there, once the body was read.
  const isHidden = access.in === 'request' && !may(who, team, 'list', 'accessrequests')
  return isHidden && method === 'GET' ? 404 : 'pass'
}

/** What a scoped token gets where its owner gets `whole`. */
const kubeScoped = (route: KubeRoute, scoped: Scoped, whole: Expected): Expected => {
  const { access } = route
  if (isReview(route)) return isNarrowed(scoped) ? whole : 403
  if (access.in === 'own' || whole !== 'pass') return whole
  const verb = access.verb === 'deletecollection' ? 'delete' : access.verb
  return left(scoped, verb, access.right ?? rightOf(access.kind)) ? 'pass' : 403
}

const restScoped = (
  { access, method, id }: RestRoute,
  scoped: Scoped,
  whole: Expected,
  isMember: boolean,
): Expected => {
  // Whoever logs in by a token of their own manages these.
  if (access.in === 'self' && isMember) return 'pass'
  // It manages no tokens of its owner's; that it makes none is said when the body was read.
  if (access.in === 'self')
    return method === 'DELETE' || (isNarrowed(scoped) && id === 'listTokens') ? 403 : 'pass'
  if (access.in === 'public' || access.in === 'session') return whole
  if (access.in === 'admin' || whole === 404) return whole
  const isLeft = left(scoped, access.verb, access.resource) && isPlaced(scoped, access)
  if (access.in === 'teams') return whole === 'pass' && isLeft ? 'pass' : 403
  if (scoped === 'for blue only') return 404
  // The stagelet of this walk is in no environment, and a request is about a whole project.
  if (scoped === 'for preview only' && ['stagelet', 'request'].includes(access.in)) return 404
  return whole === 'pass' && isLeft ? 'pass' : 403
}

/** Names what is there of the team, and what is nowhere for the rest, so that nothing is destroyed. */
const kubePath = ({ path, access }: KubeRoute, team: Team): string => {
  const name = access.kind.kind === 'Namespace' ? team : 'none'
  const filled = path.replace(':namespace', team).replace(':name', name)
  return `${filled}?dryRun=All&labelSelector=none%3Dnone`
}

/** Of each team: a request of the admin's. */
const requests = new Map<Team, string>()

const restPath = ({ path }: RestRoute, team: Team): string => {
  const known: Record<string, string> = {
    project_id: `${team}%2Fshop`,
    stagelet_id: `${team}%2Fshop`,
    agent_id: `${team}%2Fbox`,
    notifier_id: `${team}%2Fops`,
    store_id: `${team}%2Faws`,
    issuer_id: `${team}%2Fci`,
    policy_id: `${team}%2Fguard`,
    request_id: `${team}%2F${requests.get(team) ?? 'none'}`,
    team,
  }
  return restBase + path.replace(/:(\w+)/g, (_, name: string) => known[name] ?? 'none')
}

describe('who may do what', () => {
  let controller: TestController
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const tokens = new Map<Who, Tokens>()
  const scopedTokens = new Map<Scoped, string>()
  /** By name. */
  const memberTokens = new Map<string, string>()

  const send = (
    method: string,
    path: string,
    {
      token,
      body,
      ifMatch,
    }: { token?: string | undefined; body?: unknown; ifMatch?: string | undefined },
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? '' : JSON.stringify(body)
      const headers = {
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        'content-length': String(Buffer.byteLength(payload)),
        // A body of no known type is refused, but only once the route is entered.
        'content-type': body === undefined ? 'text/plain' : 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      }
      const sent = request(
        new URL(path, controller.url),
        { method, agent, headers },
        (response) => {
          const status = response.statusCode ?? 0
          if (response.headers['content-type']?.includes('event-stream') === true) {
            resolve({ status, text: '' })
            response.destroy()
            return
          }
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            resolve({ status, text })
          })
        },
      )
      sent.once('error', reject)
      sent.end(payload)
    })

  const admin = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ token: string; name: string }> => {
    const { status, text } = await send(method, path, { token: controller.token, body })
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    return JSON.parse(text === '' ? '{}' : text) as { token: string; name: string }
  }

  const newTokens = async (user: string): Promise<Tokens> => {
    const path = `${restBase}/users/${user}/tokens`
    // A time that has passed when the controller reads the request is refused: a busy machine takes seconds.
    const expires_at = toFineTimestamp(Date.now() + 8_000)
    const made = await Promise.all([
      admin('POST', path, { name: 'good' }),
      admin('POST', path, { name: 'expired', expires_at }),
      admin('POST', path, { name: 'revoked' }),
    ])
    await admin('DELETE', `${path}/revoked`)
    const [good, expired, revoked] = made.map(({ token }) => token)
    return { good: good!, expired: expired!, revoked: revoked! }
  }

  beforeAll(async () => {
    controller = await startTestController({
      // One address sends all the tokens that open nothing. What each person may ask is enough.
      argv: ['--insecure-http', '--failure-limit', '0'],
    })
    for (const team of teams) {
      await admin('POST', `${restBase}/teams`, { name: team })
      const base = `/apis/stagely.dev/v1alpha1/namespaces/${team}`
      const guard = { projects: ['shop'] }
      const object = (kind: string, name: string, spec: object): object => ({
        apiVersion: 'stagely.dev/v1alpha1',
        kind,
        metadata: { name },
        spec,
      })
      await admin('POST', `${base}/projects`, object('Project', 'shop', {}))
      await admin('POST', `${base}/agents`, object('Agent', 'box', {}))
      // An address that the gate refuses, so that a test message goes nowhere.
      const webhook = { url: 'https://127.0.0.1/' }
      const notifier = object('Notifier', 'ops', { reasons: ['Expired'], webhook })
      await admin('POST', `${base}/notifiers`, notifier)
      const aws = { aws: { region: 'eu-central-1' }, auth: { secretRef: { name: 'aws' } } }
      await admin('POST', `${base}/secretstores`, object('SecretStore', 'aws', aws))
      const ci = {
        issuer: 'https://127.0.0.1',
        audience: 'us',
        rules: [{ claims: { repository: 'acme/shop' }, role: 'deployer' }],
      }
      await admin('POST', `${base}/trustedissuers`, object('TrustedIssuer', 'ci', ci))
      const spec = {
        projectRef: { name: 'shop' },
        agentRef: { name: 'box' },
        compose: { directory: '/srv/shop' },
      }
      await admin('POST', `${base}/stagelets`, object('Stagelet', 'shop', spec))
      const guarded = { projectRef: { name: 'shop' }, key: 'GUARDED', value: 'guarded' }
      await admin('POST', `${base}/stagelysecrets`, object('StagelySecret', 'guarded', guarded))
      await admin('POST', `${base}/accesspolicies`, object('AccessPolicy', 'guard', guard))
      const asked = await admin('POST', `${restBase}/projects/${team}%2Fshop/access-requests`, {
        reason: 'to be walked past',
      })
      requests.set(team, asked.name)
    }
    for (const who of everybody) {
      await admin('POST', `${restBase}/users`, { name: `${who}-1`, admin: who === 'admin' })
      if (who !== 'admin' && who !== 'stranger')
        await admin('PUT', `${restBase}/teams/red/members/${who}-1`, { role: who })
      tokens.set(who, await newTokens(`${who}-1`))
    }
    for (const [scoped, scope] of Object.entries(scopes)) {
      const path = `${restBase}/users/owner-1/tokens`
      const { token } = await admin('POST', path, { name: scoped.replaceAll(' ', '-'), ...scope })
      scopedTokens.set(scoped as Scoped, token)
    }
    for (const { role, scoped } of narrowedMembers) {
      const name = `${role} ${scoped}`.replaceAll(' ', '-')
      await admin('POST', `${restBase}/users`, { name })
      await admin('PUT', `${restBase}/teams/red/members/${name}`, { role, ...scopes[scoped] })
      const { token } = await admin('POST', `${restBase}/users/${name}/tokens`, { name: 'own' })
      memberTokens.set(name, token)
    }
    const expired = everybody.map((who) => tokens.get(who)!.expired)
    for (const token of expired)
      await passes(async () => {
        const { status } = await send('GET', `${restBase}/projects`, { token })
        return status === 401
      })
  })
  afterAll(async () => {
    agent.destroy()
    await controller.remove()
  })

  interface Case {
    readonly name: string
    readonly method: string
    readonly path: string
    readonly token: string | undefined
    readonly expected: Expected
    readonly ifMatch?: string | undefined
  }

  let walked = 0
  const casesOf = (
    method: string,
    pathIn: (team: Team) => string,
    expect: (who: Who, team: Team) => Expected,
    {
      expectScoped,
      ifMatch,
      unknown = 401,
    }: {
      expectScoped: (scoped: Scoped, whole: Expected, isMember: boolean) => Expected
      ifMatch?: string | undefined
      /** What one gets without a token that opens something. */
      unknown?: Expected
    },
  ): Case[] => {
    const common = { method, ifMatch }
    const bad = { ...common, path: pathIn('red'), expected: unknown } as const
    const turn = walked++
    const inTurn = <T>(all: readonly T[], count: number): T[] =>
      Array.from({ length: count }, (_, i) => all[(turn + i) % all.length]!)
    return [
      { ...bad, name: 'nobody', token: undefined },
      { ...bad, name: 'a made-up token', token: 'spt_none' },
      ...[
        ...[...scopedTokens].map((scoped) => ['red', ...scoped] as const),
        ...inTurn([...scopedTokens], askingScopes).map((scoped) => ['blue', ...scoped] as const),
      ].map(([team, scoped, token]) => ({
        ...common,
        name: `owner, ${scoped}, in ${team}`,
        path: pathIn(team),
        token,
        expected: expectScoped(scoped, expect('owner', team), false),
      })),
      ...inTurn(narrowedMembers, askingNarrowed).map(({ role, scoped }) => ({
        ...common,
        name: `${role} who is narrowed ${scoped}`,
        path: pathIn('red'),
        token: memberTokens.get(`${role} ${scoped}`.replaceAll(' ', '-')),
        expected: expectScoped(scoped, expect(role, 'red'), true),
      })),
      ...inTurn(everybody, spoiltOwners).flatMap((who) => [
        { ...bad, name: `${who}, expired`, token: tokens.get(who)!.expired },
        { ...bad, name: `${who}, revoked`, token: tokens.get(who)!.revoked },
      ]),
      ...[
        ...everybody.map((who) => [who, 'red'] as const),
        ...inTurn(foreigners, askingForeigners).map((who) => [who, 'blue'] as const),
        ['admin', 'blue'] as const,
      ].map(([who, team]) => ({
        ...common,
        name: `${who} in ${team}`,
        path: pathIn(team),
        token: tokens.get(who)!.good,
        expected: expect(who, team),
      })),
    ]
  }

  /** What a 404 of a target says; anything else that is not there lies behind the door. */
  const noTarget = /"detail":"(project|stagelet|agent|notifier|store|issuer|policy|request|team) /

  const outcomeOf = ({ status, text }: Answer): Expected => {
    if (status === 401 || status === 403) return status
    return status === 404 && noTarget.test(text) ? 404 : 'pass'
  }

  const walk = async (cases: readonly Case[]): Promise<string[]> => {
    const wrong: string[] = []
    const queue = [...cases]
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { name, method, path, token, expected, ifMatch } = next
        const answer = await send(method, path, { token, ifMatch })
        // No agent is connected here: whoever gets as far as to hear that was let in.
        const fails = answer.status >= 500 && !/has no connection/.test(answer.text)
        if (fails || outcomeOf(answer) !== expected)
          wrong.push(
            `${name}: ${method} ${path}: ${answer.status}, expected ${expected}: ${answer.text.slice(0, 200)}`,
          )
      }
    }
    await Promise.all(Array.from({ length: 16 }, work))
    return wrong
  }

  it(
    'is as the table of roles says, for every route, role, team and token',
    { timeout: 180_000 },
    async () => {
      const kube = kubeRoutes({} as Parameters<typeof kubeRoutes>[0])
      const rest = restRoutes
      const cases = [
        ...kube.flatMap((route) =>
          casesOf(
            route.method,
            (team) => kubePath(route, team),
            (who, team) => kubeExpected(route, who, team),
            { expectScoped: (scoped, whole) => kubeScoped(route, scoped, whole) },
          ),
        ),
        ...rest.flatMap((route) =>
          casesOf(
            route.method,
            (team) => restPath(route, team),
            (who, team) => restExpected(route, who, team),
            {
              expectScoped: (scoped, whole, isMember) => restScoped(route, scoped, whole, isMember),
              // No version is 0, so that nothing is changed.
              ifMatch: route.heedsIfMatch === true ? '"0"' : undefined,
              unknown: isPublic(route) ? 'pass' : 401,
            },
          ),
        ),
      ]
      const started = performance.now()
      const wrong = await walk(cases)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(
        `access walk: ${cases.length} cases over ${kube.length} Kubernetes-style and ${rest.length} REST routes in ${seconds} s`,
      )
      expect(wrong).toEqual([])
      expect(cases.length).toBeGreaterThan(1_500)
      // The walk itself has changed nothing.
      for (const team of teams) await admin('GET', `${restBase}/projects/${team}%2Fshop`)
    },
  )
})
