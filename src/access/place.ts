// Where rights count below a team, and where objects count. Pure: the store finds out where an object is.

/** Below its team, a token counts only here. An absent list: everywhere. */
export interface Narrowing {
  readonly projects?: readonly string[] | undefined
  readonly environments?: readonly string[] | undefined
  readonly stagelets?: readonly string[] | undefined
}

export const narrowingKeys = ['projects', 'environments', 'stagelets'] as const

/** Where an object counts. */
export interface Place {
  readonly project: string
  /** The environments in which it counts. */
  readonly environments: readonly string[]
  /** True: it counts outside of these environments too. */
  readonly isWider: boolean
  /** The one stagelet in which it counts. */
  readonly stagelet?: string | undefined
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
    (environments === undefined || place.environments.some((name) => environments.includes(name)))
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
      const names = narrowing[key] ?? []
      return names.length === 0 ? [] : [`${key.slice(0, -1)} ${names.join(', ')}`]
    })
    .join('; ')
