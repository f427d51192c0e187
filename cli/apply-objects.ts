// Writes objects by apply's three-way merge, all in one change set.
import { randomUUID } from 'node:crypto'
import { applyPatch, withLastApplied } from '../src/manifests/merge.ts'
import { isReason } from '../src/kernel/errors.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import { mergePatch, pathOf, type Api } from './api.ts'
import { fullName, kindOf } from './kinds.ts'
import { findObject, isSameButStatus } from './objects.ts'
import { out } from './print.ts'
import { inReferenceOrder } from './reference-order.ts'

/**
 * `more` are headers of each write. Writes by order of kinds, secrets after the secrets that they refer to; prints a line for each
 * object.
 */
export const applyObjects = async (
  api: Api,
  objects: readonly KubeObject[],
  more: Record<string, string> = {},
): Promise<void> => {
  const ordered = inReferenceOrder(objects)
    .map((object) => ({ object, kind: kindOf(object.kind) }))
    .sort((a, b) => a.kind.applyOrder - b.kind.applyOrder)
  const id = randomUUID()
  for (const [index, { object, kind }] of ordered.entries()) {
    const last = index === ordered.length - 1
    const headers = { 'Stagely-Change-Set': `${id}; last=${last}`, ...more }
    const done = await applyOne(api, object, headers)
    out(`${fullName(kind, object.metadata.name)} ${done}`)
  }
}

/**
 * Writes one object by three-way merge. When it ends the change set, it is sent even without a
 * difference: the server then closes the set and keeps the resourceVersion.
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
      // Another writer was faster between the read and the write: read again, as kubectl does.
      const raced = isReason(error, 'AlreadyExists') || isReason(error, 'Conflict')
      if (!raced || attempt >= 4) throw error
    }
  }
}
