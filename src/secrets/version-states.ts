// Whether a version of a secret is the one in use, and since when: for whoever finds its value somewhere.

/** `superseded`: a newer version is in use, and the value may still be accepted. `revoked`: nothing accepts it. */
type VersionState = 'current' | 'superseded' | 'revoked'

interface Version {
  readonly version: number
  readonly current: boolean
  readonly createdAt: string
  readonly sameAs?: number
  readonly revokedAt?: string
}

export interface StatedVersion {
  readonly version: number
  readonly state: VersionState
  readonly since: string
}

/** One for each value: its newest version. `versions` come the newest first. */
export const statesOf = (versions: readonly Version[]): StatedVersion[] => {
  const olderSame = new Set(
    versions.flatMap(({ sameAs }) => (sameAs === undefined ? [] : [sameAs])),
  )
  return versions.flatMap((given, i): StatedVersion[] => {
    const { version, current, createdAt, revokedAt } = given
    if (olderSame.has(version)) return []
    if (current) return [{ version, state: 'current', since: createdAt }]
    if (revokedAt !== undefined) return [{ version, state: 'revoked', since: revokedAt }]
    return [{ version, state: 'superseded', since: versions[i - 1]?.createdAt ?? createdAt }]
  })
}
