// ETag is the resourceVersion, the same one that the Kubernetes-style API names.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'

/** The header of an answer that shows this object. */
export const etagOf = (object: KubeObject): Record<string, string> => ({
  etag: `"${object.metadata.resourceVersion ?? ''}"`,
})

/** The version in an If-Match header; undefined for none and for `*`. BadRequest for what no answer of ours named. */
export const parseIfMatch = (header: string | undefined): string | undefined => {
  if (header === undefined || header.trim() === '*') return undefined
  const match = /^"([^"]{1,100})"$/.exec(header.trim())
  if (match === null)
    throw new StagelyError('BadRequest', 'If-Match must be one ETag as it was answered, or *')
  return match[1]
}

/** PreconditionFailed when somebody has changed the object since the caller read it. */
export const requireMatch = (object: KubeObject, ifMatch: string | undefined): void => {
  const current = object.metadata.resourceVersion
  if (ifMatch === undefined || ifMatch === current) return
  throw new StagelyError(
    'PreconditionFailed',
    `it was changed since you read it: its ETag is now "${current ?? ''}"; read it again and repeat the change`,
  )
}
