// Finds the services that Compose would change by itself, by a dry run with the override that is running, and those among
// them that the user has edited.
import { isAtLeast, type Compose } from '../../src/compose/compose.ts'
import type { Environment } from '../../src/compose/environment.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { imageOf } from './images.ts'
import type { ObservedContainer } from './container.ts'
import { unique, type ServiceModel } from '../compose/service-model.ts'
import { dependenciesOf } from '../compose/dependencies.ts'

// A line may begin with a question that nobody answers: whether a volume may lose its data.
const line = /DRY-RUN MODE -\s+Container (\S+)\s+(Recreate|Creating|Create)\s*$/gm
const stopping = /DRY-RUN MODE -\s+Container (\S+)\s+Stopping\s*$/gm
const removed = /DRY-RUN MODE -\s+Network (\S+)\s+Remov(?:ed|ing)\s*$/gm

const serviceOf = (
  container: string,
  model: ComposeModel,
  containers: readonly ObservedContainer[],
): string | undefined => {
  const named = containers.find((c) => c.name === container)
  if (named !== undefined) return named.service
  const numbered = container.replace(/-\d+$/, '')
  return model.services.find(
    (s) => s.containerName === container || `${model.projectName}-${s.name}` === numbered,
  )?.name
}

export interface DryRun {
  readonly model: ComposeModel
  readonly containers: readonly ObservedContainer[]
  readonly override: Buffer
  readonly cwd: string
  readonly env: Environment
  readonly mask: (text: string) => string
  /** Services whose image is missing: the dry run would end at them, and tell nothing of the others. */
  readonly imageless: readonly string[]
  /** By service, hash of the last known definition that its containers were made from. */
  readonly made: Readonly<Record<string, string>>
}

/** What Compose would change by itself. */
export interface Diverging {
  /** Services that it would re-create or create, sorted. */
  readonly services: readonly string[]
  readonly networks: NetworkEdits
}

/** Edited networks, which newer versions of Compose make anew, and the services that they would stop for that. */
export interface NetworkEdits {
  readonly names: readonly string[]
  readonly services: readonly string[]
}

export const noNetworkEdits: NetworkEdits = { names: [], services: [] }

export const noDiverging: Diverging = { services: [], networks: noNetworkEdits }

/** Services with more or fewer containers than the files ask for. */
const miscounted = ({ model, containers }: DryRun): string[] =>
  model.services
    .filter(({ name, scale }) => {
      const count = containers.filter((c) => c.service === name).length
      return scale !== undefined && count !== scale
    })
    .map(({ name }) => name)

/** For a service that is left out of the dry run: true where its containers were made from another definition. */
const isRedefined = (service: ServiceModel, { model, containers, made }: DryRun): boolean => {
  const { name, definition } = service
  const own = containers.filter((c) => c.service === name)
  if (made[name] !== undefined && definition !== undefined)
    return own.length > 0 && made[name] !== definition
  return own.some(({ image }) => image !== undefined && image !== imageOf(model, service))
}

/** Asks Compose by a dry run. The labels must be right. ComposeError when Compose refuses. */
export const findDiverging = async (compose: Compose, request: DryRun): Promise<Diverging> => {
  const { model, containers, override, cwd, env, mask, imageless } = request
  const progress = ['--progress', 'plain', '--dry-run']
  const flags = [...model.flags, '-p', model.projectName, '-f', '-', ...progress]
  const byName = new Map(model.services.map((s) => [s.name, s]))
  const isAsked = ({ name }: ServiceModel): boolean =>
    ![name, ...dependenciesOf(name, byName)].some((n) => imageless.includes(n))
  const asked = model.services.filter(isAsked).map((s) => s.name)
  const redefined = model.services.filter((s) => !isAsked(s) && isRedefined(s, request))
  const unasked = [...miscounted(request), ...redefined.map((s) => s.name)]
  if (asked.length === 0) return { services: unique(unasked), networks: noNetworkEdits }
  const all = asked.length === model.services.length
  const verb = ['create', '--no-build', '--pull', 'never', ...(all ? [] : ['--', ...asked])]
  const { stdout, stderr } = await compose.run({ verb, flags, cwd, env, mask, stdin: override })
  const output = `${stdout}\n${stderr}`
  const namedBy = (pattern: RegExp): string[] => [...output.matchAll(pattern)].map((m) => m[1]!)
  const servicesBy = (pattern: RegExp): string[] =>
    namedBy(pattern).map((name) => serviceOf(name, model, containers) ?? name)
  const names = unique(namedBy(removed))
  return {
    services: unique([...servicesBy(line), ...unasked]),
    networks:
      names.length === 0 ? noNetworkEdits : { names, services: unique(servicesBy(stopping)) },
  }
}

/**
 * The diverging services that the user has edited. Compose before 2.29.4 also re-creates services that depend on a
 * re-created one, and before 2.29.3 those that were made without their dependencies: such a service was not edited
 * where its definition is still the one that it was made from.
 */
export const editedAmong = (
  diverging: readonly string[],
  last: {
    readonly services: readonly ServiceModel[]
    /** Hash of the definition that each service was last known to be made of. */
    readonly made: Readonly<Record<string, string>>
    readonly composeVersion: string
  },
): string[] => {
  const { services, made, composeVersion } = last
  if (isAtLeast(composeVersion, '2.29.4')) return [...diverging]
  return diverging.filter((name) => {
    const service = services.find((s) => s.name === name)
    if (service === undefined || service.dependsOn.length === 0) return true
    return service.definition === undefined || made[name] !== service.definition
  })
}
