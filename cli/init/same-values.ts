// Which secrets hold one value: by the variable or the line that fills both, by their text, or by the service whose
// password a login uses. Pure.
import { variablesOfText } from '../../src/compose/variables.ts'
import { looksSecret } from '../../src/secrets/looks-secret.ts'
import { minTellingLength } from '../../src/secrets/managed-values.ts'
import { isForAll } from '../../src/secrets/place.ts'
import type { ComposeProject, ComposeService } from './compose-project.ts'
import type { FoundSecret } from './found-secret.ts'
import { createOrder, type Order } from './holders.ts'
import { loginBeside, passwordPlaceOf, type Login } from './password-place.ts'

export interface SameValues {
  readonly order: Order
  /** The secret that keeps the value; the secret itself where it is the one. */
  readonly homeOf: (secret: FoundSecret) => FoundSecret
  /** The home of what comes from this source. */
  readonly homeOfSource: (source: string) => FoundSecret | undefined
  /** The home of a password of that login, as the service has it that the login goes to. */
  readonly homeOfLogin: (login: Login, password: string) => FoundSecret | undefined
}

export const textSource = (value: string): string => `text ${value}`

/** A password and the like, and no text with a password in it. */
export const isPassword = ({ key, value }: FoundSecret): boolean =>
  looksSecret(key, value) && passwordPlaceOf(value) === undefined

/** Equal texts count as one value only for secrets: the name `postgres` may be a user and a host. */
const sourcesOf = (secret: FoundSecret): string[] => [
  ...(isPassword(secret) && secret.value.length >= minTellingLength
    ? [textSource(secret.value)]
    : []),
  ...(secret.source === undefined ? [] : [secret.source]),
]

export const areVariables = (...secrets: FoundSecret[]): boolean =>
  secrets.every(({ source = '' }) => source.startsWith('variable '))

/** Two variables, and two keys of one service, are two secrets, also where their texts are equal today. */
const mayRefer = (secret: FoundSecret, home: FoundSecret): boolean => {
  if (secret.source !== undefined && secret.source === home.source) return true
  return !areVariables(secret, home) && secret.scope !== home.scope
}

/** Whether the service has the value of this secret. */
const hasIn = ({ name, environment, texts }: ComposeService, secret: FoundSecret): boolean =>
  secret.scope === name ||
  (isForAll(secret) &&
    (environment.get(secret.key) === secret.value ||
      texts.some(({ text }) => variablesOfText(text).includes(secret.key))))

/** Passwords of services that a login names, whose user is no other one. */
const passwordsOf = (
  services: ComposeProject['services'],
  found: readonly FoundSecret[],
  { user, hosts }: Login,
): FoundSecret[] =>
  services
    .filter((service) => service.hosts.some((host) => hosts.includes(host)))
    .flatMap((service) =>
      found.filter((secret) => {
        if (!isPassword(secret) || !hasIn(service, secret)) return false
        const { user: theirs = '' } = loginBeside(secret.key, service.environment) ?? {}
        return user === '' || theirs === '' || user === theirs
      }),
    )

export const findSameValues = (
  services: ComposeProject['services'],
  found: readonly FoundSecret[],
): SameValues => {
  const order = createOrder(services)
  const before = new Map<FoundSecret, FoundSecret>()
  const homeOf = (secret: FoundSecret): FoundSecret => {
    const next = before.get(secret)
    return next === undefined ? secret : homeOf(next)
  }
  const join = (a: FoundSecret, b: FoundSecret): void => {
    const [home, other] = [homeOf(a), homeOf(b)].sort(order) as [FoundSecret, FoundSecret]
    if (home !== other) before.set(other, home)
  }
  const first = new Map<string, FoundSecret>()
  for (const secret of found.toSorted(order))
    for (const source of sourcesOf(secret)) if (!first.has(source)) first.set(source, secret)
  const ofLogin = (login: Login, password: string): FoundSecret | undefined =>
    passwordsOf(services, found, login)
      .filter(({ value }) => value === password)
      .sort(order)[0]
  for (const secret of found) {
    for (const source of sourcesOf(secret)) {
      const home = first.get(source)
      if (home !== undefined && mayRefer(secret, home)) join(secret, home)
    }
    const { environment } = services.find(({ name }) => name === secret.scope) ?? {}
    const login = environment && isPassword(secret) && loginBeside(secret.key, environment)
    const home = login ? ofLogin(login, secret.value) : undefined
    if (home !== undefined) join(secret, home)
  }
  const orNone = (secret: FoundSecret | undefined): FoundSecret | undefined =>
    secret && homeOf(secret)
  return {
    order,
    homeOf,
    homeOfSource: (source) => orNone(first.get(source)),
    homeOfLogin: (login, password) => orNone(ofLogin(login, password)),
  }
}
