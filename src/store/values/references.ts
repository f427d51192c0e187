// References between secrets, at the end of a write that touched a key that takes part in one: what
// they lead to must be whole, and whoever gets another value by it is no longer in sync. See ADR 0026.
import type { StagelyError } from '../../kernel/errors.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { withCondition, type Condition } from '../../resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { checkRendered } from '../../resources/secret-value.ts'
import { maxFileBytes, type SecretSpec } from '../../resources/stagelysecret.ts'
import { parseTemplate } from '../../resources/value-template.ts'
import { BrokenReference, isFor, keyOfReference, viewersOf } from '../../secrets/references.ts'
import { isForController } from '../../secrets/set-entry.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { conflict, invalid } from '../errors.ts'
import type { ProjectState } from '../projects.ts'
import type { StoredRow, WriteSession } from '../session.ts'
import { openHeads } from '../secret-versions.ts'
import { resetInSync, stageletsOf } from '../stagelet-writes.ts'
import { term } from '../state/rows.ts'
import type { OpenedEntry } from '../store.ts'
import { createFiller, tooLong } from './resolve.ts'
import { followersOf } from './followers.ts'
import { disclosureForbidden, mayLearn } from './disclosure.ts'
import type { SecretChange } from './secret-change.ts'

/** What the value refers to; undefined where the secret has not opted in. Call after checkValue. */
export const referencesOf = (
  { references }: SecretSpec,
  value: Buffer,
): readonly string[] | undefined => {
  const template = references === true ? parseTemplate(value) : undefined
  return typeof template === 'object' ? template.references : undefined
}

/** Invalid where others follow the secret: they would get the template. */
export const checkNotFollowed = (session: WriteSession, object: KubeObject): void => {
  const { projectRef } = object.spec as SecretSpec
  const [first] = followersOf(session, refOf(object), projectRef.name)
  if (first === undefined) return
  const message = `Forbidden: secret "${first.object.metadata.name}" takes its value from this one (valueFrom.secretRef); let it refer to this one instead`
  throw invalid(refOf(object), [
    { field: 'spec.references', reason: 'FieldValueForbidden', message },
  ])
}

interface Problem {
  readonly entry: SetEntry
  /** As a fault of the entry itself, and as said of a secret that broke it. */
  readonly message: string
}

type Opened = OpenedEntry & { readonly row: StoredRow }

const openConcerned = (
  session: WriteSession,
  project: ProjectState,
  { keys, viewers }: { keys: ReadonlySet<string>; viewers: ReadonlySet<string> | undefined },
): Promise<OpenedEntry[]> => {
  const isConcerned = ({ key, stagelet }: SetEntry): boolean =>
    keys.has(key) && (stagelet === undefined || viewers === undefined || viewers.has(stagelet))
  const entries = session.headsOf(project.uid).map(({ entry }) => entry)
  const concerned = entries.filter(isConcerned).sort((a, b) => (a.name < b.name ? -1 : 1))
  return openHeads(session, project.uid, concerned)
}

const withRows = (session: WriteSession, entries: readonly OpenedEntry[]): Opened[] =>
  entries.flatMap((entry) => {
    if (entry.references === undefined) return []
    const [row] = session.select(term.uid(entry.secretId))
    return row === undefined ? [] : [{ ...entry, row }]
  })

interface Judged {
  readonly referring: readonly Opened[]
  /** Those of them whose format stays unchecked. */
  readonly closed: ReadonlySet<Opened>
  readonly viewers: Iterable<string | undefined>
}

const ruleOf = ({ row }: Opened): SecretSpec => row.object.spec as SecretSpec

/** What is wrong with the referring entries, for every viewer. */
const findProblems = (
  project: ProjectState,
  entries: readonly OpenedEntry[],
  { referring, closed, viewers }: Judged,
): Problem[] => {
  const problems = new Map<string, Problem>()
  const add = (entry: SetEntry, message: string): void => {
    problems.set(`${entry.secretId} ${message}`, { entry, message })
  }
  for (const viewer of viewers) {
    const fill = createFiller(project.uid, entries, viewer)
    const where = viewer === undefined ? '' : ` (in stagelet "${viewer}")`
    for (const entry of referring.filter((one) => isFor(one, viewer))) {
      try {
        const value = fill(entries.find((one) => one.secretId === entry.secretId) ?? entry)
        const { references: _, format, ...rule } = ruleOf(entry)
        const open = closed.has(entry) || format === undefined ? rule : { ...rule, format }
        const faults =
          value === tooLong ? [{ message: tooLongMessage }] : checkRendered(open, value)
        for (const fault of faults) add(entry, `with what it refers to: ${fault.message}${where}`)
      } catch (error) {
        if (!(error instanceof BrokenReference)) throw error
        add(entry, `${error.why}${where}`)
      }
    }
  }
  return [...problems.values()]
}

const tooLongMessage = `Too long: may not be more than ${maxFileBytes} bytes`

const refOfEntry = ({ ref }: ProjectState, { name }: SetEntry): ObjectRef => ({
  kind: 'StagelySecret',
  namespace: ref.namespace,
  name,
})

