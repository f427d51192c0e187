// Proposes which service sees which key, from the present use in the project. Pure.
import { append } from '../../src/kernel/append.ts'
import { looksSecret } from '../../src/secrets/looks-secret.ts'
import { plainAmong } from '../../src/secrets/managed-values.ts'
import { everyService, isForAll, isForService } from '../../src/secrets/place.ts'
import type { ComposeProject, ComposeService } from './compose-project.ts'
import {
  follows,
  variableSource,
  whyPlain,
  type FoundSecret,
  type Kept,
  type ProposedSecret,
} from './found-secret.ts'
import { inOrder, keptFiles, keptVariables } from './kept.ts'
import { sharedVariables, valueOfVariable, variablesInOtherPlaces } from './other-places.ts'
import { shareValues } from './share-values.ts'
import type { Untied } from './untied.ts'
import { withoutUnread, type Unread } from './unread.ts'
import { valuesOfService, variablesOf, type ServiceValue } from './values-of-service.ts'

export interface Proposal {
  readonly secrets: readonly ProposedSecret[]
  readonly kept: readonly Kept[]
  /**
   * Services that the first `up` with Stagely re-creates: those that see a secret, and those that share
   * with them.
   */
  readonly recreated: readonly string[]
  /** Services that it restarts after these, as the files ask for (`restart: true`). */
  readonly restarted: readonly string[]
  readonly untouched: readonly string[]
  /** Equal texts that stay apart. */
  readonly untied: readonly Untied[]
  /** Services that get a variable for the first time, since its secret becomes global. */
  readonly gains: readonly Gain[]
  /** Databases that get a variable from an `env_file` and do not read it: it stays as it is there. */
  readonly unread: readonly Unread[]
}

interface Gain {
  readonly key: string
  /** Where it stands outside of `environment`. */
  readonly place: string
  readonly services: readonly string[]
}

interface Wishes {
  /** Keys that stay in the user's files, and variables that a command or the like uses too. */
  readonly exclude: readonly string[]
  /** Variables that become global secrets, for `${VAR}` outside `environment`. */
  readonly global: readonly string[]
  /** Plain configuration becomes secrets too. */
  readonly all?: boolean
  /** The tool that the values leave: no file keeps them, so that all that is used becomes a secret or a plain value. */
  readonly leaves?: string
  /** false: a value in several places becomes a secret in each of them. */
  readonly references?: boolean
}

export const propose = (project: ComposeProject, given: Wishes): Proposal => {
  const wishes = withLeaving(project, given)
  const kept: Kept[] = []
  const values = project.services.flatMap((service) =>
    valuesOfService(project, service, wishes.exclude, kept),
  )
  const chosen = chooseSecrets(project, values, wishes, kept)
  const { read, unread } = withoutUnread(project, chosen)
  const whole = withOneValue(project, read, wishes, kept)
  const enabled = project.services.filter((service) => service.enabled)
  const found = withoutIdle(
    withGlobals(whole.services, project.services.length),
    new Set([everyService, ...enabled.map(({ name }) => name)]),
    kept,
  )
  const isThere = (key: string): boolean => found.some((s) => s.key === key && isForAll(s))
  const all: FoundSecret[] = [...found, ...whole.globals.filter(({ key }) => !isThere(key))]
  append(all, ownValues(project, all))
  const { secrets, untied } =
    wishes.references === false ? { secrets: all, untied: [] } : shareValues(project, all)
  const replaced = new Set(secrets.filter(isForAll).map(({ key }) => key))
  append(kept, [...keptVariables(project, replaced), ...keptFiles(project)])
  const sees = (name: string): boolean => secrets.some((secret) => isForService(secret, name))
  const recreated = enabled
    .filter(({ name, sharesWith }) => sees(name) || sharesWith.some(sees))
    .map(({ name }) => name)
  const others = enabled.filter(({ name }) => !recreated.includes(name))
  const isRestarted = ({ restartsAfter }: ComposeService): boolean =>
    restartsAfter.some((name) => recreated.includes(name))
  return {
    secrets: withPlain(secrets.map(withoutOrigin)).sort(
      (a, b) => compare(a.key, b.key) || compare(a.scope, b.scope),
    ),
    kept: inOrder(kept),
    recreated,
    restarted: others.filter(isRestarted).map(({ name }) => name),
    untouched: others.filter((service) => !isRestarted(service)).map(({ name }) => name),
    untied,
    gains: gainsOf(project, enabled, secrets),
    unread,
  }
}

/** Of secrets that become global for a place outside of `environment`. */
const gainsOf = (
  project: ComposeProject,
  enabled: readonly ComposeService[],
  secrets: readonly ProposedSecret[],
): Gain[] => {
  const elsewhere = variablesInOtherPlaces(project)
  return secrets.flatMap(({ key, scope }) => {
    const place = isForAll({ scope }) ? elsewhere.get(key) : undefined
    const gaining = enabled.filter(({ environment }) => !environment.has(key))
    return place === undefined || gaining.length === 0
      ? []
      : [{ key, place, services: gaining.map(({ name }) => name) }]
  })
}

