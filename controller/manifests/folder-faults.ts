// Reports the faults of a folder: a log line and an Event for each new fault; while it lasts, the
// condition ManifestsApplied of the affected namespaces, and a metric.
import type { Logger } from '../../src/kernel/log.ts'
import { statusConditions, findCondition } from '../../src/resources/conditions.ts'
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store, Transaction } from '../../src/store/store.ts'
import type { FolderFault } from './scan.ts'

const conditionType = 'ManifestsApplied'
const mostSaid = 20

const textOf = ({ file, line, field, message }: FolderFault): string =>
  `${line === 0 ? file : `${file}:${line}`}: ${field === undefined || field === '' ? '' : `${field}: `}${message}`

/** A fault of the folder as a whole. */
export const faultOfFolder = (dir: string, message: string): FolderFault => ({
  file: dir,
  line: 0,
  message,
})

/** The data from which the namespaces of a file are determined. */
interface FolderContents {
  /** All objects whose source is the folder. */
  readonly owned: readonly KubeObject[]
  /** Last known file of each object. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * The namespaces of the objects that an unreadable file declared before. If there are none: all
 * namespaces of the folder, because any of them may lack an object.
 */
const namespacesOf = ({ key, file }: FolderFault, { owned, files }: FolderContents): string[] => {
  if (key !== undefined) {
    const { kind, namespace, name } = refFromKey(key)
    return [kind === 'Namespace' ? name : namespace]
  }
  const ofFile = owned.filter((object) => files.get(keyOf(refOf(object))) === file)
  const found = (ofFile.length > 0 ? ofFile : owned).flatMap(({ metadata }) =>
    metadata.namespace === undefined ? [] : [metadata.namespace],
  )
  return found.length === 0 ? ['default'] : [...new Set(found)]
}

const messageOf = (texts: readonly string[]): string =>
  texts.slice(0, mostSaid).join('\n') +
  (texts.length > mostSaid ? `\nand ${texts.length - mostSaid} more` : '')

/** Remembers reported faults, so that each is reported once and not at every scan. */
export const createFaultBoard = (deps: {
  readonly store: Store
  readonly actor: Actor
  readonly log: Logger
  readonly onFaults?: (count: number) => void
}): { show(faults: readonly FolderFault[], contents: FolderContents): Promise<void> } => {
  const { store, actor, log } = deps
  let shown = new Set<string>()
  /** The reported text of each namespace; undefined until the texts from before this start were read. */
  let said: Map<string, string> | undefined

  const tell = async (fresh: readonly FolderFault[]): Promise<void> => {
    for (const { file, line, field, message } of fresh)
      log.warn({ file, line, field, fault: message }, 'a manifest has a fault')
    if (fresh.length === 0) return
    await store.write(actor, {}, async (tx) => {
      for (const fault of fresh) {
        const regarding = await regardingOf(tx, fault)
        if (regarding === undefined) continue
        const message = textOf(fault)
        await tx.recordEvent({ regarding, type: 'Warning', reason: 'ManifestFault', message })
      }
    })
  }

  const keepSaying = async (wanted: ReadonlyMap<string, string>): Promise<void> => {
    const before = said ?? (await saidBefore(store))
    const names = [...new Set([...before.keys(), ...wanted.keys()])]
    const changed = names.filter((name) => before.get(name) !== wanted.get(name))
    if (changed.length > 0)
      await store.write(actor, {}, async (tx) => {
        for (const name of changed) await sayIn(tx, name, wanted.get(name))
      })
    said = new Map(wanted)
  }

  /** `default` speaks for a namespace that does not exist. */
  const textsOf = async (
    faults: readonly FolderFault[],
    contents: FolderContents,
  ): Promise<Map<string, string>> => {
    const existing = new Set((await store.list('Namespace')).items.map((n) => n.metadata.name))
    const texts = new Map<string, Set<string>>()
    for (const fault of faults)
      for (const namespace of namespacesOf(fault, contents)) {
        const name = existing.has(namespace) ? namespace : 'default'
        texts.set(name, (texts.get(name) ?? new Set()).add(textOf(fault)))
      }
    return new Map([...texts].map(([name, lines]) => [name, messageOf([...lines])]))
  }

  return {
    show: async (faults, contents) => {
      const fresh = faults.filter((fault) => !shown.has(textOf(fault)))
      if (shown.size > 0 && faults.length === 0) log.info({}, 'every manifest is good again')
      shown = new Set(faults.map(textOf))
      deps.onFaults?.(faults.length)
      await tell(fresh)
      await keepSaying(await textsOf(faults, contents))
    },
  }
}

const saidBefore = async (store: Store): Promise<Map<string, string>> => {
  const said = new Map<string, string>()
  for (const { metadata, status } of (await store.list('Namespace')).items) {
    const conditions = statusConditions({ status })
    const condition = findCondition(conditions, conditionType)
    if (condition?.status === 'False') said.set(metadata.name, condition.message)
  }
  return said
}

/** Sets or clears (`fault` undefined) the condition of a namespace. */
const sayIn = async (tx: Transaction, name: string, fault: string | undefined): Promise<void> => {
  const ref = { kind: 'Namespace', namespace: '', name }
  if ((await tx.get(ref)) === undefined) return
  const condition =
    fault === undefined
      ? { status: 'True' as const, reason: 'Applied', message: 'every manifest is good' }
      : { status: 'False' as const, reason: 'ManifestFault', message: fault }
  await tx.setConditions(ref, [{ type: conditionType, ...condition }])
}

/** The object, else its namespace, else `default`. */
const regardingOf = async (
  tx: Transaction,
  fault: FolderFault,
): Promise<KubeObject | undefined> => {
  const ref = fault.key === undefined ? undefined : refFromKey(fault.key)
  const object = ref === undefined ? undefined : await tx.get(ref)
  if (object !== undefined && refOf(object).name !== '') return object
  const namespace = ref === undefined || ref.namespace === '' ? 'default' : ref.namespace
  return (
    (await tx.get({ kind: 'Namespace', namespace: '', name: namespace })) ??
    (await tx.get({ kind: 'Namespace', namespace: '', name: 'default' }))
  )
}
