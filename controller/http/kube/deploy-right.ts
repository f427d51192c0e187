// Annotations of a stagelet request a deploy, a retry or an extension, and `spec.paused` holds it. Who may deploy or
// pause but not change a stagelet may patch these, and nothing else.
import { isDeepStrictEqual } from 'node:util'
import { allows, type AccessRequest } from '../../../src/access/principal.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
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

const pausedIn = ({ spec }: Wire): unknown => (spec as { paused?: unknown } | undefined)?.paused

const withoutSteering = (object: Wire): Wire => {
  const { paused: _, ...spec } = (object['spec'] ?? {}) as Record<string, unknown>
  return { ...withoutDeploy(object), spec }
}

/** The rights that a patch needs which only deploys, retries or pauses; undefined: it changes something else, or nothing. */
const steeringRights = (before: Wire, after: Wire): readonly AccessRequest[] | undefined => {
  const isRequest = deployRequests.some(
    (name) => annotationsOf(before)[name] !== annotationsOf(after)[name],
  )
  const isPause = pausedIn(before) !== pausedIn(after)
  if (!isDeepStrictEqual(withoutSteering(before), withoutSteering(after))) return undefined
  const rights = [
    ...(isRequest ? [{ verb: 'patch', resource: deployRight } as const] : []),
    ...(isPause ? [{ verb: 'patch', resource: 'stagelets/pause' } as const] : []),
  ]
  return rights.length === 0 ? undefined : rights
}

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
  const rights = change && steeringRights(change.before, change.after)
  if (
    rights?.every((steering) => allows(c.get('user'), { ...steering, namespace: where })) === true
  )
    return
  throw kubeForbidden(c.get('user').name, { kind, verb: 'patch' }, { namespace: where, name })
}
