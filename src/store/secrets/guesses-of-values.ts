// Whoever may write a secret, and may not read it, could find its value by guesses: a dry run says that an equal value
// changes nothing, and value classes say which secrets of a key are equal. So these answers are few. See ADR 0080.
import type { KubeObject } from '../../resources/meta.ts'
import { keyOf } from '../../resources/meta.ts'
import { specOf } from '../../resources/typed.ts'
import { environmentsIn, heldIn, rulesOf, type HeldValue } from '../../secrets/separation.ts'
import type { ProjectEntry, SetEntry } from '../../secrets/set-entry.ts'
import { rightsOf, type Actor } from '../core/actor.ts'
import { dayMs, type Guesses } from '../core/guesses.ts'
import { refOfEntry, type ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { mayLearnAll, mayReadEverywhere, type ValueOrigin } from './disclosure.ts'
import { setIn } from './projects.ts'

const mostOfSecret = 20
const mostOfKey = 20
/** Finished values, in environments that have to differ. */
const mostJudged = 1_000
/** A generated part of so many bytes is nothing that somebody tries. */
const strongBytes = 16

interface Given {
  readonly key: string
  readonly digest: string
  /** The value until then. */
  readonly before: ProjectEntry | undefined
  readonly origin: ValueOrigin
  readonly isStored: boolean
}

const ofClasses = (login: string, projectUid: string, key: string): string =>
  `classes ${login} ${projectUid} ${key}`

const noteDry = (
  { deps: { guesses } }: WriteSession,
  { login, before, digest, isStored }: Given & { readonly login: string },
): void => {
  if (before === undefined) return
  const counted = `secret ${login} ${before.secretId}`
  const why = `dry runs have given secret "${before.name}" ${mostOfSecret} different values`
  guesses.check(counted, { most: mostOfSecret, why, guess: digest })
  // That the value is the stored one is no wrong guess: a manifest repeats it.
  if (!isStored) guesses.note(counted, digest)
}

/** TooManyRequests after too many different values. Called before the answer can tell that the value is the stored one. */
export const noteGivenValue = (
  session: WriteSession,
  project: ProjectState,
  given: Given,
): void => {
  const { actor, deps, isDry } = session
  const { id: login } = actor
  const isGiven = given.origin !== 'elsewhere'
  if (!isGiven || login === undefined || mayLearnAll(session, project.ref)) return
  if (isDry) noteDry(session, { ...given, login })
  else if (!given.isStored)
    deps.guesses.note(ofClasses(login, project.uid, given.key), given.digest)
}

/** The values that each environment of `names` has by the write and had not before it. */
const newlyHeld = (
  session: WriteSession,
  project: ProjectState,
  names: readonly string[],
): HeldValue[] => {
  const before = setIn(session.earlier, project)
  const judged = new Set(
    environmentsIn(rulesOf(session.earlier.objects.get(keyOf(project.ref))?.object)),
  )
  const now = { ...setIn(session.view, project), layout: project.layout }
  return names.flatMap((name) => {
    // Of this environment alone: what another one has is what is guessed. With a new rule all of it is judged.
    const had = new Set((judged.has(name) ? heldIn(before, name) : []).map(({ digest }) => digest))
    return heldIn(now, name).filter(({ digest }) => !had.has(digest))
  })
}

/**
 * That a write is taken tells that none of its values is one of the other environment. So a login that may not read all of
 * the project gives its environments few new values in a day, whatever brings them. TooManyRequests for more.
 */
export const spendJudged = (
  session: WriteSession,
  project: ProjectState,
  names: readonly string[],
): void => {
  const { actor, deps } = session
  if (actor.id === undefined || mayReadEverywhere(session, project.ref)) return
  // An older secret may have gone back to a value that somebody gave it.
  const isDrawn = ({ secretId, name, bytes }: SetEntry): boolean => {
    const secret = session.fetch(refOfEntry(project, { name }))?.object
    const generate = secret && specOf('StagelySecret', secret).valueFrom?.generate
    return generate !== undefined && bytes >= strongBytes && session.newSecrets.has(secretId)
  }
  const tried = newlyHeld(session, project, names).filter(({ parts }) => !parts.some(isDrawn))
  const why = `you have given environments that have to differ (differsFrom) ${mostJudged} new values`
  const limit = { most: mostJudged, why, withinMs: dayMs } as const
  deps.guesses.spend(
    `judged ${actor.id} ${project.uid}`,
    tried.map(({ digest }) => digest),
    limit,
  )
}

/** TooManyRequests where the actor has written many different values of one of the keys. */
export const checkClasses = (
  guesses: Guesses,
  { id: login, authority }: Pick<Actor, 'id' | 'authority'>,
  { project, keys }: { readonly project: KubeObject; readonly keys: Iterable<string> },
): void => {
  const { uid = '', namespace = '' } = project.metadata
  if (login === undefined || rightsOf({ authority }).mayReadValues(namespace)) return
  for (const key of keys) {
    const why = `you have written ${mostOfKey} different values of ${key}`
    guesses.check(ofClasses(login, uid, key), { most: mostOfKey, why })
  }
}
