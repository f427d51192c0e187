// The store as a narrowed login reads it: what it does not see is not there. See ADR 0082.
import { everywhere, holdsProject, isBelowProject, type Narrowing } from '../access/place.ts'
import { keptRights } from '../access/roles.ts'
import type { KubeObject } from '../resources/meta.ts'
import { sameJson } from '../kernel/same-json.ts'
import { keptFor } from '../kernel/kept-for.ts'
import { requireKind } from '../kinds/index.ts'
import { ofKind } from '../kinds/typed.ts'
import type { Rights } from './core/actor.ts'
import { historyOf } from './narrowed-history.ts'
import { withOwnDigests } from './guard/digests.ts'
import { withoutLogs } from './places/log-lines.ts'
import { finderIn, shownIn, type Lookup } from './places/places.ts'
import type { ChangeEvent, StoredObject } from './core/objects.ts'
import type { Store } from './store.ts'

/** What routes call: each read is narrowed here by name, so that a new one is none of theirs until it is. */
export type CallerStore = Pick<
  Store,
  | 'get'
  | 'getStored'
  | 'getByUid'
  | 'list'
  | 'listRows'
  | 'listPage'
  | 'namedProjects'
  | 'readSet'
  | 'versionsOf'
  | 'listRevisions'
  | 'deletedSecrets'
  | 'projectSummary'
  | 'watch'
  | ByActor
  | OfNamed
  | OfNothing
>

/** These decide by the actor that they are given. */
type ByActor = 'write' | 'revealSecret' | 'revealSet' | 'fingerprints' | 'linksOf'
/** These tell of what a narrowed read has named before. */
type OfNamed = 'plainValues' | 'deliveries'
/** These tell of no object. */
type OfNothing = 'revisionsOf' | 'currentVersion' | 'health' | 'deletedMs' | 'guesses'

const unnarrowed = (store: Store): Pick<Store, ByActor | OfNamed | OfNothing> => ({
  write: (actor, options, fn) => store.write(actor, options, fn),
  revealSecret: (actor, ref, what) => store.revealSecret(actor, ref, what),
  revealSet: (actor, project, what) => store.revealSet(actor, project, what),
  fingerprints: (actor, project, action) => store.fingerprints(actor, project, action),
  linksOf: (actor, secret) => store.linksOf(actor, secret),
  plainValues: (uid, versions) => store.plainValues(uid, versions),
  deliveries: (namespace, uid, stagelets) => store.deliveries(namespace, uid, stagelets),
  revisionsOf: (uid) => store.revisionsOf(uid),
  currentVersion: () => store.currentVersion(),
  health: () => store.health(),
  deletedMs: store.deletedMs,
  guesses: store.guesses,
})

/** A stream of all kinds leaves out what the table of rights refuses. */
const isStreamed = (narrowing: Narrowing | undefined, { kind }: KubeObject): boolean => {
  if (narrowing === undefined) return true
  const kept: Readonly<Record<string, readonly string[]>> = keptRights(narrowing)
  return kept[requireKind(kind).plural]?.includes('watch') === true
}

