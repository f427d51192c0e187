// References between secrets, checked at the end of a write. Where the write changes a secret that refers to others, or
// that others refer to, each reference that this concerns must still lead to a value. See ADR 0026.
import type { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { checkRendered } from '../../kinds/secret/value.ts'
import { maxFileBytes, type SecretSpec } from '../../kinds/secret/schema.ts'
import { specOf } from '../../kinds/typed.ts'
import { parseTemplate } from '../../kinds/secret/value-template.ts'
import { environmentSet } from '../../secrets/environment-set.ts'
import { BrokenReference, viewersOf } from '../../secrets/references.ts'
import { environmentOf } from '../../secrets/layout.ts'
import {
  isForController,
  isForStagelet,
  stageletOf,
  viewerText,
  type Viewer,
} from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { objectConflict, invalidObject } from '../core/errors.ts'
import { refOfEntry, type LayoutChange, type ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { toldEntry, toldObject } from '../places/places.ts'
import { openHeads } from './secret-versions.ts'
import { term } from '../state/rows.ts'
import type { OpenedEntry } from '../core/sets.ts'
import { keysNeeded, keysReached, linksOf } from './concerned.ts'
import { createPresence } from './presence.ts'
import { createFiller, tooLong } from './resolve.ts'
import { followersOf } from './followers.ts'
import { disclosureForbidden } from './disclosure.ts'
import { hiddenFrom, ruleOf, type OpenedSecret } from './hidden-formats.ts'
import type { SecretChange } from '../core/project-state.ts'

/** The references in the value; undefined where the spec does not say that it has any. Call after checkValue(). */
export const referencesOf = (
  { references }: SecretSpec,
  value: Buffer,
): readonly string[] | undefined => {
  const template = references === true ? parseTemplate(value) : undefined
  return typeof template === 'object' ? template.references : undefined
}

/** Invalid where other secrets take their value from this one: they would get the template. */
export const checkNotFollowed = (session: WriteSession, object: KubeObject): void => {
  const { projectRef } = specOf('StagelySecret', object)
  const [first] = followersOf(session, refOf(object), projectRef.name)
  if (first === undefined) return
  const message = `Forbidden: ${toldObject(session, first.object)} takes its value from this one (valueFrom.secretRef); let it refer to this one instead`
  throw invalidObject(refOf(object), [
    { field: 'spec.references', reason: 'FieldValueForbidden', message },
  ])
}

interface Problem {
  /** The secret that cannot be filled. */
  readonly entry: ProjectEntry
  readonly message: string
  readonly viewer: Viewer
  /** A reference leads nowhere, or in a circle. */
  readonly isBroken: boolean
}

/** Opens all current secrets with these keys that one of the viewers may see. */
const openWithKeys = (
  session: WriteSession,
  project: ProjectState,
  { keys, viewers }: { keys: ReadonlySet<string>; viewers: ReadonlySet<string> | undefined },
): Promise<OpenedEntry[]> => {
  const isWanted = ({ key, stagelet }: ProjectEntry): boolean =>
    keys.has(key) && (stagelet === undefined || viewers === undefined || viewers.has(stagelet))
  const entries = session.headsOf(project.uid).map(({ entry }) => entry)
  const wanted = entries.filter(isWanted).sort((a, b) => (a.name < b.name ? -1 : 1))
  return openHeads(session, project.uid, wanted)
}

/** The entries that refer to others, with their objects. */
const referringIn = (session: WriteSession, entries: readonly OpenedEntry[]): OpenedSecret[] =>
  entries.flatMap((entry) => {
    if (entry.references === undefined) return []
    const [row] = session.select(term.uid(entry.secretId))
    return row === undefined ? [] : [{ ...entry, row }]
  })

interface Checked {
  readonly referring: readonly OpenedSecret[]
  /** Referring entries whose format the writer may not learn about: it is not checked. */
  readonly hidden: ReadonlySet<OpenedSecret>
  /** Undefined stands for all that see no secret of their own, or of an environment. */
  readonly viewers: Iterable<Viewer>
  /** Uids of secrets that the write changes. */
  readonly written: ReadonlySet<string>
}

/**
 * Problems of the referring entries, for each viewer. Where a viewer has no stagelets, nobody gets a value: it is enough
 * that the references lead somewhere for another one. What a stagelet left that is gone is judged when it comes again.
 */
const findProblems = (
  session: WriteSession,
  project: ProjectState,
  entries: readonly OpenedEntry[],
  { referring, hidden, viewers, written }: Checked,
): Problem[] => {
  const problems: Problem[] = []
  const filled = new Set<string>()
  for (const viewer of viewers) {
    const set = environmentSet({ entries, layout: project.layout }, viewer)
    const entriesInSet = new Map(set.map((entry) => [entry.secretId, entry]))
    const fill = createFiller(project.uid, set, stageletOf(viewer))
    const where = viewerText(viewer)
    for (const entry of referring) {
      const inSet = entriesInSet.get(entry.secretId)
      if (inSet === undefined || !isForStagelet(inSet, stageletOf(viewer))) continue
      const add = (message: string, isBroken: boolean): void => {
        problems.push({ entry, message, viewer, isBroken })
      }
      try {
        const value = fill(inSet)
        filled.add(entry.secretId)
        const { references: _, format, ...rule } = ruleOf(entry)
        const shown = hidden.has(entry) || format === undefined ? rule : { ...rule, format }
        const faults =
          value === tooLong ? [{ message: tooLongMessage }] : checkRendered(shown, value)
        for (const fault of faults) add(`with what it refers to: ${fault.message}${where}`, false)
      } catch (error) {
        if (!(error instanceof BrokenReference)) throw error
        add(`${error.why}${where}`, true)
      }
    }
  }
  const isThere = createPresence(session, project)
  return problems.filter(({ viewer, entry: { secretId }, isBroken }) => {
    if (isThere(viewer)) return true
    const isLeft = typeof viewer === 'string' && !written.has(secretId)
    return !isLeft && !(isBroken && filled.has(secretId))
  })
}

const tooLongMessage = `Too long: may not be more than ${maxFileBytes} bytes`

const wouldBreak = (
  session: WriteSession,
  ref: ObjectRef,
  problems: readonly Problem[],
): StagelyError => {
  const texts = problems.map(
    ({ entry, message }) => `${toldEntry(session, ref, entry)} would break: ${message}`,
  )
  return objectConflict(ref, `${texts.join('; ')}; change that first`)
}

/** A fault of the written secret; a Conflict where the write would break another secret. */
const refuse = (
  session: WriteSession,
  project: ProjectState,
  problems: readonly Problem[],
  written: readonly ProjectEntry[],
): StagelyError => {
  const own = problems.find(({ entry }) => written.some((w) => w.secretId === entry.secretId))
  if (own !== undefined) {
    const faults = problems
      .filter(({ entry }) => entry.secretId === own.entry.secretId)
      .map(({ message }) => ({
        field: 'spec.value',
        reason: 'FieldValueInvalid' as const,
        message: `Invalid value: ${message}`,
      }))
    return invalidObject(refOfEntry(project, own.entry), faults)
  }
  return wouldBreak(session, refOfEntry(project, written[0]!), problems)
}

const refuseHidden = (
  session: WriteSession,
  project: ProjectState,
  hidden: Iterable<OpenedSecret>,
  written: readonly ProjectEntry[],
): StagelyError | undefined => {
  const all = [...hidden]
  const own = all.find((entry) => written.some((w) => w.secretId === entry.secretId))
  if (own !== undefined) return disclosureForbidden(refOfEntry(project, own), 'its format')
  const [first] = all
  if (first === undefined) return undefined
  return disclosureForbidden(
    refOfEntry(project, written[0]!),
    `the format of ${toldEntry(session, project.ref, first)}`,
  )
}

const checkProject = async (
  session: WriteSession,
  project: ProjectState,
  changes: readonly SecretChange[],
): Promise<void> => {
  const links = linksOf(
    session.view.heads.withTerm(term.referring(project.uid)).map(({ entry }) => entry),
  )
  const relevant = changes.filter(
    ({ entry }) =>
      (links.targets.has(entry.key) || links.sources.has(entry.key)) && !isForController(entry),
  )
  if (relevant.length === 0) return
  const changed = relevant.map(({ entry }) => entry)
  const reachedBy = (some: readonly SecretChange[]): ReadonlySet<string> =>
    keysReached(
      some.map(({ entry }) => entry.key),
      links,
    )
  const own = changed.flatMap((entry) => entry.stagelet ?? [])
  // A secret of one stagelet changes nothing for the others.
  const viewers = own.length === changed.length ? new Set(own) : undefined
  const concerned = reachedBy(relevant)
  const keys = keysNeeded(concerned, links)
  const entries = await openWithKeys(session, project, { keys, viewers })
  const opened = referringIn(
    session,
    entries.filter(({ key }) => concerned.has(key)),
  )
  const judgedFor = viewers ?? viewersOf({ entries, layout: project.layout })
  const plain = relevant.filter(({ why }) => why === 'plain')
  const hidden = hiddenFrom(session, project, {
    opened,
    entries,
    viewers: judgedFor,
    reached: reachedBy(relevant.filter(({ why }) => why !== 'plain')),
    given: new Set(plain.map(({ entry }) => entry.secretId)),
  })
  const written = new Set(changes.map(({ entry }) => entry.secretId))
  const problems = findProblems(session, project, entries, {
    referring: opened,
    hidden,
    viewers: judgedFor,
    written,
  })
  if (problems.length > 0) throw refuse(session, project, problems, changed)
  const refusal = refuseHidden(session, project, hidden, changed)
  if (refusal !== undefined) throw refusal
  const reached = reachedBy(relevant.filter(({ why }) => why !== 'rule'))
  const stale = opened.filter((secret) => reached.has(secret.key) && !written.has(secret.secretId))
  if (stale.length > 0) session.staleReferences.push({ project, entries: stale, viewers })
}

/**
 * Conflict where a move to another environment, or one that inherits otherwise, would break a secret. Other viewers were
 * judged when the secrets were written.
 */
const checkMove = async (
  session: WriteSession,
  { project, ref, stagelets, environments }: LayoutChange,
): Promise<void> => {
  const links = linksOf(
    session.view.heads.withTerm(term.referring(project.uid)).map(({ entry }) => entry),
  )
  if (links.targets.size === 0) return
  const keys = keysNeeded(links.targets.keys(), links)
  const isTheirs = ({ environments: named, stagelet = '' }: ProjectEntry): boolean =>
    named !== undefined || stagelets.has(stagelet)
  // All others see the same, or nothing.
  if (!session.headsOf(project.uid).some(({ entry }) => keys.has(entry.key) && isTheirs(entry)))
    return
  const entries = await openWithKeys(session, project, { keys, viewers: undefined })
  const owners = new Set(entries.flatMap(({ stagelet }) => stagelet ?? []))
  const { layout } = project
  // Nothing is delivered any more to a stagelet that the write takes away.
  const moved = [...stagelets].filter(createPresence(session, project))
  const placesOf = new Set(moved.map((name) => environmentOf(layout, name)))
  const viewers = [
    ...[...new Set([...environments, ...placesOf])].map(
      (environment) => environment && { environment },
    ),
    ...moved.filter((name) => owners.has(name)),
  ]
  const referring = referringIn(session, entries)
  const given = new Set<string>()
  const hidden = hiddenFrom(session, project, {
    opened: referring,
    entries,
    viewers,
    reached: keys,
    given,
  })
  const written = new Set<string>()
  const problems = findProblems(session, project, entries, { referring, hidden, viewers, written })
  if (problems.length > 0) throw wouldBreak(session, ref, problems)
}

/** At the end of a write: its order does not matter, only its result. */
export const checkReferences = async (session: WriteSession): Promise<void> => {
  const living = new Set(session.loaded.values())
  for (const change of session.layoutChanges)
    if (living.has(change.project)) await checkMove(session, change)
  for (const project of new Set(session.secretChanges.map((change) => change.project))) {
    if (!living.has(project)) continue
    const changes = session.secretChanges.filter((change) => change.project === project)
    await checkProject(session, project, changes)
  }
}
