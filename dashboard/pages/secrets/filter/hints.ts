// What a secret could be given to fewer, or to anybody at all. Pure.
import { defined } from '../../../../src/kernel/defined.ts'
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { nearName } from '../../../../src/search/near-name.ts'
import { isForAll } from '../../../../src/secrets/place.ts'
import type { Matrix } from '../../project/matrix.ts'

export type SecretHint =
  | { readonly kind: 'narrow'; readonly seenBy: number; readonly services: readonly string[] }
  | { readonly kind: 'unseen' }
  | { readonly kind: 'noService'; readonly scope: string; readonly near?: string }

/** Agents have reported services, and none with the name of the scope. */
export const hasNoService = (secret: Secret): boolean =>
  !isForAll(secret) && secret.warnings.includes('unknown_scope')

/** A global secret that the Compose file names in some services only; a secret that no service uses. */
export const hintsFor = (secret: Secret, matrix: Matrix): readonly SecretHint[] => {
  if (secret.version === 0 || secret.audience === 'Controller') return []
  if (hasNoService(secret)) {
    const names = matrix.serviceRefs.map(({ service }) => service)
    return [
      {
        kind: 'noService',
        scope: secret.scope,
        ...defined({ near: nearName(secret.scope, names) }),
      },
    ]
  }
  const consumers = matrix.consumersOf(secret)
  if (consumers.length === 0) return matrix.serviceRefs.length === 0 ? [] : [{ kind: 'unseen' }]
  if (!isForAll(secret) || secret.type !== 'env') return []
  const all = new Set(consumers.map(({ service }) => service.name))
  const named = new Set(
    consumers
      .filter(({ service }) => service.compose_keys?.includes(secret.key) === true)
      .map(({ service }) => service.name),
  )
  return named.size > 0 && named.size < all.size
    ? [{ kind: 'narrow', seenBy: consumers.length, services: [...named].sort() }]
    : []
}
