// Writes the changes of an import, in as few requests as the API allows. Each request is all or
// nothing, and all are one change set.
import { isReason, type StagelyError } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { mergePatch, pathOf, type KubeApi } from '../connect/api.ts'
import { Exit } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { note, withProgress } from '../print.ts'
import { inReferenceOrder } from '../apply/reference-order.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import type { ImportItem } from './plan-import.ts'

/** Limits of one request; see docs/api.md. Some bytes are left for the text around the operations. */
const most = { operations: 500, bytes: 3 * 1024 * 1024 - 1024 }

const operationOf = ({ action, name, input }: ImportItem): object =>
  action === 'added' ? { op: 'create', ...input } : { op: 'update', id: name, ...input }

/** In an order in which each secret finds the ones that it refers to. */
export const importBatches = (items: readonly ImportItem[]): ImportItem[][] => {
  const byObject = new Map<KubeObject, ImportItem>(items.map((item) => [item.object, item]))
  const batches: ImportItem[][] = []
  let bytes = Infinity
  for (const object of inReferenceOrder([...byObject.keys()])) {
    const item = byObject.get(object)!
    const size = Buffer.byteLength(JSON.stringify(operationOf(item))) + 1
    const last = batches.at(-1)
    if (last === undefined || last.length === most.operations || bytes + size > most.bytes) {
      batches.push([item])
      bytes = size
    } else {
      last.push(item)
      bytes += size
    }
  }
  return batches
}

interface Target {
  readonly api: KubeApi
  readonly rest: RestClient
  readonly project: string
  /** Name of the file, for messages. */
  readonly shown: string
  /** Of each write. */
  readonly headers: Record<string, string>
}

/** Stops at the first refusal, and says what was written before it. */
export const writeBatches = async (
  target: Target,
  batches: readonly (readonly ImportItem[])[],
): Promise<void> => {
  let written = 0
  const all = batches.flat().length
  for (const batch of batches) {
    try {
      await withProgress(`${written} of ${all} secrets are written`, writeBatch(target, batch))
    } catch (error) {
      const rest = 'the same command again writes the rest'
      if (written > 0) note(`${written} secrets are written, and the others are not: ${rest}.`)
      throw error
    }
    written += batch.length
  }
}

const writeBatch = async (
  { api, rest, project, shown, headers }: Target,
  batch: readonly ImportItem[],
): Promise<void> => {
  const path = `${projectPath(rest.namespace, project)}/secrets/batch`
  const body = { operations: batch.map(operationOf) }
  try {
    const sayWarning = (warning: string): string => inFile(warning, shown, batch)
    await rest.call(path, { method: 'POST', body, headers, sayWarning })
  } catch (error) {
    if (isReason(error, 'NotFound')) await writeOneByOne(api, batch)
    else if (isReason(error, 'Invalid')) refuse(error, shown, batch)
    else throw error
  }
}

/** What the server says of an operation, at its place in the file. */
const inFile = (text: string, shown: string, batch: readonly ImportItem[]): string => {
  const [, index = '', rest = ''] = /^operations\[(\d+)\][.:]? ?(.*)$/s.exec(text) ?? []
  const item = batch[Number(index)]
  if (index === '' || item === undefined) return `${shown}: ${text}`
  return `${shown}: ${item.where}: ${item.identity.key}: ${rest}`
}

/** The faults, at their places in the file. */
const refuse = (error: StagelyError, shown: string, batch: readonly ImportItem[]): never => {
  const { faults = [] } = error.details
  if (faults.length === 0) throw error
  for (const { field, message } of faults)
    note(inFile(field === '' ? message : `${field}: ${message}`, shown, batch))
  throw new Exit(1)
}

/** For a cluster with the CRDs, which has no batches. Writing an object again changes nothing. */
const writeOneByOne = async (api: KubeApi, batch: readonly ImportItem[]): Promise<void> => {
  const kind = servedKind('StagelySecret')
  for (const { action, name, object } of batch) {
    const body = action === 'added' ? object : { spec: object.spec }
    const call =
      action === 'added'
        ? ({ method: 'POST', body } as const)
        : ({ method: 'PATCH', body, contentType: mergePatch } as const)
    await api.call(pathOf(kind, api.namespace, action === 'added' ? undefined : name), call)
  }
}
