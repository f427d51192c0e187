// Receipts of exposure beside what the engine itself said: every interval, of every version that was looked at.
import type { Exposure, SignedExposure } from '../../../src/audit/exposure.ts'
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { askEngine } from '../docker/engine-api.ts'
import { restOf, type Rest } from '../load.ts'
import type { Model, Secret } from './model.ts'
import type { Place } from './place.ts'

interface EngineLife {
  readonly service: string
  made?: number
  removed?: number
}

interface KnownVersion extends Pick<Secret, 'name'> {
  readonly version: number
  /** Short ids of containers that were found with the value, and with another one. */
  readonly with: Set<string>
  readonly without: Set<string>
}

export interface Exposures {
  /** To be called when nothing changes: takes the engine's events, and looks into all containers. */
  readonly look: () => Promise<void>
  /** What is wrong with the receipts of all versions that were looked at; and how many intervals were compared. */
  readonly compare: () => Promise<{ wrong: string[]; intervals: number }>
}

const withinMs = 1_000

interface Looked {
  readonly Id: string
  readonly Config: {
    readonly Env: readonly string[]
    readonly Labels: Readonly<Record<string, string>>
  }
}

const idOf = (id: string): string => id.slice(0, 12)

const engineTime = (ms: number | undefined): string =>
  ms === undefined ? 'a time that the engine did not tell' : toFineTimestamp(ms)

export const watchExposures = (place: Place, model: Model): Exposures => {
  const { world, stack } = place
  const lives = new Map<string, EngineLife>()
  const versions = new Map<string, KnownVersion>()

  const takeEvents = async (): Promise<void> => {
    // The stack follows its events since before there was a container: the engine keeps its last 256 only.
    for (const { action, service, id, atMs } of await stack.eventsSince(0, ['create', 'destroy'])) {
      const life = lives.get(idOf(id)) ?? { service }
      lives.set(idOf(id), life)
      if (action === 'create') life.made = atMs
      else life.removed = atMs
    }
  }

  const livesOf = (service: string): EngineLife[] =>
    [...lives.values()].filter((life) => life.service === service)

  const lookInto = async (): Promise<Map<string, Looked>> => {
    const listed = (await askEngine<{ Id: string }[]>('/containers/json?all=true')) ?? []
    const all = listed.map(({ Id }) => askEngine<Looked>(`/containers/${Id}/json`))
    const found = (await Promise.all(all)).flatMap((looked) => looked ?? [])
    return new Map(found.map((looked) => [idOf(looked.Id), looked]))
  }

  const current = async (name: string): Promise<{ uid: string; version: number }> => {
    const { metadata, status } = (await world.read(`stagelysecrets/${name}`)) as {
      metadata: { uid: string }
      status: { version: number }
    }
    return { uid: metadata.uid, version: status.version }
  }

  const takeVersions = async (): Promise<void> => {
    const containers = await lookInto()
    for (const { name, key, scope, type, value } of model.secrets.values()) {
      if (type !== 'env') continue
      const { uid, version } = await current(name)
      const id = `${uid} ${version}`
      const given = versions.get(id) ?? { name, version, with: new Set(), without: new Set() }
      versions.set(id, given)
      for (const [container, { Config }] of containers) {
        const service = Config.Labels['com.docker.compose.service'] ?? ''
        if (scope !== 'global' && scope !== service) continue
        if (Config.Env.includes(`${key}=${value}`)) given.with.add(container)
        else given.without.add(container)
      }
    }
  }

  const receiptOf = async (rest: Rest, { name, version }: KnownVersion): Promise<Exposure> => {
    const path = `/projects/default%2Fshop/secrets/${name}/versions/${version}/exposure`
    const { status, body } = await rest('GET', path)
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
    return (body as SignedExposure).exposure
  }

  const wrongIn = (known: KnownVersion, { holders }: Exposure): string[] => {
    const wrong: string[] = []
    for (const { container, service, from, until, certain } of holders) {
      const what = `${service} ${container ?? 'without a container'}`
      if (container === undefined && !certain) {
        // A rollout that ended before the service had any container whose life is known.
        const first = Math.min(...livesOf(service).map(({ made = Infinity }) => made))
        if (until === undefined || Date.parse(until.latest) > first + withinMs)
          wrong.push(`${what} may have held it until ${until?.latest ?? 'now'}`)
        continue
      }
      const life = lives.get(container ?? '')
      if (life === undefined) {
        wrong.push(`${what} is no container that the engine told of`)
        continue
      }
      if (!certain) wrong.push(`${what} is not certain`)
      if (known.without.has(container ?? '')) wrong.push(`${what} does not hold it`)
      const off = (at: string | undefined, real: number | undefined): boolean =>
        at === undefined || real === undefined
          ? (at === undefined) !== (real === undefined)
          : Math.abs(Date.parse(at) - real) > withinMs
      for (const at of [from.earliest, from.latest])
        if (off(at, life.made))
          wrong.push(`${what} was made at ${engineTime(life.made)}, not ${at}`)
      for (const at of [until?.earliest, until?.latest])
        if (off(at, life.removed))
          wrong.push(`${what} was removed at ${engineTime(life.removed)}, not ${at ?? '-'}`)
    }
    const told = new Set(holders.map(({ container }) => container))
    for (const container of known.with)
      if (!told.has(container)) wrong.push(`${container} holds it, and is not told`)
    return wrong
  }

  return {
    look: async () => {
      await takeEvents()
      await takeVersions()
    },
    compare: async () => {
      const wrong: string[] = []
      let intervals = 0
      const rest = await restOf(world)
      for (const [id, known] of versions) {
        // Of a secret that was deleted there is no receipt; another one may have its name.
        if (!model.secrets.has(known.name)) continue
        if (!id.startsWith((await current(known.name)).uid)) continue
        const exposure = await receiptOf(rest, known)
        intervals += exposure.holders.filter(({ container }) => container !== undefined).length
        const faults = wrongIn(known, exposure)
        wrong.push(...faults.map((fault) => `${known.name} version ${known.version}: ${fault}`))
      }
      return { wrong, intervals }
    },
  }
}
