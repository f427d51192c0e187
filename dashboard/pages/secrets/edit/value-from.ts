// Where the value of a secret comes from, and where it is changed, in words. Pure.
import type { Secret } from '../../../../src/rest/types.ts'
import { projectUrl, rotationsUrl } from '../../../ui/text/links.ts'

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

export interface Elsewhere {
  /** A sentence. */
  readonly says: string
  /** The page where the value is changed, with its name; undefined: no page does that. */
  readonly page?: readonly [href: string, name: string]
}

type Placed = Pick<Secret, 'value_from' | 'team' | 'project'>

/** Where the value is changed, of a secret to which nobody can give one; undefined: a person gives it. */
export const changedElsewhere = ({ value_from: from, ...of }: Placed): Elsewhere | undefined => {
  const project = { team: of.team, name: of.project }
  if (from?.rotation !== undefined)
    return {
      says: `The rotation ${from.rotation.name} gives this value: run that for a new one.`,
      page: [rotationsUrl(project), 'Rotations'],
    }
  if (from?.external !== undefined)
    return {
      says: `The store ${from.external.store} gives this value: change ${from.external.key} there.`,
      page: ['/ui/stores', 'Stores'],
    }
  if (from?.secretRef !== undefined) {
    const { name } = from.secretRef
    const query = new URLSearchParams({ secret: name }).toString()
    return {
      says: `It follows the secret ${name}: change that one.`,
      page: [`${projectUrl(project)}?${query}`, name],
    }
  }
  if (from?.kubernetesSecret !== undefined)
    return {
      says: `The cluster gives this value: change the Secret ${from.kubernetesSecret.name} there.`,
    }
  return from?.generate === undefined
    ? undefined
    : { says: 'The controller makes this value: nobody gives one.' }
}

/** Why no older value comes back: another place gives the value, and would give its own again. */
export const noWayBack = (secret: Placed): string | undefined => {
  const { generate, rotation } = secret.value_from ?? {}
  return (generate ?? rotation) === undefined ? changedElsewhere(secret)?.says : undefined
}
