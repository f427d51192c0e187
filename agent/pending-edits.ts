// Which services Compose would change by itself, and which of these the user has edited. Compose says so
// in a dry run with the very override that is running.
import { isAtLeast, type Compose } from '../src/compose/compose.ts'
import type { Environment } from '../src/compose/environment.ts'
import type { ComposeModel } from './compose-model.ts'
import { imageOf } from './images.ts'
import type { ObservedContainer } from './observe.ts'
import { unique, type ServiceModel } from './service-model.ts'
import { dependenciesOf } from './steps.ts'

// A line may begin with a question that Compose asks nobody: whether a volume may lose its data.
const line = /DRY-RUN MODE -\s+Container (\S+)\s+(Recreate|Creating|Create)\s*$/gm
const stopping = /DRY-RUN MODE -\s+Container (\S+)\s+Stopping\s*$/gm
const removed = /DRY-RUN MODE -\s+Network (\S+)\s+Remov(?:ed|ing)\s*$/gm

const serviceOf = (
  container: string,
  model: ComposeModel,
  containers: readonly ObservedContainer[],
): string | undefined => {
  const known = containers.find((c) => c.name === container)
  if (known !== undefined) return known.service
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
  /** Services whose image is not here: Compose would end at them, and say nothing of the others. */
  readonly imageless: readonly string[]
  /** Hash of the definition that each service was last known to be made of. */
  readonly made: Readonly<Record<string, string>>
}

/** What Compose would change by itself. */
export interface Diverging {
  /** Services that it would re-create or create, sorted. */
  readonly services: readonly string[]
  readonly networks: NetworkEdits
}

/** Networks that it would make anew, as newer versions do, and the services that it would stop for that. */
export interface NetworkEdits {
  readonly names: readonly string[]
  readonly services: readonly string[]
}

export const noNetworkEdits: NetworkEdits = { names: [], services: [] }

export const noDiverging: Diverging = { services: [], networks: noNetworkEdits }

/** Services with other containers than the files ask for: more or fewer of them. */
const miscounted = ({ model, containers }: DryRun): string[] =>
  model.services
    .filter(({ name, scale }) => {
      const count = containers.filter((c) => c.service === name).length
      return scale !== undefined && count !== scale
    })
    .map(({ name }) => name)

/** For a service that Compose cannot be asked of: whether its containers were made of something else. */
const isRedefined = (service: ServiceModel, { model, containers, made }: DryRun): boolean => {
  const { name, definition } = service
  const own = containers.filter((c) => c.service === name)
  if (made[name] !== undefined && definition !== undefined)
    return own.length > 0 && made[name] !== definition
  return own.some(({ image }) => image !== undefined && image !== imageOf(model, service))
}

/** It changes nothing. ComposeError when Compose refuses. The labels must be right when this is asked. */
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
 * Those of the diverging services that differ by themselves. Compose before 2.29.4 re-creates who depends
 * on what it re-creates, and before 2.29.3 what was made without its dependencies: neither was edited
 * where its definition is the one that it was made of.
 */
export const editedAmong = (
  diverging: readonly string[],
  given: {
    readonly services: readonly ServiceModel[]
    /** Hash of the definition that each service was last known to be made of. */
    readonly made: Readonly<Record<string, string>>
    readonly composeVersion: string
  },
): string[] => {
  const { services, made, composeVersion } = given
  if (isAtLeast(composeVersion, '2.29.4')) return [...diverging]
  return diverging.filter((name) => {
    const service = services.find((s) => s.name === name)
    if (service === undefined || service.dependsOn.length === 0) return true
    return service.definition === undefined || made[name] !== service.definition
  })
}
