// Says where the value of a secret is managed, where it cannot be set here.
import type { Secret } from '../../../../src/rest/types.ts'
import { valueManager } from '../edit/value-from.ts'

export const ManagedBy = ({ secret }: { readonly secret: Secret }) => {
  const there = valueManager(secret)
  if (there === undefined) return null
  const [href, name] = there.page ?? []
  return (
    <p class="muted">
      {there.says} {href === undefined ? null : <a href={href}>{name}</a>}
    </p>
  )
}
