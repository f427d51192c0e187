// The logins that a Rotation has set. They are kept with its outputs too, so that one that was deleted and created again, or
// has another name now, goes on with them.
import { sameJson } from '../../../src/kernel/same-json.ts'
import { refOf } from '../../../src/resources/meta.ts'
import { rotationPlaceOf } from '../../../src/kinds/rotation/place.ts'
import { statusOf } from '../../../src/kinds/typed.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { EffectContext } from './work.ts'

type Work = Pick<EffectContext, 'rotation' | 'gathered' | 'rotator'>

const placeOf = ({ rotation }: Pick<Work, 'rotation'>): string | undefined =>
  rotationPlaceOf(rotation.spec, refOf(rotation).namespace)

/** Of one place, and of all outputs: what another secret was given says nothing of who uses a login. */
const keptIn = ({ rotation, gathered, rotator }: Work): readonly string[] => {
  const place = placeOf({ rotation })
  const kept = Object.keys(rotation.spec.outputs).map((output) => {
    const { rotated } = gathered.outputs.get(output)?.status ?? {}
    return place !== undefined && rotated?.place === place ? rotated.logins : []
  })
  return rotator.slots.filter((slot) => kept.every((logins) => logins.includes(slot)))
}

export const ownLoginsOf = (work: Pick<EffectContext, 'status'> & Work): string[] => {
  const { status, rotator } = work
  const all = new Set([...(status.ownSlots ?? []), ...keptIn(work)])
  return rotator.slots.filter((slot) => all.has(slot))
}

/** Notes them with each output. */
export const keepLogins =
  (work: Work, logins: readonly string[]) =>
  async (tx: Transaction): Promise<void> => {
    const place = placeOf(work)
    if (place === undefined || logins.length === 0) return
    const { namespace } = refOf(work.rotation)
    for (const name of Object.values(work.rotation.spec.outputs)) {
      const secret = await tx.get({ kind: 'StagelySecret', namespace, name })
      const status = secret && statusOf('StagelySecret', secret)
      const rotated = { place, logins: [...logins] }
      if (secret === undefined || sameJson(status?.rotated ?? null, rotated)) continue
      await tx.setStatus({ ...secret, status: { ...status, rotated } })
    }
  }
