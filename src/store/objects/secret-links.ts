// What a secret refers to, and whose values change with it, as each environment sees the set: a reference may lead to
// another secret there.
import { mapYielding } from '../../kernel/async/map-yielding.ts'
import { defined } from '../../kernel/defined.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { environmentsOf, namesOf } from '../../secrets/project-environments.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { specOf } from '../../kinds/typed.ts'
import { environmentSet, type LaidOut } from '../../secrets/environment-set.ts'
import { emptyLayout } from '../../secrets/layout.ts'
import { isForStagelet, stageletOf, type Viewer } from '../../secrets/place.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { BrokenReference, createResolver, viewersOf } from '../../secrets/references.ts'
import type { ProjectEntry, SetEntry } from '../../secrets/set-entry.ts'
import type { Actor } from '../core/actor.ts'
import { byName, nameEntry, type NamedEntry } from '../core/set-diff.ts'
import { headIn } from './reads.ts'
import { finderIn, narrowingFor, sees, seesViewer } from '../places/places.ts'
import { term } from '../state/rows.ts'
import type { StoreState } from '../state/state.ts'
import { keysNeeded, keysReached, linksOf } from '../secrets/concerned.ts'
import { projectAt } from '../secrets/projects.ts'

export interface SecretLink extends NamedEntry {
  /** Where it does; undefined: wherever the one that refers is seen. */
  readonly only?: readonly Viewer[]
}

export interface SecretLinks {
  /** What its value refers to. */
  readonly refersTo: readonly SecretLink[]
  /** Secrets whose values change with it, also by way of others, or that take its value. */
  readonly followers: readonly SecretLink[]
  /** Some of these are where the actor does not see them. */
  readonly followedElsewhere: boolean
}

/** Each looks at all secrets that hang together. */
const viewersInOneTurn = 5

/** By uid, the viewers for whom it holds. */
type Found = Map<string, Viewer[]>

const add = (found: Found, uid: string, viewer: Viewer): void => {
  const viewers = found.get(uid)
  if (viewers === undefined) found.set(uid, [viewer])
  else viewers.push(viewer)
}

interface Parts {
  readonly entry: SetEntry
  readonly referred: readonly SetEntry[]
  readonly all: ReadonlySet<string>
}

const tryParts = (parts: (entry: SetEntry) => Parts, entry: SetEntry): Parts | undefined => {
  try {
    return parts(entry)
  } catch (error) {
    if (!(error instanceof BrokenReference)) throw error
    return undefined
  }
}

interface Linked {
  readonly uid: string
  readonly key: string
  /** Uids of secrets that take its value. */
  readonly copies: ReadonlySet<string>
}

/** `environments`: those of the project. */
const linksIn = async (
  { entries: all, layout = emptyLayout }: LaidOut,
  { uid, key, copies }: Linked,
  environments: readonly string[],
): Promise<Pick<SecretLinks, 'refersTo' | 'followers'>> => {
  const links = linksOf(all)
  const sources = all.filter(({ secretId }) => secretId === uid || copies.has(secretId))
  const keys = keysNeeded(keysReached([key, ...sources.map((entry) => entry.key)], links), links)
  const entries = all.filter((entry) => keys.has(entry.key))
  const seen: Found = new Map()
  const refersTo: Found = new Map()
  const followers: Found = new Map()
  const look = (viewer: Viewer): void => {
    const set = environmentSet({ entries, layout }, viewer)
    const parts = createResolver<SetEntry, Parts>(set, stageletOf(viewer), (entry, referred) => ({
      entry,
      referred: referred.map((one) => one.entry),
      all: new Set([entry.secretId, ...referred.flatMap((one) => [...one.all])]),
    }))
    for (const entry of set.filter((one) => isForStagelet(one, stageletOf(viewer)))) {
      add(seen, entry.secretId, viewer)
      const made = tryParts(parts, entry)
      if (made === undefined) continue
      if (entry.secretId === uid)
        for (const { secretId } of new Set(made.referred)) add(refersTo, secretId, viewer)
      else if (sources.some(({ secretId }) => made.all.has(secretId)))
        add(followers, entry.secretId, viewer)
    }
  }
  const viewers = viewersOf({ entries, layout })
  const known = viewers.flatMap((viewer) => (typeof viewer === 'object' ? viewer.environment : []))
  const others = environments.filter((name) => !known.includes(name))
  const everybody = [...viewers, ...others.map((environment) => ({ environment }))]
  await mapYielding(everybody, look, viewersInOneTurn)
  const linksFrom = (found: Found, whole: (entry: ProjectEntry) => string): SecretLink[] =>
    entries
      .flatMap((entry) => {
        const viewers = found.get(entry.secretId)
        if (viewers === undefined) return []
        const isEverywhere = viewers.length === seen.get(whole(entry))?.length
        return [{ ...nameEntry(entry), ...defined({ only: isEverywhere ? undefined : viewers }) }]
      })
      .sort(byName)
  return {
    refersTo: linksFrom(refersTo, () => uid),
    followers: linksFrom(followers, ({ secretId }) => secretId),
  }
}

/** As far as the actor may know. */
export const secretLinks = async (
  state: StoreState,
  keys: ProjectKeys,
  actor: Actor,
  secret: KubeObject,
): Promise<SecretLinks> => {
  const project = projectRefOf(secret)
  const { uid = '' } = secret.metadata
  const row = projectAt(state, project)
  if (row === undefined) return { refersTo: [], followers: [], followedElsewhere: false }
  const set = await headIn(state, state.epoch, keys, row.id)
  const { key } = specOf('StagelySecret', secret)
  const copies = state.objects.withTerm(term.followersOf(project, refOf(secret).name))
  const linked = { uid, key, copies: new Set(copies.map((copy) => copy.uid)) }
  const environments = namesOf(environmentsOf(finderIn(state)(project)))
  const { refersTo, followers } = await linksIn(set, linked, environments)
  const narrowing = narrowingFor(actor, secret)
  if (narrowing === undefined) return { refersTo, followers, followedElsewhere: false }
  const told = (link: SecretLink): SecretLink[] => {
    const [found] = state.objects.withTerm(term.uid(link.secretId))
    if (found === undefined || !sees(narrowing, found.object, finderIn(state))) return []
    if (link.only === undefined) return [link]
    const where = { project: project.name, layout: set.layout ?? emptyLayout }
    const only = link.only.filter((viewer) => seesViewer(narrowing, viewer, where))
    return only.length === 0 ? [] : [{ ...link, only }]
  }
  const shown = followers.flatMap(told)
  return {
    refersTo: refersTo.flatMap(told),
    followers: shown,
    followedElsewhere: shown.length < followers.length,
  }
}