/** A fault of the secret that was written; a conflict where another one breaks by the write. */
const refuse = (
  project: ProjectState,
  problems: readonly Problem[],
  touched: readonly SetEntry[],
): StagelyError => {
  const own = problems.find(({ entry }) => touched.some((t) => t.secretId === entry.secretId))
  if (own !== undefined) {
    const faults = problems
      .filter(({ entry }) => entry.secretId === own.entry.secretId)
      .map(({ message }) => ({
        field: 'spec.value',
        reason: 'FieldValueInvalid' as const,
        message: `Invalid value: ${message}`,
      }))
    return invalid(refOfEntry(project, own.entry), faults)
  }
  const texts = problems.map(
    ({ entry, message }) => `secret "${entry.name}" would break: ${message}`,
  )
  return conflict(refOfEntry(project, touched[0]!), `${texts.join('; ')}; change that first`)
}

/** Of the referring ones with a format: what the writer may not learn of, as he did not give all that changed. */
const closedTo = (
  session: WriteSession,
  project: ProjectState,
  { opened, reached }: { opened: readonly Opened[]; reached: ReadonlySet<string> },
): ReadonlySet<Opened> =>
  mayLearn(session, project.ref)
    ? new Set()
    : new Set(opened.filter((one) => reached.has(one.key) && ruleOf(one).format !== undefined))

const refuseClosed = (
  project: ProjectState,
  closed: Iterable<Opened>,
  touched: readonly SetEntry[],
): StagelyError | undefined => {
  const all = [...closed]
  const own = all.find((entry) => touched.some((t) => t.secretId === entry.secretId))
  if (own !== undefined) return disclosureForbidden(refOfEntry(project, own), 'its format')
  const [first] = all
  if (first === undefined) return undefined
  return disclosureForbidden(
    refOfEntry(project, touched[0]!),
    `the format of secret "${first.name}"`,
  )
}

/** Keys that change where one of `keys` does: those of secrets that refer to it, and so on. */
const keysReached = (
  keys: ReadonlySet<string>,
  referring: readonly { key: string; references: readonly string[] }[],
): Set<string> => {
  const reached = new Set(keys)
  for (;;) {
    const more = referring.filter(
      ({ key, references }) =>
        !reached.has(key) && references.some((one) => reached.has(keyOfReference(one))),
    )
    if (more.length === 0) return reached
    for (const { key } of more) reached.add(key)
  }
}

const tellReferring = (
  session: WriteSession,
  project: ProjectState,
  { entries, viewers }: { entries: readonly Opened[]; viewers: ReadonlySet<string> | undefined },
): void => {
  for (const { row } of entries) {
    const conditions = (row.object.status?.['conditions'] ?? []) as Condition[]
    const changed = withCondition(
      conditions,
      {
        type: 'InSync',
        status: 'False',
        reason: 'NewReferredValue',
        message: 'a secret that it refers to has changed, which is not yet in every container',
        observedGeneration: row.object.metadata.generation ?? 1,
      },
      session.now,
    )
    const status = { ...row.object.status, conditions: changed }
    const next = withStatusOwner({ ...row.object, status }, row.object, session.now)
    session.put(next, row.source, row)
  }
  const seenBy = entries.flatMap((entry) =>
    viewers === undefined || entry.stagelet !== undefined
      ? [entry]
      : [...viewers].map((stagelet) => ({ ...entry, stagelet })),
  )
  const stagelets = stageletsOf(session, project.ref)
  resetInSync(session, project, { stagelets, entries: seenBy })
}

const settleProject = async (
  session: WriteSession,
  project: ProjectState,
  touched: readonly SecretChange[],
): Promise<void> => {
  const referring = session.view.heads
    .withTerm(term.referring(project.uid))
    .map(({ entry: { key, references = [] } }) => ({ key, references }))
  if (referring.length === 0) return
  const concerned = new Set(
    referring.flatMap(({ key, references }) => [key, ...references.map(keyOfReference)]),
  )
  const hits = touched.filter(({ entry }) => concerned.has(entry.key) && !isForController(entry))
  if (hits.length === 0) return
  const hit = hits.map(({ entry }) => entry)
  const reachedBy = (some: readonly SecretChange[]): ReadonlySet<string> =>
    keysReached(new Set(some.map(({ entry }) => entry.key)), referring)
  const own = hit.flatMap((entry) => entry.stagelet ?? [])
  // What only some stagelets see can break, or change, nothing for the others.
  const viewers = own.length === hit.length ? new Set(own) : undefined
  const entries = await openConcerned(session, project, { keys: concerned, viewers })
  const opened = withRows(session, entries)
  const closed = closedTo(session, project, {
    opened,
    reached: reachedBy(hits.filter(({ why }) => why !== 'plain')),
  })
  const problems = findProblems(project, entries, {
    referring: opened,
    closed,
    viewers: viewers ?? viewersOf(entries),
  })
  if (problems.length > 0) throw refuse(project, problems, hit)
  const refusal = refuseClosed(project, closed, hit)
  if (refusal !== undefined) throw refusal
  const changed = hits.filter(({ why }) => why !== 'rule')
  const reached = reachedBy(changed)
  const written = new Set(touched.map(({ entry }) => entry.secretId))
  const told = opened.filter((one) => reached.has(one.key) && !written.has(one.secretId))
  if (told.length > 0) tellReferring(session, project, { entries: told, viewers })
}

/** At the end of a write: whatever its order, only what it leaves behind counts. */
export const settleReferences = async (session: WriteSession): Promise<void> => {
  const living = new Set(session.loaded.values())
  for (const project of new Set(session.secretChanges.map((one) => one.project))) {
    if (!living.has(project)) continue
    const touched = session.secretChanges.filter((one) => one.project === project)
    await settleProject(session, project, touched)
  }
}
