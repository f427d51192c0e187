// Writes objects by the three-way merge of apply, all as one change set.
import { randomUUID } from 'node:crypto'
import { applyPatch, withLastApplied } from '../src/manifests/merge.ts'
import { isReason } from '../src/kernel/errors.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import { mergePatch, pathOf, type Api } from './api.ts'
import { fullName, kindOf } from './kinds.ts'
import { findObject, isSameButStatus } from './objects.ts'
import { out } from './print.ts'
import { inReferenceOrder } from './reference-order.ts'

/** In the order of their kinds, secrets after those that they refer to; prints a line for each. */
export const applyObjects = async (api: Api, objects: readonly KubeObject[]): Promise<void> => {
  const ordered = inReferenceOrder(objects)
    .map((object) => ({ object, kind: kindOf(object.kind) }))
    .sort((a, b) => a.kind.applyOrder - b.kind.applyOrder)
  const id = randomUUID()
  for (const [index, { object, kind }] of ordered.entries()) {
    const last = index === ordered.length - 1
    const done = await applyOne(api, object, { 'Stagely-Change-Set': `${id}; last=${last}` })
    out(`${fullName(kind, object.metadata.name)} ${done}`)
  }
}

/**
 * Writes one object by the three-way merge. The write is sent even where nothing differs if it
 * carries the end of the change set: the server keeps the resourceVersion and closes the set.
 */
const applyOne = async (
  api: Api,
  manifest: KubeObject,
  headers: Record<string, string>,
): Promise<'created' | 'configured' | 'unchanged'> => {
  const kind = kindOf(manifest.kind)
  const namespace = manifest.metadata.namespace ?? ''
  const query = { fieldManager: 'stagely', fieldValidation: 'Strict' }
  for (let attempt = 0; ; attempt++) {
    const live = await findObject(api, kind, namespace, manifest.metadata.name)
    try {
      if (live === undefined) {
        const path = pathOf(kind, kind.namespaced ? namespace : undefined)
        await api.call(path, { method: 'POST', query, headers, body: withLastApplied(manifest) })
        return 'created'
      }
      const patch = applyPatch(manifest, live)
      const closes = headers['Stagely-Change-Set']?.endsWith('last=true') === true
      if (Object.keys(patch).length === 0 && !closes) return 'unchanged'
      const path = pathOf(kind, kind.namespaced ? namespace : undefined, manifest.metadata.name)
      const call = {
        method: 'PATCH',
        query,
        headers,
        body: patch,
        contentType: mergePatch,
      } as const
      const after = (await api.call(path, call)) as KubeObject
      return isSameButStatus(after, live) ? 'unchanged' : 'configured'
    } catch (error) {
      // Somebody was faster between the read and the write: look again, as kubectl does.
      const raced = isReason(error, 'AlreadyExists') || isReason(error, 'Conflict')
      if (!raced || attempt >= 4) throw error
    }
  }
}
