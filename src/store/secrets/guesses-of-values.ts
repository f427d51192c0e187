// Whoever may write a secret, and may not read it, could find its value by guesses: a dry run says that an equal value
// changes nothing, and value classes say which secrets of a key are equal. So these answers are few. See ADR 0080.
import type { KubeObject } from '../../resources/meta.ts'
import { environmentsOf } from '../../resources/project-environments.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { Actor } from '../core/actor.ts'
import type { Guesses } from '../core/guesses.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { mayLearnAll, type ValueOrigin } from './disclosure.ts'

const mostOfSecret = 20
const mostOfKey = 20
/** New secrets, in a project whose environments have to differ. */
const mostNew = 1_000

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
  { deps: { guesses }, view }: WriteSession,
  project: ProjectState,
  { login, before, digest, isStored }: Given & { readonly login: string },
): void => {
  if (before !== undefined) {
    const counted = `secret ${login} ${before.secretId}`
    const why = `dry runs have given secret "${before.name}" ${mostOfSecret} different values`
    guesses.check(counted, { most: mostOfSecret, why, guess: digest })
    // That the value is the stored one is no wrong guess: a manifest repeats it.
    if (!isStored) guesses.note(counted, digest)
    return
  }
  const owner = view.objects.get(`Project/${project.ref.namespace}/${project.ref.name}`)
  const isJudged = environmentsOf(owner?.object).some(
    ({ differsFrom }) => differsFrom !== undefined,
  )
  if (!isJudged) return
  const counted = `project ${login} ${project.uid}`
  const why = `dry runs have given new secrets ${mostNew} different values`
  guesses.check(counted, { most: mostNew, why, guess: digest })
  guesses.note(counted, digest)
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
  if (isDry) noteDry(session, project, { ...given, login })
  else if (!given.isStored)
    deps.guesses.note(ofClasses(login, project.uid, given.key), given.digest)
}

/** TooManyRequests where the actor has written many different values of one of the keys. */
export const checkClasses = (
  guesses: Guesses,
  { id: login, mayReadValues }: Pick<Actor, 'id' | 'mayReadValues'>,
  { project, keys }: { readonly project: KubeObject; readonly keys: Iterable<string> },
): void => {
  const { uid = '', namespace = '' } = project.metadata
  if (login === undefined || mayReadValues?.(namespace) !== false) return
  for (const key of keys) {
    const why = `you have written ${mostOfKey} different values of ${key}`
    guesses.check(ofClasses(login, uid, key), { most: mostOfKey, why })
  }
}
