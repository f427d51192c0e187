// What keys of an import reach that nobody has given a scope: all services, also those that never had such a variable. Pure.
import type { KubeObject } from '../../src/resources/meta.ts'
import { environmentsOf } from '../../src/secrets/project-environments.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { isolatedIn, layoutOf } from '../../src/secrets/layout.ts'
import { reaches, type SecretPlace } from '../../src/secrets/place.ts'

const shown = 5

const shortList = (names: readonly string[]): string =>
  names.length <= shown + 1
    ? names.join(', ')
    : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`

/** By service, the variables that its Compose file sets; undefined where no agent tells them. */
const variablesIn = (
  stagelets: readonly KubeObject[],
): ReadonlyMap<string, ReadonlySet<string> | undefined> => {
  const found = new Map<string, Set<string> | undefined>()
  for (const stagelet of stagelets) {
    const { services = [] } = statusOf('Stagelet', stagelet)
    // An agent leaves out the names of all services where these are too many, and of one that has none.
    const isTold = services.some(({ composeKeys }) => composeKeys !== undefined)
    for (const { name, composeKeys = [] } of services) {
      const before = found.get(name)
      found.set(name, isTold ? new Set([...(before ?? []), ...composeKeys]) : before)
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The stagelets of a project that secrets of this place reach. */
export const reachedIn = (
  project: KubeObject | undefined,
  stagelets: readonly KubeObject[],
  place: SecretPlace,
): KubeObject[] => {
  const named = stagelets.map((stagelet) => ({
    name: stagelet.metadata.name,
    environment: specOf('Stagelet', stagelet).environment,
  }))
  const layout = layoutOf(named, isolatedIn(environmentsOf(project)))
  return stagelets.filter(({ metadata }) => reaches(place, metadata.name, layout))
}

/** Lines for people about new global keys, as the stagelets report their services. */
export const reachOfGlobal = (
  keys: readonly string[],
  stagelets: readonly KubeObject[],
): string[] => {
  if (keys.length === 0) return []
  const isOne = keys.length === 1
  const services = variablesIn(stagelets)
  const what = isOne ? '1 new key is global' : `${keys.length} new keys are global`
  const whom =
    services.size === 0
      ? `every service gets ${isOne ? 'it' : 'each of them'}`
      : `${isOne ? 'it goes' : 'each goes'} to all ${services.size} services (${shortList([...services.keys()])})`
  const how = `--scope SERVICE gives ${isOne ? 'it' : 'all of them'} to one service.`
  const lacking = [...services].flatMap(([service, variables]) => {
    const missing = keys.filter((key) => variables?.has(key) === false)
    return missing.length === 0 ? [] : [`${service} (${shortList(missing)})`]
  })
  const rest = lacking.length - shown
  const lists = rest > 1 ? [...lacking.slice(0, shown), `and ${rest} more services`] : lacking
  return [
    ...(services.size === 1 ? [] : [`${what}: ${whom}. ${how}`]),
    ...(lists.length === 0
      ? []
      : [`New for services whose Compose file does not set them: ${lists.join('; ')}.`]),
  ]
}
