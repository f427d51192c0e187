// Secrets whose texts are equal, and that are two secrets all the same: a person may know better. Pure.
import { minTellingLength } from '../../src/secrets/managed-values.ts'
import type { ComposeProject } from './compose-project.ts'
import { nameOf, type FoundSecret } from './found-secret.ts'
import { passwordPlaceOf } from './password-place.ts'
import { areVariables, isPassword, type SameValues } from './same-values.ts'

export interface Untied {
  readonly key: string
  readonly scope: string
  /** `scope/KEY` of the secret with the same text. */
  readonly sameAs: string
  readonly why: string
}

type Services = ComposeProject['services']

interface Ties {
  readonly same: SameValues
  /** Those that refer to another secret, those with a password in them by this password. */
  readonly tied: ReadonlySet<FoundSecret>
}

export const untiedAmong = (
  services: Services,
  found: readonly FoundSecret[],
  { same, tied }: Ties,
): Untied[] => {
  const loose = found.filter((secret) => !tied.has(secret))
  const passwords = loose.filter(isPassword).sort(same.order)
  return loose.flatMap((secret): Untied[] => {
    const { key, scope } = secret
    const other = passwordPlaceOf(secret.value)
      ? inLogin(services, secret, passwords)
      : asWhole(secret, passwords)
    return other === undefined ? [] : [{ key, scope, sameAs: nameOf(other.home), why: other.why }]
  })
}

interface Other {
  readonly home: FoundSecret
  readonly why: string
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const inLogin = (
  services: Services,
  { value }: FoundSecret,
  passwords: readonly FoundSecret[],
): Other | undefined => {
  const { password = '', hosts = [] } = passwordPlaceOf(value) ?? {}
  const equal = passwords.filter((home) => home.value === decoded(password))
  const isThere = ({ scope }: FoundSecret): boolean =>
    services.some(
      ({ name, hosts: names }) => name === scope && names.some((n) => hosts.includes(n)),
    )
  const home = equal.find(isThere) ?? equal[0]
  if (home === undefined) return undefined
  if (home.value !== password)
    return { home, why: 'it is percent-encoded there, and a reference gives it as it is' }
  const why = isThere(home) ? 'it is of another user' : `its host is not ${home.scope}`
  return { home, why }
}

/** The first one of a text is the one that the others are compared with. */
const asWhole = (secret: FoundSecret, passwords: readonly FoundSecret[]): Other | undefined => {
  const home = passwords.find(({ value }) => value === secret.value)
  if (home === undefined || home === secret || !passwords.includes(secret)) return undefined
  if (home.scope === secret.scope) return { home, why: 'they are two keys of one service' }
  if (areVariables(home, secret)) return { home, why: 'two variables fill them' }
  const isShort = secret.value.length < minTellingLength
  return { home, why: isShort ? 'texts this short may be equal by chance' : 'nothing else says so' }
}
