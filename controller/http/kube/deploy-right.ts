// A deploy, and another try of what failed, are asked for by annotations of the stagelet. Who may
// deploy but not change a stagelet may patch those, and nothing else.
import { isDeepStrictEqual } from 'node:util'
import { allows } from '../../../src/access/principal.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { AppContext } from '../env.ts'
import { metadataOf } from './decode.ts'
import { forbidden, rightOf } from './route.ts'
import type { Wire } from './wire-form.ts'

export const deployRight = 'stagelets/deploy'

const annotationsOf = (object: Wire): Record<string, unknown> =>
  (metadataOf(object)['annotations'] ?? {}) as Record<string, unknown>

const withoutDeploy = (object: Wire): Wire => {
  const { [annotations.redeploy]: _, [annotations.retry]: __, ...others } = annotationsOf(object)
  return { ...object, metadata: { ...metadataOf(object), annotations: others } }
}

const isDeploy = (before: Wire, after: Wire): boolean =>
  [annotations.redeploy, annotations.retry].some(
    (name) => annotationsOf(before)[name] !== annotationsOf(after)[name],
  ) && isDeepStrictEqual(withoutDeploy(before), withoutDeploy(after))

/** Forbidden for a patch that the caller may not make; without `change`, for any but a whole one. */
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
  throw forbidden(c.get('user').name, { kind, verb: 'patch' }, { namespace: where, name })
}