/** Variables of the tool that is left which stand outside of `environment`, such as tags of images, become global. */
const withLeaving = (project: ComposeProject, wishes: Wishes): Wishes => {
  const left = project.dotenvFiles.find(({ path }) => path === wishes.leaves)
  if (left === undefined) return wishes
  const used = [...variablesInOtherPlaces(project).keys()].filter(
    (name) => left.values.has(name) && !name.startsWith('COMPOSE_'),
  )
  return { ...wishes, global: [...wishes.global, ...used] }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const withoutOrigin = ({ key, scope, value, from, refersTo }: ProposedSecret): ProposedSecret => ({
  key,
  scope,
  value,
  from,
  ...(refersTo !== undefined && { refersTo }),
})

/** What is no secret is proposed as plain. A value with references stays masked: what it refers to is a secret. So does what a secret follows. */
const withPlain = (proposed: readonly ProposedSecret[]): ProposedSecret[] => {
  const isSecret = (secret: ProposedSecret): boolean =>
    looksSecret(secret.key, secret.value) ||
    proposed.some(({ key, ...one }) => follows(one, secret) && looksSecret(key, secret.value))
  const plain = plainAmong(proposed, isSecret)
  return proposed.map((secret) =>
    plain.has(secret) && secret.refersTo === undefined ? { ...secret, plain: true } : secret,
  )
}

/** Secrets, values that hold one, and values of one key that differ between services; the rest is plain, and stays. */
const chooseSecrets = (
  { services }: ComposeProject,
  values: readonly ServiceValue[],
  { all, leaves }: Wishes,
  kept: Kept[],
): ServiceValue[] => {
  const needless = plainAmong(values, ({ isSecret }) => isSecret)
  const differs = ({ key, value }: ServiceValue): boolean =>
    services.some(({ environment }) => (environment.get(key) ?? value) !== value)
  const [chosen, plain]: [ServiceValue[], ServiceValue[]] = [[], []]
  for (const serviceValue of values) {
    const isLeaving = serviceValue.file === leaves
    const isChosen =
      all === true || isLeaving || !needless.has(serviceValue) || differs(serviceValue)
    ;(isChosen ? chosen : plain).push(serviceValue)
  }
  append(
    kept,
    plain.map(({ key, file }) => ({ key, file, why: whyPlain })),
  )
  return chosen
}

/**
 * A secret that stands in `environment` and in another place, such as a command, becomes a global secret, which fills
 * both. Where that cannot be, it stays in both.
 */
const withOneValue = (
  project: ComposeProject,
  chosen: readonly ServiceValue[],
  { exclude, global }: Wishes,
  kept: Kept[],
): { services: ServiceValue[]; globals: FoundSecret[] } => {
  const shared = sharedVariables(project, chosen)
  const torn = new Map(
    shared.flatMap(({ name, value, place }) => {
      if (exclude.includes(name)) return [[name, 'excluded'] as const]
      if (value !== undefined || global.includes(name)) return []
      const why = `\${${name}} stands in ${place} too, with other defaults: give it one value in .env`
      return [[name, why] as const]
    }),
  )
  const whyStays = (serviceValue: ServiceValue): string | undefined =>
    variablesOf(serviceValue).flatMap((name) => torn.get(name) ?? [])[0]
  for (const serviceValue of chosen) {
    const why = whyStays(serviceValue)
    if (why !== undefined) kept.push({ key: serviceValue.key, file: serviceValue.file, why })
  }
  const elsewhere = variablesInOtherPlaces(project)
  const names = new Set([...global, ...shared.flatMap(({ name }) => (torn.has(name) ? [] : name))])
  const globals = [...names].flatMap((key): FoundSecret[] => {
    const value = valueOfVariable(project, key)
    if (value === undefined) return []
    const place = elsewhere.get(key)
    const from = `\${${key}}${place === undefined ? '' : `, also in ${place}`}`
    return [{ key, scope: everyService, value, from, source: variableSource(key, value) }]
  })
  return {
    services: chosen.filter((serviceValue) => whyStays(serviceValue) === undefined),
    globals,
  }
}

/** Replaces equal secrets of all services by one global secret. */
const withGlobals = (
  serviceValues: readonly ServiceValue[],
  serviceCount: number,
): ServiceValue[] => {
  const byKey = new Map<string, ServiceValue[]>()
  for (const secret of serviceValues)
    byKey.set(secret.key, [...(byKey.get(secret.key) ?? []), secret])
  return [...byKey.values()].flatMap((all) => {
    const same = all.every(({ value }) => value === all[0]?.value)
    return serviceCount > 1 && all.length === serviceCount && same
      ? [{ ...all[0]!, scope: everyService }]
      : all
  })
}

/** No container gets what is for a service that the stack does not run: it stays in the files. */
const withoutIdle = (
  found: readonly ServiceValue[],
  scopes: ReadonlySet<string>,
  kept: Kept[],
): ServiceValue[] =>
  found.filter(({ key, scope, file }) => {
    const isRun = scopes.has(scope)
    const why = `service ${scope} is in no active profile; --profile NAME takes it`
    if (!isRun) kept.push({ key, file, why })
    return isRun
  })

/** What services have of the key of a global secret, where it is something else: the global one would win over it. */
const ownValues = ({ services }: ComposeProject, found: readonly FoundSecret[]): FoundSecret[] => {
  const has = new Set(found.map(({ key, scope }) => `${scope}/${key}`))
  return found.flatMap(({ key, scope, value }) =>
    !isForAll({ scope })
      ? []
      : services.flatMap(({ name, environment }) => {
          const own = environment.get(key)
          if (own === undefined || own === value || has.has(`${name}/${key}`)) return []
          return [{ key, scope: name, value: own, from: 'environment: other than the global one' }]
        }),
  )
}

/** Keys of global secrets that the files use elsewhere than in variables of containers. */
export const usedInOtherPlaces = (
  project: ComposeProject,
  secrets: readonly Pick<ProposedSecret, 'key' | 'scope'>[],
): string[] => {
  const elsewhere = variablesInOtherPlaces(project)
  const globals = new Set(secrets.filter(isForAll).map((s) => s.key))
  return [...globals].filter((key) => elsewhere.has(key)).sort()
}
