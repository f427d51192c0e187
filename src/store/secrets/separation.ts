// An environment that has to differ from others (`differsFrom`), judged at the end of a write. A value that the write makes
// equal is refused. What was equal before is a condition of the Project. See ADR 0080.
import { randomUUID } from 'node:crypto'
import { StagelyError } from '../../kernel/errors.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { withCondition, type NewCondition } from '../../resources/conditions.ts'
import { keyOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { separatedCondition } from '../../kinds/shared/environment.ts'
import { environmentsOf } from '../../secrets/project-environments.ts'
import { resourceNameOf } from '../../resources/kind-names.ts'
import { requireKind } from '../../kinds/index.ts'
import { statusOf } from '../../kinds/typed.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import { heldIn, sameValues, type HeldValue, type SameValue } from '../../secrets/separation.ts'
import type { SeparationRule } from '../../secrets/separation.ts'
import { payerOf, rightsOf, type Actor } from '../core/actor.ts'
import { refOfEntry, type ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { finderIn, sees } from '../places/places.ts'
import { fingerprintsFor, keepFingerprints, type Fingerprints } from './fingerprints.ts'
import { isSurelyDifferent, noteDifferent } from './last-separation.ts'
import { spendJudged } from './guesses-of-values.ts'
import { loadProject, setIn } from './projects.ts'

interface Compared {
  readonly same: readonly SameValue[]
  readonly fingerprints: Fingerprints
}

const namesIn = (rules: readonly SeparationRule[]): string[] => [
  ...new Set(rules.flatMap(({ name, differsFrom }) => [name, ...differsFrom])),
]

const rulesOf = (project: KubeObject | undefined): SeparationRule[] =>
  environmentsOf(project).flatMap(({ differsFrom, ...rule }) =>
    differsFrom === undefined ? [] : [{ ...rule, differsFrom }],
  )

const compare = async (
  session: WriteSession,
  project: ProjectState,
  { rules, set }: { readonly rules: readonly SeparationRule[]; readonly set: LaidOut },
): Promise<Compared> => {
  const held = new Map(namesIn(rules).map((name) => [name, heldIn(set, name)]))
  const fingerprints = await fingerprintsFor(session, project, [...held.values()].flat())
  const same = sameValues(
    rules,
    (name) => held.get(name) ?? [],
    ({ digest }) => fingerprints.get(digest),
  )
  return { same, fingerprints }
}

/** The value of `here` is the same before and after a write. */
const idOf = ({ environment, from, here }: SameValue): string =>
  JSON.stringify([environment, from, here.entry.secretId, here.viewer, here.digest])

const placeText = (environment: string, { entry: { name, key } }: HeldValue): string =>
  `secret "${name}" (${key}) in environment "${environment}"`

/** The secret is not named to a token that does not see it. */
const thereText = (
  { actor, view }: WriteSession,
  { ref }: ProjectState,
  { from, there }: SameValue,
): string => {
  const find = finderIn(view)
  const narrowing = rightsOf(actor).narrowingIn(ref.namespace)
  const secret = find(refOfEntry({ ref }, there.entry))
  const isHidden =
    narrowing !== undefined && (secret === undefined || !sees(narrowing, secret, find))
  return isHidden ? `a secret in environment "${from}"` : placeText(from, there)
}

const refusal = (
  session: WriteSession,
  project: ProjectState,
  { same, about }: { readonly same: SameValue; readonly about: ObjectRef },
): StagelyError => {
  const kind = requireKind(about.kind)
  const { namespace, name } = about
  return new StagelyError(
    'SameAsProduction',
    `${resourceNameOf(kind)} "${name}" is refused: ${placeText(same.environment, same.here)} would have the value of ${thereText(session, project, same)}, and has to differ from it (differsFrom); give it a value of its own, or name the key in allowEqual of environment "${same.environment}" of project "${project.ref.name}"`,
    {
      kind: kind.plural,
      group: kind.group,
      name,
      namespace,
      denied: { why: 'SameAsProduction', namespace },
    },
  )
}

const mostRefused = 20

const refusedBy = (actor: Actor): string => `same ${payerOf(actor)}`

/** Counts a refusal, so that nobody finds a value by guesses. */
export const noteSameValue = ({ deps, actor }: WriteSession): void => {
  if (actor.id !== undefined) deps.guesses.note(refusedBy(actor), randomUUID())
}

/** The object of the write that makes the values equal. */
const causeOf = (
  { here, there }: SameValue,
  project: ProjectState,
  { secretChanges, layoutChanges }: WriteSession,
): ObjectRef => {
  const parts = [here.entry, there.entry, ...here.parts, ...there.parts]
  const written = parts.find(({ secretId }) =>
    secretChanges.some(({ entry }) => entry.secretId === secretId),
  )
  const moved = layoutChanges.find((change) => change.project === project)
  return written === undefined && moved !== undefined
    ? moved.ref
    : refOfEntry(project, written ?? here.entry)
}

const mostNamed = 10

const verdictOf = (same: readonly SameValue[]): Omit<NewCondition, 'type'> => {
  if (same.length === 0)
    return {
      status: 'True',
      reason: 'Different',
      message: 'no environment has a value of one that it has to differ from',
    }
  const shown = same
    .slice(0, mostNamed)
    .map(
      ({ environment, from, here, there }) =>
        `${placeText(environment, here)} has the value of ${placeText(from, there)}`,
    )
  const more = same.length > mostNamed ? `; and ${same.length - mostNamed} more` : ''
  return {
    status: 'False',
    reason: 'SameValues',
    message: `${shown.join('; ')}${more}: give these values of their own, or name their keys in allowEqual`,
  }
}

/** `verdict` undefined: no environment has to differ. */
const setVerdict = (
  session: WriteSession,
  row: StoredRow,
  verdict: Omit<NewCondition, 'type'> | undefined,
): void => {
  const before = statusOf('Project', row.object).conditions ?? []
  const observedGeneration = row.object.metadata.generation ?? 1
  const conditions =
    verdict === undefined
      ? before.filter(({ type }) => type !== separatedCondition)
      : withCondition(
          before,
          { type: separatedCondition, ...verdict, observedGeneration },
          session.now,
        )
  const isSame =
    conditions.length === before.length && conditions.every((next, at) => next === before[at])
  if (isSame) return
  const status = { ...row.object.status, conditions }
  session.put(withStatusOwner({ ...row.object, status }, row.object, session.now), row.source, row)
}

const judge = async (session: WriteSession, project: ProjectState): Promise<void> => {
  const row = session.fetch(project.ref)
  if (row === undefined) return
  const rules = rulesOf(row.object)
  if (rules.length === 0) {
    setVerdict(session, row, undefined)
    return
  }
  const { actor, deps } = session
  const changes = [...session.secretChanges, ...session.layoutChanges].some(
    (change) => change.project === project,
  )
  if (changes && actor.id !== undefined)
    deps.guesses.check(refusedBy(actor), {
      most: mostRefused,
      why: `${mostRefused} of your writes were refused for values that another environment has`,
    })
  const earlier = session.earlier.objects.get(keyOf(project.ref))?.object
  spendJudged(session, project, { now: namesIn(rules), before: namesIn(rulesOf(earlier)) })
  if (await isSurelyDifferent(session, project, rules)) return
  const { layout } = project
  const set = { ...setIn(session.view, project), layout }
  const { same, fingerprints } = await compare(session, project, { rules, set })
  keepFingerprints(project, fingerprints)
  if (same.length > 0 && changes) {
    const before = await compare(session, project, { rules, set: setIn(session.earlier, project) })
    const ids = new Set(before.same.map(idOf))
    const fresh = same.find((value) => !ids.has(idOf(value)))
    if (fresh !== undefined) {
      const about = causeOf(fresh, project, session)
      throw refusal(session, project, { same: fresh, about })
    }
  }
  setVerdict(session, row, verdictOf(same))
  if (same.length === 0) noteDifferent(session, project, { rules, fingerprints })
}

/** At the end of a write: its order does not matter, only its result. */
export const checkSeparation = async (session: WriteSession): Promise<void> => {
  const judged = new Set(
    [...session.secretChanges, ...session.layoutChanges, ...session.templates].map(
      ({ project }) => project,
    ),
  )
  for (const { ref } of session.environmentUses.values()) {
    if (ref.kind !== 'Project' || session.fetch(ref) === undefined) continue
    const project = await loadProject(session, ref)
    if (project !== undefined) judged.add(project)
  }
  const living = new Set(session.loaded.values())
  for (const project of judged) if (living.has(project)) await judge(session, project)
}
