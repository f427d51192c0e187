// Where the value of a secret comes from, in words. Pure.
import type { Secret } from '../../api/types.ts'

type From = NonNullable<Secret['value_from']>

const generatedText = ({ length, charset, keypair }: NonNullable<From['generate']>): string =>
  keypair !== undefined
    ? `a new ${keypair} key pair, made by the controller`
    : `made by the controller: ${length ?? 32} characters, ${charset ?? 'alphanumeric'}`

const externalText = (
  { store, key, property }: NonNullable<From['external']>,
  read: Secret['external'],
): string =>
  `${key}${property === undefined ? '' : `, ${property}`} of the store ${store}${read?.version === undefined ? '' : `, its version ${read.version}`}`

/** A sentence without its dot; `times` is how often a value was made anew at its end. */
export const comesFrom = ({
  value_from: from,
  renewals,
  version,
  references,
  external,
}: Pick<Secret, 'value_from' | 'renewals' | 'version' | 'references' | 'external'>): string => {
  if (from?.generate !== undefined)
    return `${generatedText(from.generate)}${renewals === undefined || renewals === 0 ? '' : `; renewed ${renewals} times at its end`}`
  if (from?.secretRef !== undefined) return `it follows the secret ${from.secretRef.name}`
  if (from?.kubernetesSecret !== undefined)
    return `the key ${from.kubernetesSecret.key} of the Secret ${from.kubernetesSecret.name} in the cluster`
  if (from?.rotation !== undefined)
    return `made by the rotation ${from.rotation.name}: ${from.rotation.output}`
  if (from?.external !== undefined) return externalText(from.external, external)
  if (version === 0) return 'nobody has given one yet'
  return references === true ? 'given by a person, with references to others' : 'given by a person'
}
