// Reports the faults of a folder: a log line and an Event for each new fault; while it lasts, the
// condition ManifestsApplied of the affected namespaces, and a metric.
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { recordFaults, showFaults } from '../sources/report-faults.ts'
import type { FolderFault } from './scan.ts'

const reason = 'ManifestFault'
const condition = {
  type: 'ManifestsApplied',
  reason,
  good: { status: 'True', reason: 'Applied', message: 'every manifest is good' },
} as const

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

/** Remembers reported faults, so that each is reported once and not at every scan. */
export const createFaultBoard = (deps: {
  readonly store: Store
  readonly actor: Actor
  readonly log: Logger
  readonly onFaults?: (count: number) => void
}): { show(faults: readonly FolderFault[], contents: FolderContents): Promise<void> } => {
  const { log } = deps
  let shown = new Set<string>()
  return {
    show: async (faults, contents) => {
      const fresh = faults.filter((fault) => !shown.has(textOf(fault)))
      if (shown.size > 0 && faults.length === 0) log.info({}, 'every manifest is good again')
      shown = new Set(faults.map(textOf))
      deps.onFaults?.(faults.length)
      for (const { file, line, field, message } of fresh)
        log.warn({ file, line, field, fault: message }, 'a manifest has a fault')
      await recordFaults(
        deps,
        reason,
        fresh.map((fault) => ({ ...fault, message: textOf(fault) })),
      )
      const ofTeams = faults.flatMap((fault) =>
        namespacesOf(fault, contents).map((team) => ({ team, text: textOf(fault) })),
      )
      await showFaults(deps, condition, ofTeams)
    },
  }
}
