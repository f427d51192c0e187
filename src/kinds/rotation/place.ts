// Where the login is that a Rotation changes, and by which names: two Rotations must not change one login.
import type { RotationSpec } from './schema.ts'

/** The usual port of Postgres. */
const postgresPort = 5432

/** Whether Rotations of other teams may have the same place: a stagelet is of one team, an address is the same for all. */
export const isPlaceShared = ({ rotator }: RotationSpec): boolean =>
  rotator.postgres?.at !== undefined

/** The database server, or the account: the same text for the same one, as far as specs tell. */
export const rotationPlaceOf = (
  { rotator }: RotationSpec,
  namespace: string,
): string | undefined => {
  const { postgres, mariadb, redis, awsIam } = rotator
  const inside = (postgres ?? mariadb ?? redis)?.in
  if (inside !== undefined) return `in ${namespace}/${inside.stagelet}/${inside.service}`
  if (awsIam !== undefined)
    return `iam ${namespace}/${awsIam.adminRef?.name ?? ''} ${awsIam.endpoint ?? ''}`
  const { host, port = postgresPort } = postgres?.at ?? {}
  return host === undefined ? undefined : `at ${host.toLowerCase().replace(/\.$/, '')}:${port}`
}

/** Logins that it changes or ends. */
export const loginsOf = ({ rotator }: RotationSpec): readonly string[] => {
  const { postgres, mariadb, redis, awsIam } = rotator
  if (redis !== undefined) return [redis.user]
  if (awsIam !== undefined) return [awsIam.userName]
  const { adopt } = postgres ?? mariadb ?? {}
  const turns = postgres?.roles ?? mariadb?.users ?? []
  return adopt === undefined ? turns : [...turns, adopt]
}
