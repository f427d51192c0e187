// Who sees a secret: its place, and each question that is asked of places. Nobody else compares scopes, stagelets of
// secrets, or their environments. Pure: the dashboard and the command ask it too.
import { defined } from '../kernel/defined.ts'
import { sameJson } from '../kernel/same-json.ts'
import type { SecretSpec } from '../kinds/secret/schema.ts'
import { environmentOf, type Layout } from './layout.ts'

/** The scope of what every service sees. As the name of a service: any one that no secret is for. */
export const everyService = 'global'

/** Where a secret is, as a set holds it. */
export interface SecretPlace {
  /** `everyService`, or the one service that sees it. */
  readonly scope: string
  /** Set: only this stagelet sees it. */
  readonly stagelet?: string | undefined
  /** Set: only stagelets of these environments see it, sorted. Never together with `stagelet`. */
  readonly environments?: readonly string[] | undefined
}

type Scoped = Pick<SecretPlace, 'scope'>
type Viewers = Omit<SecretPlace, 'scope'>
type SpecViewers = Pick<SecretSpec, 'audience' | 'stageletRef' | 'environments'>

/** Who sees secrets: a stagelet with its environment, or any other stagelet of an environment; undefined: of none. */
export type Viewer = string | { readonly environment: string } | undefined

/** The stagelet of a viewer, whose own secrets it sees. */
export const stageletOf = (viewer: Viewer): string | undefined =>
  typeof viewer === 'string' ? viewer : undefined

export const environmentFor = (viewer: Viewer, layout: Layout): string | undefined =>
  typeof viewer === 'object' ? viewer.environment : environmentOf(layout, viewer)

/** For a message: ` (in stagelet "web")`. */
export const viewerText = (viewer: Viewer): string => {
  if (viewer === undefined) return ''
  return typeof viewer === 'string'
    ? ` (in stagelet "${viewer}")`
    : ` (in environment "${viewer.environment}")`
}

/**
 * In a set, a secret for the controller alone is that of a stagelet that cannot exist. So whatever asks
 * which stagelet sees a secret leaves it out: agents, digests, references, and releases before this field.
 */
const nobody = '@controller'

export const isForController = ({ stagelet }: Viewers): boolean => stagelet === nobody

/** Every service of its stagelets sees it. */
export const isForAll = ({ scope }: Scoped): boolean => scope === everyService

export const isForService = ({ scope }: Scoped, service: string): boolean =>
  scope === everyService || scope === service

/** The name under which a service sees its secrets among these: all that no secret is for see the same, whatever their names. */
export const createScopeNames = (places: Iterable<Scoped>): ((service: string) => string) => {
  const scopes = new Set(Array.from(places, ({ scope }) => scope))
  return (service) => (scopes.has(service) ? service : everyService)
}

/** Of secrets that the environment of the stagelet sees. Undefined: a stagelet without secrets of its own. */
export const isForStagelet = ({ stagelet }: Viewers, viewer: string | undefined): boolean =>
  stagelet === undefined || stagelet === viewer

/** Whether an environment sees a secret, or the one stagelet of the secret may be in it. Undefined: outside of all. */
export const isInEnvironment = (
  { environments, stagelet }: Viewers,
  environment: string | undefined,
  { isolated }: Pick<Layout, 'isolated'>,
): boolean => {
  if (stagelet !== undefined) return true
  if (environments !== undefined)
    return environment !== undefined && environments.includes(environment)
  return environment === undefined || !isolated.includes(environment)
}

/** Whether some service of the viewer may see the secret. */
export const reaches = (place: Viewers, viewer: Viewer, layout: Layout): boolean =>
  isForStagelet(place, stageletOf(viewer)) &&
  isInEnvironment(place, environmentFor(viewer, layout), layout)

/** A service of a stagelet, or of any other viewer. */
export interface ServiceViewer<V extends Viewer = string> {
  readonly stagelet: V
  readonly service: string
}

/** Whether a service sees a secret. Another one of its key may win: see `visibleTo`. */
export const sees = (
  place: SecretPlace,
  { stagelet, service }: ServiceViewer<Viewer>,
  layout: Layout,
): boolean => isForService(place, service) && reaches(place, stagelet, layout)

/** An environment of both. */
export const sharedEnvironment = (a: Viewers, b: Viewers): string | undefined =>
  a.environments?.find((name) => b.environments?.includes(name))

/** They are of environments, and share none. */
const areApart = (a: Viewers, b: Viewers): boolean =>
  a.environments !== undefined &&
  b.environments !== undefined &&
  sharedEnvironment(a, b) === undefined

