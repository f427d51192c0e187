// For agents whose keys do not change.
import type { LinkKeys } from '../../agent/link/link-keys.ts'

export const fixedKeys: LinkKeys = {
  isPending: () => false,
  rotate: () => Promise.resolve(false),
  recover: () => Promise.resolve(false),
}
