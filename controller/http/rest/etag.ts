// The ETag is the resourceVersion, as in the Kubernetes-style API.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'

/** The header of an answer that shows this object. */
export const etagOf = (object: KubeObject): Record<string, string> => ({
  etag: `"${object.metadata.resourceVersion ?? ''}"`,
})

/**
 * The version in an If-Match header; undefined for no header and for `*`. BadRequest for an ETag that
 * is not from this server.
 */
export const parseIfMatch = (header: string | undefined): string | undefined => {
  if (header === undefined || header.trim() === '*') return undefined
  const match = /^"([^"]{1,100})"$/.exec(header.trim())
  if (match === null)
    throw new StagelyError('BadRequest', 'If-Match must be one ETag as it was answered, or *')
  return match[1]
}

/** PreconditionFailed when the object has changed since the caller read it. */
export const requireMatch = (object: KubeObject, ifMatch: string | undefined): void => {
  const current = object.metadata.resourceVersion
  if (ifMatch === undefined || ifMatch === current) return
  throw new StagelyError(
    'PreconditionFailed',
    `it was changed since you read it: its ETag is now "${current ?? ''}"; read it again and repeat the change`,
  )
}
