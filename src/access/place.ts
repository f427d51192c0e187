// Where rights count below a team, and where objects count. Pure: the store finds out where an object is.
import { defined } from '../kernel/defined.ts'
import { sameJson } from '../kernel/same-json.ts'
import { commonFolders } from './folders.ts'

/** Below its team, a token or a membership counts only here. An absent list: everywhere. */
export interface Narrowing {
  readonly projects?: readonly string[] | undefined
  readonly environments?: readonly string[] | undefined
  readonly stagelets?: readonly string[] | undefined
  /** Stagelets that it makes or moves lie below these folders of their machines. */
  readonly folders?: readonly string[] | undefined
}

export const narrowingKeys = ['projects', 'environments', 'stagelets', 'folders'] as const

/** Where rights count, by team; undefined: in the whole team. */
export type NarrowingIn = (namespace: string) => Narrowing | undefined

/** Of whom nothing narrows. */
export const everywhere: NarrowingIn = () => undefined

type Names = readonly string[] | undefined

const merged = (
  a: Narrowing,
  b: Narrowing,
  merge: (a: Names, b: Names, key: (typeof narrowingKeys)[number]) => Names,
): Narrowing =>
  defined(Object.fromEntries(narrowingKeys.map((key) => [key, merge(a[key], b[key], key)])))

/** Where both count. */
export const meet = (a: Narrowing | undefined, b: Narrowing | undefined): Narrowing | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  return merged(a, b, (ours, theirs, key) => {
    if (ours === undefined || theirs === undefined) return ours ?? theirs
    if (key === 'folders') return commonFolders(ours, theirs)
    return ours.filter((name) => theirs.includes(name))
  })
}

/**
 * Where one of both counts, as far as lists can say that: where more than one list differs, they would say more, and
 * `a` alone counts.
 */
export const join = (a: Narrowing | undefined, b: Narrowing | undefined): Narrowing | undefined => {
  if (a === undefined || b === undefined) return undefined
  if (narrowingKeys.filter((key) => !sameJson(a[key], b[key])).length > 1) return a
  return merged(a, b, (ours, theirs) => ours && theirs && [...new Set([...ours, ...theirs])])
}

/** Where an object counts. */
export interface Place {
  readonly project: string
  /** The environments in which it counts. */
  readonly environments: readonly string[]
  /** True: it counts outside of these environments too. */
  readonly isWider: boolean
  /** The one stagelet in which it counts. */
  readonly stagelet?: string | undefined
  /** It is for the controller alone: no stagelet of any environment gets it. */
  readonly isForController?: boolean
}

/** True where a part of a project is hidden, so that what tells of a whole project tells too much. */
export const isBelowProject = ({ environments, stagelets }: Narrowing): boolean =>
  environments !== undefined || stagelets !== undefined

const holds = (names: readonly string[] | undefined, name: string | undefined): boolean =>
  names === undefined || (name !== undefined && names.includes(name))

export const holdsProject = ({ projects }: Narrowing, project: string): boolean =>
  holds(projects, project)

/** The object counts somewhere within: its name and status may be read. */
export const touches = (narrowing: Narrowing, place: Place): boolean => {
  const { environments } = narrowing
  return (
    holdsProject(narrowing, place.project) &&
    holds(narrowing.stagelets, place.stagelet) &&
    (environments === undefined ||
      (place.isForController !== true &&
        place.environments.some((name) => environments.includes(name))))
  )
}

/** The object counts nowhere else: it may be written. */
export const isWithin = (narrowing: Narrowing, place: Place): boolean => {
  const { environments } = narrowing
  return (
    touches(narrowing, place) &&
    (environments === undefined ||
      (!place.isWider && place.environments.every((name) => environments.includes(name))))
  )
}

/** `project shop, environment preview`. */
export const narrowingText = (narrowing: Narrowing): string =>
  narrowingKeys
    .flatMap((key) => {
      const names = narrowing[key]
      if (names === undefined) return []
      return [
        names.length === 0 ? `no ${key.slice(0, -1)}` : `${key.slice(0, -1)} ${names.join(', ')}`,
      ]
    })
    .join('; ')
