// The keys for an administrator: names, number of wrapped texts, and rotations.
import { describeWrap } from '../../secrets/key-provider.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import type { Sql } from '../drivers/sql.ts'
import { readAges, type KeyAges } from './key-age.ts'
import { projectKeyStatus, type ProjectKeyStatus } from './project-key-use.ts'
import { countSealedOld } from './reseal.ts'
import { listRotations, type RunningKeyRotation } from '../secrets/key-rotations.ts'
import { countWraps } from './wraps.ts'

export interface KeyStatus {
  readonly ages: KeyAges
  readonly provider: string
  readonly keyId: string
  /** How many keys each master key wraps; more than one only while a rotation is due or runs. */
  readonly wrapped: readonly { readonly by: string; readonly count: number }[]
  /** The keys that projects may name. */
  readonly projectKeys: readonly ProjectKeyStatus[]
  /** Versions still sealed under a retired data key. */
  readonly sealedOld: number
  /** A key that is older is due for rotation (ms). */
  readonly rotationMs: number
  /** True where the controller replaces due keys by itself, as far as it can make new ones. */
  readonly rotatesKeys: boolean
  readonly rotations: readonly RunningKeyRotation[]
}

export const readKeyStatus = async (deps: {
  readonly sql: Sql
  readonly keyRing: KeyRing
  readonly rotationMs: number
  readonly rotatesKeys: boolean
}): Promise<KeyStatus> => {
  const { sql, keyRing, rotationMs, rotatesKeys } = deps
  const wraps = await countWraps(sql)
  return {
    provider: keyRing.name,
    keyId: keyRing.keyId,
    ages: await readAges(sql),
    wrapped: [...wraps].map(([prefix, count]) => ({ by: describeWrap(prefix), count })),
    projectKeys: await projectKeyStatus(sql, keyRing),
    sealedOld: await countSealedOld(sql),
    rotationMs,
    rotatesKeys,
    rotations: await listRotations(sql, 10),
  }
}
