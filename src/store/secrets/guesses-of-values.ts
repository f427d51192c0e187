// Whoever may write a secret, and may not read it, could find its value by guesses: a dry run says that an equal value
// changes nothing, and value classes say which secrets of a key are equal. So these answers are few. See ADR 0080.
import type { ObjectRef } from '../../resources/meta.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import { heldIn, type HeldValue } from '../../secrets/separation.ts'
import type { ProjectEntry, SetEntry } from '../../secrets/set-entry.ts'
import { payerOf } from '../core/actor.ts'
import { dayMs } from '../core/guesses.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { mayLearnAll, mayReadEverywhere, type ValueOrigin } from './disclosure.ts'
import { changesOthers } from './last-separation.ts'
import { setIn } from './projects.ts'

const mostOfSecret = 20
const mostOfKey = 20
/** Finished values, in environments that have to differ. */
const mostJudged = 1_000
/** A part of so many bytes that the write itself draws is nothing that somebody tries: nobody can have read it. */
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
  const login = payerOf(actor)
  if (given.origin === 'elsewhere' || login === undefined) return
  if (isDry) {
    if (!mayLearnAll(session, project.ref)) noteDry(session, { ...given, login })
  } else if (!given.isStored && !mayReadEverywhere(session, project.ref))
    deps.guesses.note(ofClasses(login, project.uid, given.key), given.digest)
}

/** The names of environments that are judged. */
interface Judged {
  readonly now: readonly string[]
  readonly before: readonly string[]
}

/** Another secret with a value that is there already is a guess too: of that value. */
const idOfHeld = ({ entry, digest }: HeldValue): string => `${entry.secretId} ${digest}`

/** The values that are judged by the write and were not before it. */
const newlyJudged = (
  session: WriteSession,
  project: ProjectState,
  { now, before }: Judged,
): HeldValue[] => {
  const changed = session.secretChanges.filter((change) => change.project === project)
  const keys = changesOthers(session, project)
    ? undefined
    : new Set(changed.map(({ entry }) => entry.key))
  // Of the keys alone that the write changes: else its cost would grow with the project.
  const heldBy = ({ entries, layout }: LaidOut, names: readonly string[]): HeldValue[] => {
    const part = entries.filter(({ key }) => keys?.has(key) !== false)
    return names.flatMap((name) => heldIn({ entries: part, layout }, name))
  }
  const known = new Set(heldBy(setIn(session.earlier, project), before).map(idOfHeld))
  const set = { ...setIn(session.view, project), layout: project.layout }
  return heldBy(set, now).filter((held) => !known.has(idOfHeld(held)))
}

/**
 * That a write is taken tells that none of its values is one of the other environment. So a login that may not read all of
 * the project gives its environments few new values in a day, whatever brings them. TooManyRequests for more.
 */
export const spendJudged = (session: WriteSession, project: ProjectState, names: Judged): void => {
  const { actor, deps } = session
  const payer = payerOf(actor)
  const isReader = actor.id !== undefined && mayReadEverywhere(session, project.ref)
  if (payer === undefined || isReader) return
  const isDrawn = ({ secretId, bytes }: SetEntry): boolean =>
    session.drawn.has(secretId) && bytes >= strongBytes
  const paid = new Set(session.completed)
  // A template is one guess when it is given: the write that completes it may be anybody's. What stagelets with parts of
  // their own make of it beside is counted here.
  const isPaid = ({ entry: { secretId } }: HeldValue): boolean => paid.delete(secretId)
  const tried = newlyJudged(session, project, names).filter(
    (held) => !held.parts.some(isDrawn) && !isPaid(held),
  )
  const templates = session.templates.filter((given) => given.project === project)
  deps.guesses.spend(
    `judged ${payer} ${project.uid}`,
    [...tried, ...templates].map(({ digest }) => digest),
    {
      most: mostJudged,
      why: `environments that have to differ (differsFrom) got ${mostJudged} new values`,
      or: 'let somebody write it who may read all of the project',
      withinMs: dayMs,
    },
  )
}

/** See Transaction.checkClasses. */
export const checkClasses = (
  session: WriteSession,
  project: ObjectRef,
  keys: Iterable<string>,
): void => {
  const { guesses } = session.deps
  const { uid } = session.require(project)
  const login = payerOf(session.actor)
  if (login === undefined || mayReadEverywhere(session, project)) return
  for (const key of keys) {
    const why = `you have written ${mostOfKey} different values of ${key}`
    guesses.check(ofClasses(login, uid, key), { most: mostOfKey, why })
  }
}
