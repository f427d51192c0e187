// Where a secret is, as lists name it: `web`, `web of prod`, `web in production, staging`. Pure.

interface SecretPlace {
  readonly scope: string
  /** '' for all, as in fields. */
  readonly stagelet?: string | undefined
  readonly environments?: readonly string[] | undefined
}

export const placeName = ({ scope, stagelet = '', environments }: SecretPlace): string => {
  if (stagelet !== '') return `${scope} of ${stagelet}`
  return environments === undefined ? scope : `${scope} in ${environments.join(', ')}`
}