const createCallerStore = (store: Store, { narrowingIn, mayReadLogs }: Rights): CallerStore => {
  const narrowingOf = ({ metadata: { namespace = '' } }: Pick<KubeObject, 'metadata'>) =>
    narrowingIn(namespace)
  const shown = (
    object: KubeObject,
    finder = (): Lookup => finderIn(store.state),
  ): KubeObject | undefined => {
    const narrowing = narrowingOf(object)
    const readsLogs = mayReadLogs(object.metadata.namespace ?? '')
    const told = withOwnDigests(store.state, readsLogs ? object : withoutLogs(object))
    return narrowing === undefined ? told : shownIn(narrowing, told, finder())
  }
  /** Where it counted then: the names that say so may be others' by now. */
  const shownAt = (version: number) => (object: KubeObject) =>
    shown(object, () => store.finderAt(version))
  const row = <R extends StoredObject>(stored: R, as = shown): R[] => {
    const whole = stored.object
    const object = as(whole)
    if (object === undefined) return []
    return [object === whole ? stored : { ...stored, object, text: JSON.stringify(object) }]
  }
  const told = (event: ChangeEvent): ChangeEvent[] =>
    isStreamed(narrowingOf(event.object), event.object) ? toldOf(event, shownAt) : []
  return {
    get: async (ref) => {
      const found = await store.get(ref)
      const object = found && shown(found)
      return object && ofKind(ref.kind, object)
    },
    getStored: async (ref) => {
      const found = await store.getStored(ref)
      return found && row(found)[0]
    },
    getByUid: async (kind, uid) => {
      const found = await store.getByUid(kind, uid)
      return found && shown(found)
    },
    list: async (kind, options) => {
      const { items, resourceVersion } = await store.list(kind, options)
      const seen = items.flatMap((item) => shown(item) ?? [])
      return { items: seen.map((item) => ofKind(kind, item)), resourceVersion }
    },
    listRows: async (kind, options) =>
      (await store.listRows(kind, options)).flatMap((stored) => row(stored)),
    listPage: async (kind, { limit, ...options }) => {
      const { namespace } = options
      const isWhole = namespace !== undefined && narrowingIn(namespace) === undefined
      if (isWhole || narrowingIn === everywhere) {
        const whole = await store.listPage(kind, { ...options, limit })
        return { ...whole, items: whole.items.flatMap((stored) => row(stored)) }
      }
      const page = await store.listPage(kind, { ...options, limit: Number.MAX_SAFE_INTEGER })
      const as = options.at === undefined ? shown : shownAt(options.at)
      const all = page.items.flatMap((stored) => row(stored, as))
      const items = all.slice(0, limit)
      return { ...page, items, remaining: all.length - items.length }
    },
    namedProjects: async () =>
      (await store.namedProjects()).filter(({ namespace, name }) => {
        const narrowing = narrowingIn(namespace)
        return narrowing === undefined || holdsProject(narrowing, name)
      }),
    projectSummary: async (project, most) => {
      const narrowing = narrowingIn(project.namespace)
      const whole = await store.projectSummary(project, most)
      if (narrowing === undefined) return whole
      const { stagelets, withKey, ...summary } = whole
      return {
        ...summary,
        stagelets: stagelets.flatMap((stagelet) => shown(stagelet) ?? []),
        withKey: isBelowProject(narrowing) ? () => [] : withKey,
      }
    },
    ...historyOf(store, narrowingIn),
    ...unnarrowed(store),
    async *watch(after, signal, scope) {
      for await (const batch of store.watch(after, signal, scope)) yield batch.flatMap(told)
    },
  }
}

const stores = new WeakMap<Store, WeakMap<Rights, CallerStore>>()

/** The same one for the same rights: a login asks many times. */
export const callerStore = (store: Store, rights: Rights): CallerStore =>
  keptFor(
    keptFor(stores, store, () => new WeakMap()),
    rights,
    () => createCallerStore(store, rights),
  )

/** The objects differ in their versions alone. */
const isSameBeside = (a: KubeObject, b: KubeObject): boolean =>
  sameJson(a, b, ['metadata']) && sameJson(a.metadata, b.metadata, ['resourceVersion'])

/**
 * As for a selector: what comes into view is added, and what leaves it is deleted. A change of nothing that is in view is
 * not told.
 */
const toldOf = (
  event: ChangeEvent,
  shownAt: (version: number) => (object: KubeObject) => KubeObject | undefined,
): ChangeEvent[] => {
  const { previous, object, type, resourceVersion } = event
  const now = shownAt(resourceVersion)(object)
  const before = previous === undefined ? undefined : shownAt(resourceVersion - 1)(previous)
  const isChange = type === 'MODIFIED' && previous !== undefined
  if (now === object && (!isChange || before === previous)) return [event]
  if (isChange && now && before && isSameBeside(now, before)) return []
  const as = (kind: ChangeEvent['type'], told: KubeObject): ChangeEvent[] => [
    { resourceVersion, type: kind, object: told, text: JSON.stringify(told), previous: before },
  ]
  if (now !== undefined) return as(isChange && before === undefined ? 'ADDED' : type, now)
  if (!isChange || before === undefined) return []
  const metadata = { ...before.metadata, resourceVersion: String(resourceVersion) }
  return as('DELETED', { ...before, metadata })
}
