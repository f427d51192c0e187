// Annotations of a stagelet request a deploy, a retry or an extension. Who may deploy but not change a stagelet may
// patch these annotations, and nothing else.
import { isDeepStrictEqual } from 'node:util'
import { allows } from '../../../src/access/principal.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { AppContext } from '../env.ts'
import { metadataOf } from './decode.ts'
import { kubeForbidden, rightOf } from './route.ts'
import type { Wire } from './wire-form.ts'

export const deployRight = 'stagelets/deploy'

const deployRequests: readonly string[] = [
  annotations.redeploy,
  annotations.retry,
  annotations.extend,
]

const annotationsOf = (object: Wire): Record<string, unknown> =>
  (metadataOf(object)['annotations'] ?? {}) as Record<string, unknown>

const withoutDeploy = (object: Wire): Wire => {
  const notes = Object.entries(annotationsOf(object))
  const others = Object.fromEntries(notes.filter(([name]) => !deployRequests.includes(name)))
  return { ...object, metadata: { ...metadataOf(object), annotations: others } }
}

const isDeploy = (before: Wire, after: Wire): boolean =>
  deployRequests.some((name) => annotationsOf(before)[name] !== annotationsOf(after)[name]) &&
  isDeepStrictEqual(withoutDeploy(before), withoutDeploy(after))

/**
 * Forbidden for a patch that the caller may not make. Without `change`: for any caller without the full
 * right.
 */
export const checkPatchRight = (
  c: AppContext,
  kind: Kind,
  change?: { readonly before: Wire; readonly after: Wire },
): void => {
  const { namespace, name } = c.req.param()
  const where = kind.kind === 'Namespace' ? name : namespace
  const right = { verb: 'patch', resource: rightOf(kind), namespace: where } as const
  if (allows(c.get('user'), right)) return
  if (change !== undefined && isDeploy(change.before, change.after)) return
  throw kubeForbidden(c.get('user').name, { kind, verb: 'patch' }, { namespace: where, name })
}