const sharesServices = (a: Scoped, b: Scoped): boolean => isForService(a, b.scope) || isForAll(b)

/** One service of one stagelet may see both, in some layout. */
export const overlaps = (a: SecretPlace, b: SecretPlace): boolean =>
  sharesServices(a, b) &&
  (a.stagelet === undefined || isForStagelet(b, a.stagelet)) &&
  !areApart(a, b)

export const isSamePlace = (a: SecretPlace, b: SecretPlace): boolean =>
  a.scope === b.scope && a.stagelet === b.stagelet && sameJson(a.environments, b.environments)

/** Of two secrets of a key neither would win. */
export const collide = (a: SecretPlace, b: SecretPlace): boolean =>
  a.scope === b.scope &&
  a.stagelet === b.stagelet &&
  (a.environments === undefined) === (b.environments === undefined) &&
  !areApart(a, b)

/** Every stagelet of `b` is one of `a`. Which stagelets an environment has is not asked: it may get others. */
export const hasStageletsOf = (a: Viewers, b: Viewers): boolean => {
  if (a.stagelet !== undefined) return a.stagelet === b.stagelet
  return (
    a.environments === undefined ||
    (b.environments ?? ['']).every((name) => a.environments!.includes(name))
  )
}

/** Whoever sees `b` sees `a`, where environments inherit. */
export const covers = (a: SecretPlace, b: SecretPlace): boolean =>
  isForService(a, b.scope) && hasStageletsOf(a, b)

const isWiderThan = (a: SecretPlace, b: SecretPlace): boolean =>
  !areApart(a, b) &&
  ((isForAll(a) && !isForAll(b)) ||
    (a.stagelet === undefined && !hasStageletsOf(b, a) && sharesServices(a, b)))

/**
 * The places of a key beyond which `place` goes: all services in place of one, or more stagelets.
 * None where the key was in so wide a place before.
 */
export const narrowerPlaces = <P extends SecretPlace>(
  before: readonly P[],
  place: SecretPlace,
): P[] => {
  if (isForController(place)) return []
  const forServices = before.filter((other) => !isForController(other))
  if (forServices.some((other) => covers(other, place))) return []
  return forServices.filter((other) => isWiderThan(place, other))
}

const textOf = ({ scope, stagelet, environments }: SecretPlace): string =>
  (isForAll({ scope }) ? 'all services' : `service ${scope}`) +
  (stagelet === undefined ? '' : ` of stagelet ${stagelet}`) +
  (environments === undefined ? '' : ` in ${environments.join(' and ')}`)

/** `service api, service web of stagelet prod` */
export const placesText = (places: readonly SecretPlace[]): string =>
  [...new Set(places.map(textOf))].sort().join(', ')

/** The stagelet of an entry, as a spec says it. */
export const stageletIn = ({ audience, stageletRef }: SpecViewers): string | undefined =>
  audience === 'Controller' ? nobody : stageletRef?.name

/** The environments of an entry, as a spec says them: their order means nothing. */
export const environmentsIn = ({ environments }: SpecViewers): readonly string[] | undefined =>
  environments && [...environments].sort()

/** Who sees an entry, besides its scope, as a spec says it. */
export const viewersIn = (
  spec: SpecViewers,
): { stagelet?: string; environments?: readonly string[] } =>
  defined({ stagelet: stageletIn(spec), environments: environmentsIn(spec) })

export const secretPlaceOf = (spec: SpecViewers & Scoped) => ({
  scope: spec.scope,
  ...viewersIn(spec),
})

/** Of a secret for the controller alone it is the place where services would see it. */
export const namedPlaceOf = ({ audience: _, ...spec }: SpecViewers & Scoped) => secretPlaceOf(spec)

/** The place alone, of whatever has one. */
export const placeAlone = ({ scope, stagelet, environments }: SecretPlace) => ({
  scope,
  ...defined({ stagelet, environments }),
})

/** The fields of a spec that say who sees an entry, besides its scope. */
export const audienceOf = (entry: Viewers): SpecViewers => {
  if (isForController(entry)) return { audience: 'Controller' }
  if (entry.environments !== undefined) return { environments: [...entry.environments] }
  return entry.stagelet === undefined ? {} : { stageletRef: { name: entry.stagelet } }
}

/** Who sees an entry, besides its scope: for people. */
export const shownAudience = (
  entry: Viewers,
): { stagelet?: string; environments?: readonly string[]; audience?: 'Controller' } => {
  const { audience, environments, stageletRef } = audienceOf(entry)
  if (audience === 'Controller') return { audience }
  return defined({ environments, stagelet: stageletRef?.name })
}
