// Only one Rotation may change a login. Of two, each would end the credential that the services of the other one use.
import { keyOf, refOf, type KubeObject } from '../resources/meta.ts'
import type { RotatorName } from '../resources/rotation.ts'
import { loginsOf, placeOf } from '../resources/rotation-place.ts'
import { rotatorNameOf } from '../resources/rotation-rules.ts'
import { specOf } from '../resources/typed.ts'
import { invalid } from './errors.ts'
import type { WriteSession } from './session.ts'
import { term } from './state/rows.ts'

const fieldOf: Readonly<Partial<Record<RotatorName, string>>> = {
  ...{ postgres: 'roles', mariadb: 'users', redis: 'user', awsIam: 'userName' },
}

/** Invalid, naming the other Rotation, unless it is of another team. */
export const checkLogins = (session: WriteSession, object: KubeObject): void => {
  const ref = refOf(object)
  const spec = specOf('Rotation', object)
  const place = placeOf(spec, ref.namespace)
  if (place === undefined) return
  const own = loginsOf(spec)
  for (const { id, object: other } of session.select(term.kind('Rotation'))) {
    const { namespace, name } = refOf(other)
    const its = specOf('Rotation', other)
    if (id === keyOf(ref) || placeOf(its, namespace) !== place) continue
    const shared = own.find((login) => loginsOf(its).includes(login))
    if (shared === undefined) continue
    const who = namespace === ref.namespace ? `rotation "${name}"` : 'a rotation of another team'
    const rotator = rotatorNameOf(spec)
    const field = `spec.rotator.${rotator}.${fieldOf[rotator] ?? ''}`
    const message = `Duplicate value: ${JSON.stringify(shared)}: ${who} changes this login at the same place already, and each would end what services of the other one use: name another login`
    throw invalid(ref, [{ field, reason: 'FieldValueDuplicate', message }])
  }
}
