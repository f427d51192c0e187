// Both ends of the agents' protocol over real TLS sockets and a real store, without Docker: what the
// stagelet loops would get is recorded instead.
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import {
  createControllerClient,
  type ControllerClient,
} from '../../../agent/link/controller-client.ts'
import { createDesiredState, type DesiredState } from '../../../agent/link/desired.ts'
import { type AgentIdentity } from '../../../agent/identity/identity.ts'
import { joinController } from '../../../agent/link/join.ts'
import { runLink } from '../../../agent/link/link.ts'
import type { LinkKeys } from '../../../agent/link/link-keys.ts'
import { createReporter, type Reporter } from '../../../agent/link/report.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import type { Tuning } from '../../../controller/http/agents/deps.ts'
import type { AgentEnv } from '../../../controller/http/agents/requests/refusal.ts'
import { startSweep } from '../../../controller/http/agents/streams/replicas.ts'
import { createBodyBudget, type BodyBudget } from '../../../controller/http/body-budget.ts'
import { mountAgentRoutes, type AgentRoutes } from '../../../controller/http/agents/routes.ts'
import { startHttpServer } from '../../../controller/http/server.ts'
import {
  loadControllerIdentity,
  type ControllerIdentity as ControllerIdentity,
} from '../../../controller/identity.ts'
import { giveEmbeddedDatabase } from '../databases/embedded-database.ts'
import { withBodies } from '../http/with-bodies.ts'
import { memoryFolder } from '../memory-folder.ts'
import { freshDatabase } from '../databases/fresh-database.ts'
import { unchanging } from './unchanging.ts'
import { fixedKeys } from '../fixed-keys.ts'
import { realClock, type Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { silentLogger, type Logger } from '../../../src/kernel/log.ts'
import {
  renderJoinToken,
  parseJoinToken,
  type JoinToken,
} from '../../../src/protocol/join-token.ts'
import type {
  DesiredStagelet,
  OnDemandOrder,
  StreamRequest,
} from '../../../src/protocol/messages.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { apiVersion, type KubeObject } from '../../../src/resources/meta.ts'
import { localKeyRing } from '../keys.ts'
import { openStore, type Opened } from '../../../src/store/open/open-store.ts'

export const actor = { name: 'tester', source: 'api', authority: 'whole' as const }
const machine = { name: 'tester', source: 'system', authority: 'whole' as const }

export interface TestController {
  readonly url: string
  readonly opened: Opened
  readonly identity: ControllerIdentity
  readonly routes: AgentRoutes
  readonly bodies: BodyBudget
  /** Another replica on the same store, or this one after a restart: its memory is empty. */
  replica(): Promise<Pick<TestController, 'url' | 'routes' | 'close'>>
  /** A join token as an agent would parse it. */
  token(name: string, tweak?: { ttlMs?: number; url?: string }): Promise<JoinToken>
  close(): Promise<void>
}

const clocks = new WeakMap<TestController, { offsetMs: number }>()

/**
 * A controller's agent endpoints on a free port, with a store of its own: on a database of the tests'
 * server, unless `at` says which one, or 'embedded'.
 */
export const startTestController = async (
  at?: string,
  tuning: Partial<Tuning> = {},
): Promise<TestController> => {
  const dataDir = await mkdtemp(join(memoryFolder, 'stagely-protocol-'))
  const own = at === undefined ? await freshDatabase() : undefined
  const databaseUrl = at === 'embedded' ? undefined : (own?.url ?? at)
  if (databaseUrl === undefined) giveEmbeddedDatabase(dataDir)
  const skew = { offsetMs: 0 }
  const clock: Clock = { ...realClock, now: () => realClock.now() + skew.offsetMs }
  const opened = await openStore({
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    dataDir,
    keyRing: localKeyRing(randomBytes(32), { clock }),
    clock,
    log: silentLogger,
  })
  const served = await serveTestAgents(opened, tuning, clock)
  const controller: TestController = {
    ...served,
    opened,
    replica: () => serveTestAgents(opened, tuning, clock),
    close: async () => {
      await served.close()
      await opened.close()
      await own?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  clocks.set(controller, skew)
  return controller
}

/** Moves the controller's clock. */
export const skewClock = (controller: TestController, offsetMs: number): void => {
  clocks.get(controller)!.offsetMs = offsetMs
}

const createTestToken = async (
  opened: Opened,
  served: Pick<TestController, 'url' | 'identity'>,
  name: string,
  tweak: { ttlMs?: number; url?: string } = {},
): Promise<JoinToken> => {
  const created = await opened.agents.createJoinToken({
    namespace: 'default',
    name,
    ttlMs: tweak.ttlMs ?? 60_000,
    actor,
  })
  const text = renderJoinToken({
    url: tweak.url ?? served.url,
    namespace: 'default',
    name,
    tokenId: created.tokenId,
    tokenSecret: created.tokenSecret,
    controllerX25519: served.identity.x25519.publicKey.toString('base64url'),
    ca: served.identity.caFingerprint,
  })
  return parseJoinToken(text)
}

/** The agents' endpoints over a store that is open already; `restartMs` as in startSweep. */
export const serveTestAgents = async (
  opened: Opened,
  { restartMs = 500, port = 0, ...tuning }: Partial<Tuning> & { restartMs?: number; port?: number },
  clock: Clock = realClock,
): Promise<Pick<TestController, 'url' | 'identity' | 'routes' | 'bodies' | 'token' | 'close'>> => {
  const identity = await loadControllerIdentity(opened.settings, clock, ['127.0.0.1'])
  const bodies = createBodyBudget()
  const app = withBodies(new Hono<AgentEnv>(), bodies)
  app.use(async (c, next) => {
    c.set('address', c.env.incoming.socket.remoteAddress ?? '')
    c.set('requestId', randomUUID())
    await next()
  })
  const routes = mountAgentRoutes(app, {
    store: opened.store,
    agents: opened.agents,
    connections: opened.connections,
    identity,
    clock,
    log: silentLogger,
    tuning: { graceMs: 200, ...tuning },
  })
  const { store, connections } = opened
  const sweep = startSweep({ store, connections, clock, log: silentLogger }, restartMs)
  const listening = await startHttpServer(routes.listener(app), {
    host: '127.0.0.1',
    port,
    tls: { chainPem: identity.chainPem, keyPem: identity.leafKeyPem },
  })
  const url = `https://127.0.0.1:${listening.address.port}`
  return {
    url,
    identity,
    routes,
    bodies,
    token: (name, tweak = {}) => createTestToken(opened, { url, identity }, name, tweak),
    close: async () => {
      await sweep.stop()
      await routes.stop()
      listening.destroy()
      await listening.close()
    },
  }
}

export interface TestAgent {
  readonly identity: AgentIdentity
  readonly client: ControllerClient
  readonly reporter: Reporter
  readonly desired: DesiredState
  readonly boot: string
  /** One line for each want: `name r<revision> KEY=value,…`. */
  readonly wants: string[]
  readonly items: DesiredStagelet[]
  readonly logs: { level: string; message: string; fields: Record<string, unknown> }[]
  connections: number
  stop(): Promise<void>
}

/** Joins with `token`; the folder is gone after. */
export const joinTestAgent = async (token: JoinToken): Promise<AgentIdentity> => {
  const dir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
  try {
    return await joinController(dir, token, '0.0.1')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Starts link and reporter of a joined agent. `url` overrides where it connects to. */
export const startTestAgent = (
  identity: AgentIdentity,
  tweak: {
    url?: string
    clock?: Clock
    about?: Partial<StreamRequest>
    keys?: LinkKeys
    protocol?: string
    /** Orders that the agent says that it knows. */
    knows?: string[]
    onAsked?: (order: OnDemandOrder) => void
  } = {},
): TestAgent => {
  const clock = tweak.clock ?? realClock
  const logs: TestAgent['logs'] = []
  const log = recordingLogger(logs)
  const wants: string[] = []
  const items: DesiredStagelet[] = []
  const desired = createDesiredState(
    {
      setDesired: (item, entries) => {
        items.push(item)
        const values = entries.map((e) => `${e.key}=${e.value.toString()}`).sort()
        wants.push([`${item.name} r${item.revision}`, values.join()].join(' ').trim())
      },
      forget: (uid) => wants.push(`forget ${items.find((i) => i.uid === uid)?.name ?? uid}`),
    },
    log,
  )
  const endpoint = { url: tweak.url ?? identity.url, ca: identity.ca }
  const client = createControllerClient(endpoint, createRequestSigner(identity, clock))
  const boot = tweak.about?.boot ?? randomUUID()
  const reporter = createReporter({ client, boot, clock, random: Math.random, log })
  const ending = new AbortController()
  const agent: TestAgent = {
    identity,
    client,
    reporter,
    desired,
    boot,
    wants,
    items,
    logs,
    connections: 0,
    stop: async () => {
      ending.abort()
      await Promise.all([linking, reporter.stop()])
      client.close()
    },
  }
  const said = defined({ protocol: tweak.protocol, knows: tweak.knows })
  const linking = runLink(
    {
      identity,
      client: {
        ...client,
        open: (options) =>
          client.open({ ...options, body: { ...(options.body as object), ...said } }),
      },
      desired,
      about: unchanging({
        boot,
        version: '0.0.1',
        engineVersion: '26.1.5',
        composeVersion: '2.26.1',
        ...tweak.about,
      }),
      keys: tweak.keys ?? fixedKeys,
      onDemand: tweak.onAsked ?? (() => undefined),
      onConnected: () => {
        agent.connections += 1
        reporter.connected()
      },
      onLost: () => {
        reporter.lost()
      },
      clock,
      random: Math.random,
      log,
    },
    ending.signal,
  )
  return agent
}

const recordingLogger = (logs: TestAgent['logs']): Logger => {
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      logs.push({ level, message, fields: fields as Record<string, unknown> })
    }
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  }
  return logger
}

const ref = (kind: string, name: string) => ({ kind, namespace: 'default', name })
const anObject = (kind: string, name: string, spec: Record<string, unknown>): KubeObject => ({
  apiVersion,
  kind,
  metadata: { namespace: 'default', name },
  spec,
})

/** A project, and a stagelet of the same name on `agent`. */
export const readyOf = async (controller: TestController, name: string): Promise<string> => {
  const ready = await agentCondition(controller, name, 'Ready')
  return `${ready?.status ?? ''}/${ready?.reason ?? ''}`
}

/** A condition of an agent in the namespace `default`. */
export const agentCondition = async (
  { opened }: TestController,
  name: string,
  type: string,
): Promise<Condition | undefined> => {
  const agent = await opened.store.get({ kind: 'Agent', namespace: 'default', name })
  return findCondition(agent?.status?.conditions, type)
}

export const createStack = async (
  { opened: { store } }: { opened: Pick<Opened, 'store'> },
  name: string,
  agent: string,
): Promise<void> => {
  await store.write(actor, {}, async (tx) => {
    await tx.create(anObject('Project', name, {}))
    await tx.create(
      anObject('Stagelet', name, {
        projectRef: { name },
        agentRef: { name: agent },
        compose: { directory: `/srv/${name}` },
      }),
    )
  })
}

/** Writes secrets in one closed change set and tells the stagelets of the project to want it; what a reconciler would do. */
export const putSecrets = async (
  { opened: { store } }: TestController,
  project: string,
  values: Record<string, string>,
  tweak: { stagelet?: string; scope?: string } = {},
): Promise<number> => {
  const changeSet = { id: randomUUID(), last: true }
  await store.write(actor, { changeSet }, async (tx) => {
    for (const [key, value] of Object.entries(values)) {
      const name =
        `${key.toLowerCase()}.${tweak.stagelet ?? ''}${tweak.scope ?? 'global'}`.replaceAll(
          '_',
          '-',
        )
      const object = anObject('StagelySecret', `${project}.${name}`, {
        projectRef: { name: project },
        key,
        scope: tweak.scope ?? 'global',
        value,
        ...(tweak.stagelet === undefined ? {} : { stageletRef: { name: tweak.stagelet } }),
      })
      const old = await tx.get(ref('StagelySecret', object.metadata.name))
      if (old === undefined) await tx.create(object)
      else await tx.update(object)
    }
  })
  await store.closeDueRevisions(realClock.now())
  const owner = await store.get(ref('Project', project))
  const { closed } = await store.revisionsOf(owner!.metadata.uid!)
  await wantRevision({ store }, project, closed)
  return closed
}

/** Sets status.wantedRevision of every stagelet of the project. */
export const wantRevision = async (
  { store }: Pick<Opened, 'store'>,
  project: string,
  revision: number,
): Promise<void> => {
  const { items } = await store.list('Stagelet')
  await store.write(machine, {}, async (tx) => {
    for (const item of items) {
      const owner = (item.spec as { projectRef: { name: string } }).projectRef.name
      if (owner !== project) continue
      await tx.setStatus({ ...item, status: { ...item.status, wantedRevision: revision } })
    }
  })
}

export { passes as eventually } from '../eventually.ts'
