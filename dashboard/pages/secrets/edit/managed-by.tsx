// Says where the value of a secret is managed, where it cannot be set here.
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { valueManager } from './value-from.ts'

export const ManagedBy = ({ secret }: { readonly secret: Secret }) => {
  const manager = valueManager(secret)
  if (manager === undefined) return null
  const [href, name] = manager.page ?? []
  return (
    <p class="muted">
      {manager.says} {href === undefined ? null : <a href={href}>{name}</a>}
    </p>
  )
}
