// The last judgement of a project whose environments have to differ. Where a write changes the set that was judged, and only
// values in it, the new values alone are compared with all that were there: the cost of a write does not grow with the project.
import { keyOf } from '../../resources/meta.ts'
import type { KeyBytes } from '../../secrets/aead.ts'
import { reaches } from '../../secrets/place.ts'
import type { HeldValue, SeparationRule } from '../../secrets/separation.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { SetLines } from '../../secrets/set-lines.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { ProjectState, SecretChange } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { fingerprintsFor, forgetFingerprints, type Fingerprints } from './fingerprints.ts'
import { projectAt } from './projects.ts'

interface LastSeparation {
  /** They stand for the whole set: another one has other lines. */
  readonly lines: SetLines
  readonly rules: readonly SeparationRule[]
  /** Fingerprints of all values that environments of the rules have, and of some from before. */
  readonly values: Set<string>
  /** With more values the whole is judged anew, which drops those from before. */
  readonly most: number
}

const lastOf = new WeakMap<KeyBytes, LastSeparation>()

const mostAdded = 1_000

/** A whole judgement found no equal values. */
export const noteDifferent = (
  { isDry }: WriteSession,
  { digestKey, lines }: ProjectState,
  { rules, fingerprints }: { rules: readonly SeparationRule[]; fingerprints: Fingerprints },
): void => {
  if (isDry || lines === undefined) return
  const values = new Set([...fingerprints.values()].filter((value) => value !== undefined))
  lastOf.set(digestKey, { lines, rules, values, most: values.size + mostAdded })
}

/** More than one environment of the rules has the value: it may be equal to itself. */
const isShared = (
  entry: ProjectEntry,
  rules: readonly SeparationRule[],
  { layout }: ProjectState,
): boolean => {
  const names = new Set(rules.flatMap(({ name, differsFrom }) => [name, ...differsFrom]))
  const isIn = (environment: string): boolean => reaches(entry, { environment }, layout)
  return [...names].filter(isIn).length > 1
}

/** The new entries of one environment, where each has the place of the one before, or is new; undefined otherwise. */
const newValues = (
  session: WriteSession,
  project: ProjectState,
  { changes, rules }: { changes: readonly SecretChange[]; rules: readonly SeparationRule[] },
): HeldValue[] | undefined => {
  const held: HeldValue[] = []
  for (const { entry: changed } of changes) {
    const now = session.head(changed.secretId)
    const hasPlace =
      now !== undefined &&
      now.references === undefined &&
      now.scope === changed.scope &&
      now.stagelet === changed.stagelet &&
      sameJson(now.environments, changed.environments)
    if (!hasPlace || isShared(now, rules, project)) return undefined
    if (now !== changed) continue
    const { environments: _, ...entry } = now
    held.push({ entry, viewer: undefined, digest: now.valueDigest, parts: [entry] })
  }
  return held
}

/** True where a write may change what environments have of other keys than it writes: by references, moves, or rules. */
export const changesOthers = (session: WriteSession, project: ProjectState): boolean =>
  session.layoutChanges.some((change) => change.project === project) ||
  session.environmentUses.has(keyOf(project.ref)) ||
  session.view.heads.withTerm(term.referring(project.uid)).length > 0

/** False where the whole must be judged. */
export const isSurelyDifferent = async (
  session: WriteSession,
  project: ProjectState,
  rules: readonly SeparationRule[],
): Promise<boolean> => {
  const last = lastOf.get(project.digestKey)
  const before = projectAt(session.earlier, project.ref)?.lines
  const isOther = last === undefined || before !== last.lines || !sameJson(last.rules, rules)
  const { lines } = project
  if (isOther || lines === undefined || changesOthers(session, project)) return false
  const changes = session.secretChanges.filter((change) => change.project === project)
  const held = newValues(session, project, { changes, rules })
  if (held === undefined || last.values.size + held.length > last.most) return false
  const found = [...(await fingerprintsFor(session, project, held)).values()]
  const values = found.filter((value) => value !== undefined)
  const isNew = new Set(values).size === values.length && !values.some((v) => last.values.has(v))
  if (!isNew) return false
  if (session.isDry) {
    forgetFingerprints(project, held)
    return true
  }
  for (const value of values) last.values.add(value)
  lastOf.set(project.digestKey, { ...last, lines })
  return true
}
