// Rotations on a store, with a database in memory and agents that do what a test says. Time is the test's.
import { createLookElsewhere } from '../../../controller/where/elsewhere.ts'
import { createHash, randomUUID } from 'node:crypto'
import { openGenerate } from '../../../controller/rotators/providers/generate.ts'
import { advance, type RotationDeps } from '../../../controller/rotators/performer.ts'
import type { RotationObject } from '../../../controller/rotators/machine/facts.ts'
import {
  RotatorFault,
  type Credential,
  type FaultKind,
  type FoundLogins,
  type Rotator,
  type Use,
} from '../../../controller/rotators/providers/rotator.ts'
import { createEgress } from '../../../controller/egress/gate.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { StageletSpec, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import { fromFor, holdIn } from '../../../src/rollout/restored.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { OpenedEntry } from '../../../src/store/store.ts'
import type { TestStore } from '../databases/open-test-store.ts'
import {
  api,
  createShop,
  objectOf,
  secretOf,
  stageletOf,
  system,
  type SteppedClock,
} from '../databases/store-fixtures.ts'

/** A database that knows two logins. */
export class MemoryDatabase implements Rotator {
  readonly slots = ['app_a', 'app_b']
  /** The login that services have used. */
  adopt: string | undefined
  readonly outputs = ['username', 'password']
  /** By login, its password; a login without one accepts nothing. */
  readonly logins = new Map<string, string>()
  readonly calls: string[] = []
  /** What the next call of this name does. */
  readonly faults = new Map<string, { kind: FaultKind; message: string; retryAfterMs?: number }>()
  sessions = { sessions: 0 as number | undefined, from: [] as string[] }
  /** Logins with a session from outside. */
  readonly visited = new Set<string>()
  /** Credentials that were ended. */
  readonly ended: Credential['values'][] = []
  warnings: string[] = []
  trusts = false

  #call(name: string): void {
    this.calls.push(name)
    const fault = this.faults.get(name)
    if (fault === undefined) return
    this.faults.delete(name)
    const { kind, message, retryAfterMs } = fault
    throw new RotatorFault(kind, message, retryAfterMs === undefined ? {} : { retryAfterMs })
  }
  accepts({ values }: Pick<Credential, 'values'>): boolean {
    const { username = '', password } = values
    return this.logins.get(username) === password && password !== undefined
  }
  make(slot: string | undefined): Credential {
    return { slot, values: { username: slot ?? '', password: randomUUID() } }
  }
  preflight(_: AbortSignal, warn: (message: string) => void): Promise<string[]> {
    this.#call('preflight')
    for (const warning of this.warnings) warn(warning)
    return Promise.resolve([])
  }
  async checkAccepted(candidate: Credential): Promise<'accepted' | 'refused'> {
    this.#call('checkAccepted')
    return Promise.resolve(this.accepts(candidate) ? 'accepted' : 'refused')
  }
  async set({ values }: Credential): Promise<void> {
    this.#call('set')
    this.logins.set(values['username'] ?? '', values['password'] ?? '')
    return Promise.resolve()
  }
  async test(candidate: Credential): Promise<'accepted' | 'refused' | 'meaningless'> {
    this.#call('test')
    if (this.trusts) return Promise.resolve('meaningless')
    return Promise.resolve(this.accepts(candidate) ? 'accepted' : 'refused')
  }
  async stillUsed({ values }: Credential): Promise<Use> {
    this.#call('stillUsed')
    return Promise.resolve({
      ...(this.visited.has(values['username'] ?? '') ? { sessions: 1, from: [] } : this.sessions),
      canLogIn: this.logins.has(values['username'] ?? ''),
    })
  }
  async find(): Promise<FoundLogins> {
    this.#call('find')
    const idle = this.slots.find((slot) => !this.logins.has(slot))
    return Promise.resolve({ idle, running: this.make(this.slots.find((slot) => slot !== idle)) })
  }
  async revoke({ values }: Credential): Promise<void> {
    this.#call('revoke')
    this.logins.delete(values['username'] ?? '')
    this.visited.delete(values['username'] ?? '')
    this.ended.push(values)
    return Promise.resolve()
  }
  async disable(slot: string | undefined): Promise<void> {
    this.#call('disable')
    this.logins.delete(slot ?? '')
    this.visited.delete(slot ?? '')
    return Promise.resolve()
  }
}

const minute = 60_000

interface Runs {
  readonly since?: string
  readonly restarts?: number
  readonly health?: string
  readonly containers?: number
  readonly state?: string
  readonly revision?: number
  readonly runningDigest?: string
}

/** Fingerprint of the keys of the agent. */
const ofBox = 'keys of box'

