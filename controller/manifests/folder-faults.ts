// Shows what is wrong with a folder: a log line each, and an Event on the object or its namespace.
import type { Logger } from '../../src/kernel/log.ts'
import { refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store, Transaction } from '../../src/store/store.ts'
import type { FolderFault } from './scan.ts'

const textOf = ({ file, line, field, message }: FolderFault): string =>
  `${file}:${line}: ${field === undefined || field === '' ? '' : `${field}: `}${message}`

/** Remembers what was shown, so that a fault is told once and not at every scan. */
export const createFaultBoard = (
  store: Store,
  actor: Actor,
  log: Logger,
): { show(faults: readonly FolderFault[]): Promise<void> } => {
  let shown = new Set<string>()
  return {
    show: async (faults) => {
      const fresh = faults.filter((fault) => !shown.has(textOf(fault)))
      const mended = shown.size > 0 && faults.length === 0
      shown = new Set(faults.map(textOf))
      if (mended) log.info({}, 'every manifest is good again')
      for (const { file, line, field, message } of fresh) {
        log.warn({ file, line, field, fault: message }, 'a manifest has a fault')
      }
      if (fresh.length === 0) return
      await store.write(actor, {}, async (tx) => {
        for (const fault of fresh) {
          const regarding = await regardingOf(tx, fault)
          if (regarding === undefined) continue
          const message = textOf(fault)
          await tx.recordEvent({ regarding, type: 'Warning', reason: 'ManifestFault', message })
        }
      })
    },
  }
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
