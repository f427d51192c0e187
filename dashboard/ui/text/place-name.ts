// Where a secret is, as lists name it: `web`, `web of prod`, `web in production, staging`. Pure.
import type { SecretPlace } from '../../../src/secrets/place.ts'

export const placeName = ({ scope, stagelet = '', environments }: SecretPlace): string => {
  if (stagelet !== '') return `${scope} of ${stagelet}`
  return environments === undefined ? scope : `${scope} in ${environments.join(', ')}`
}