export class RotationWorld {
  readonly database = new MemoryDatabase()
  readonly t: TestStore
  readonly clock: SteppedClock
  readonly ns: string
  readonly projectUid: string
  /** In place of the rotators above. */
  rotator: Rotator | undefined
  /** What each container of `web` holds, by stagelet. */
  readonly containers = new Map<string, Readonly<Record<string, string>>>()
  readonly away = new Set<string>()
  /** The environment of containers that are in no stack, by name. */
  readonly unmanaged = new Map<string, string>()
  /** The environment of running containers of stacks, which have it from other secrets, by name. */
  readonly copies = new Map<string, string>()
  /** Agents that answer no look. */
  readonly mute = new Set<string>()
  /** By agent, a container of which it says that it holds whatever is looked for. */
  readonly claims = new Map<string, string>()
  /** Stagelets whose service dies with these values. */
  readonly dies = new Map<string, (values: Readonly<Record<string, string>>) => boolean>()
  readonly oneOffs = new Map<string, number>()
  /** What the engine tells of `web`, by stagelet. */
  readonly runs = new Map<string, Runs>()
  readonly revoked: number[] = []

  private constructor(t: TestStore, clock: SteppedClock, of: { ns: string; projectUid: string }) {
    this.t = t
    this.clock = clock
    this.ns = of.ns
    this.projectUid = of.projectUid
  }

  static async begin(
    t: TestStore,
    clock: SteppedClock,
    { stagelets = ['one'], spec }: { stagelets?: string[]; spec?: Record<string, unknown> } = {},
  ): Promise<RotationWorld> {
    const world = new RotationWorld(t, clock, await createShop(t.store))
    const { ns } = world
    const outputs = (spec?.['outputs'] ?? { username: 'user', password: 'password' }) as Record<
      string,
      string
    >
    await t.store.write(api, {}, async (tx) => {
      await tx.create(objectOf('Agent', ns, 'box'))
      for (const name of stagelets) await tx.create(stageletOf(ns, name))
      for (const [output, name] of Object.entries(outputs))
        await tx.create(
          secretOf(ns, name, { scope: 'web', valueFrom: { rotation: { name: 'db', output } } }),
        )
      await tx.create(
        objectOf('Rotation', ns, 'db', {
          projectRef: { name: 'shop' },
          outputs,
          rotator: {
            postgres: {
              in: { stagelet: stagelets[0], service: 'db' },
              database: 'shop',
              owner: 'app',
              roles: ['app_a', 'app_b'],
            },
          },
          schedule: { every: '30d' },
          ...spec,
        }),
      )
    })
    await world.join('box')
    return world
  }

  /** The agent has keys, and so gets what is sealed to them. */
  async join(name: string): Promise<void> {
    const ref = { kind: 'Agent', namespace: this.ns, name }
    await this.t.store.write(system, {}, async (tx) => {
      const agent = (await tx.get(ref)) ?? (await tx.create(objectOf('Agent', this.ns, name)))
      await tx.setStatus({ ...agent, status: { ...agent.status, keyFingerprint: ofBox } })
    })
  }

  get deps(): RotationDeps {
    const { t, clock, database } = this
    return {
      store: t.store,
      staged: t.staged,
      clock,
      log: silentLogger,
      egress: createEgress({ allow: [], deny: [], own: () => [] }),
      lookElsewhere: createLookElsewhere({
        store: t.store,
        tasks: {
          look: (agentKey, { values }) => {
            const agent = agentKey.slice(this.ns.length + 1)
            if (this.mute.has(agent)) return Promise.resolve('away' as const)
            const claimed = this.claims.get(agent)
            if (claimed !== undefined)
              return Promise.resolve({
                places: [
                  { kind: 'environment', managed: false, container: claimed, values: ['password'] },
                ],
                unread: [],
              })
            const texts = values.map(({ value }) => Buffer.from(value, 'base64').toString())
            const all = [
              ...[...this.unmanaged].map((one) => [...one, false] as const),
              ...[...this.copies].map((one) => [...one, true] as const),
            ]
            const places = all.flatMap(([container, environment, managed]) =>
              texts.some((text) => environment.includes(text))
                ? [
                    {
                      kind: 'environment' as const,
                      managed,
                      running: true,
                      container,
                      values: ['password'],
                    },
                  ]
                : [],
            )
            return Promise.resolve({ places, unread: [] })
          },
        },
      }),
      openRotator: ({ spec }) =>
        Promise.resolve(
          this.rotator ??
            (spec.rotator.generate === undefined ? database : openGenerate(spec.rotator.generate)),
        ),
      onRevoked: (ms) => this.revoked.push(ms),
    }
  }

  get ref(): ObjectRef {
    return { kind: 'Rotation', namespace: this.ns, name: 'db' }
  }
  async rotation(): Promise<RotationObject> {
    return (await this.t.store.get(this.ref)) as RotationObject
  }
  async status(): Promise<RotationStatus> {
    return (await this.rotation()).status ?? {}
  }
  /** Reason and status of a condition, as `Blocked=True/StillUsed`. */
  async condition(type: string): Promise<string> {
    const { conditions = [] } = await this.status()
    const found = conditions.find((one) => one.type === type)
    return `${type}=${found?.status ?? ''}/${found?.reason ?? ''}`
  }
  async message(type: string): Promise<string> {
    const { conditions = [] } = await this.status()
    return conditions.find((one) => one.type === type)?.message ?? ''
  }
  async setStatus(change: (before: RotationStatus) => RotationStatus): Promise<void> {
    await this.t.store.write(system, {}, async (tx) => {
      const current = (await this.rotation()) as KubeObject
      await tx.setStatus({ ...current, status: { ...change(current.status ?? {}) } })
    })
  }
  async request(more: { now?: boolean; withoutProof?: boolean } = {}): Promise<void> {
    const request = {
      at: toTimestamp(this.clock.now()),
      by: 'alice',
      cause: 'Run' as const,
      ...more,
    }
    await this.setStatus((before) => ({ ...before, request }))
  }

