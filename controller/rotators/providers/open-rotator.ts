// The rotator of a Rotation. Each is loaded when it is used.
import { rotatorNameOf } from '../../../src/kinds/rotation/rules.ts'
import { RotatorFault, type RotationAt, type Rotator, type RotatorDeps } from './rotator.ts'

export type OpenRotator = (rotation: RotationAt, deps: RotatorDeps) => Promise<Rotator>

export const openRotator: OpenRotator = async (at, deps) => {
  const { rotator } = at.spec
  const name = rotatorNameOf({ rotator })
  if (rotator.generate !== undefined)
    return (await import('./generate.ts')).openGenerate(rotator.generate)
  const { postgres, redis, mariadb, awsIam } = rotator
  if (awsIam !== undefined) return (await import('./aws-iam.ts')).openAwsIam(awsIam, deps)
  if (postgres !== undefined)
    return (await import('./open-login.ts')).openPostgres(at, postgres, deps)
  if (redis !== undefined) return (await import('./open-login.ts')).openRedis(at, redis, deps)
  if (mariadb !== undefined) return (await import('./open-login.ts')).openMariadb(at, mariadb, deps)
  if (rotator.webhook !== undefined)
    return (await import('./webhook.ts')).openWebhook(rotator.webhook, at, deps)
  throw new RotatorFault('Failed', `this controller knows no rotator ${name}`)
}
