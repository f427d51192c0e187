// The rotator of a Rotation. Each is loaded when it is used.
import { rotatorNameOf } from '../../src/resources/rotation-rules.ts'
import { RotatorFault, type RotationAt, type Rotator, type RotatorDeps } from './rotator.ts'

export type OpenRotator = (rotation: RotationAt, deps: RotatorDeps) => Promise<Rotator>

export const openRotator: OpenRotator = async ({ spec: { rotator } }) => {
  const name = rotatorNameOf({ rotator })
  if (rotator.generate !== undefined)
    return (await import('./generate.ts')).openGenerate(rotator.generate)
  throw new RotatorFault('Failed', `this controller knows no rotator ${name}`)
}