  /** One look of the performer. */
  async look(): Promise<number | undefined> {
    return advance(this.deps, await this.rotation(), new AbortController().signal)
  }

  /** What the newest closed set gives `web` of a stagelet. */
  async valuesOf(stagelet: string): Promise<Record<string, string>> {
    const { closed } = await this.t.store.revisionsOf(this.projectUid)
    if (closed === 0) return {}
    const delivery = { stagelet, agent: 'box', namespace: this.ns, reason: 'deliver' }
    const opened: OpenedEntry[] = await this.t.store.openSet(this.projectUid, closed, delivery)
    return Object.fromEntries(opened.map((one) => [one.name, one.value.toString('utf8')]))
  }

  /** The agent of a stagelet does its work, and reports; one that is away does nothing. */
  async agent(stagelet: string): Promise<void> {
    const { store } = this.t
    const ref = { kind: 'Stagelet', namespace: this.ns, name: stagelet }
    const { closed } = await store.revisionsOf(this.projectUid)
    // Nothing is delivered, and what runs stays.
    const rotation = await this.t.store.get(this.ref)
    if (rotation !== undefined && closed < fromFor(holdIn(rotation), stagelet)) return
    const set = closed === 0 ? undefined : await store.readSet(this.projectUid, closed)
    const digest = set && serviceDigest(visibleTo('web', stagelet, environmentSet(set, stagelet)))
    const values = await this.valuesOf(stagelet)
    const isAway = this.away.has(stagelet)
    if (!isAway && closed > 0)
      await store.openSet(this.projectUid, closed, {
        stagelet,
        agent: `${this.ns}/box`,
        keys: ofBox,
      })
    const fails = !isAway && this.dies.get(stagelet)?.(values) === true
    if (!isAway && !fails && Object.keys(values).length > 0) this.containers.set(stagelet, values)
    await store.write(system, {}, async (tx) => {
      const current = (await tx.get(ref)) as KubeObject<StageletSpec, StageletStatus>
      const before = current.status ?? {}
      const running =
        isAway || fails ? before.services?.find(({ name }) => name === 'web') : undefined
      const seen = isAway
        ? { ...running, name: 'web', state: 'unknown' }
        : fails
          ? { ...running, name: 'web', wantedDigest: digest ?? '', state: 'running', containers: 1 }
          : {
              name: 'web',
              state: 'running',
              containers: 1,
              revision: closed,
              ...(digest === undefined ? {} : { wantedDigest: digest, runningDigest: digest }),
              ...this.runs.get(stagelet),
              ...(this.oneOffs.has(stagelet) ? { oneOffs: this.oneOffs.get(stagelet)! } : {}),
            }
      const failure = { service: 'web', digest: digest ?? '', revision: closed, retry: '' }
      const { quarantine: _, ...rest } = before
      const status: StageletStatus = {
        ...rest,
        services: [seen],
        ...(isAway || fails ? {} : { healthyRevision: closed }),
        ...(fails
          ? { quarantine: [{ ...failure, message: 'exited with code 1: no such user' }] }
          : {}),
        conditions: [
          {
            type: 'SecretsInSync',
            status: isAway ? 'Unknown' : fails ? 'False' : 'True',
            reason: isAway ? 'AgentAway' : 'Test',
            message: 'of the test',
            lastTransitionTime: toTimestamp(this.clock.now()),
          },
        ],
      }
      await tx.setStatus({ ...current, status: { ...status } })
    })
  }

  /** All agents work, and the performer looks, until `until` holds or the time is over. */
  async run(
    until: (status: RotationStatus) => boolean,
    mostMs = 60 * minute,
    stepMs = 30_000,
  ): Promise<RotationStatus> {
    const end = this.clock.now() + mostMs
    for (;;) {
      await this.look()
      const status = await this.status()
      if (until(status) || this.clock.now() >= end) return status
      const { items } = await this.t.store.list('Stagelet', { namespace: this.ns })
      for (const { metadata } of items) await this.agent(metadata.name)
      this.clock.step(stepMs)
    }
  }

  /** Of what runs, all that is refused. */
  refused(): string[] {
    return [...this.containers].flatMap(([stagelet, { user = '', password = '' }]) =>
      this.database.accepts({ values: { username: user, password } }) ? [] : [stagelet],
    )
  }
}

/** At rest after so many attempts. */
export const rotated =
  (times: number) =>
  ({ phase, attempt = 0 }: RotationStatus): boolean =>
    phase === 'Idle' && attempt >= times

/** A short name for a value, so that no test prints one. */
export const shortOf = (value: string | undefined): string =>
  createHash('sha256')
    .update(value ?? '')
    .digest('hex')
    .slice(0, 8)
