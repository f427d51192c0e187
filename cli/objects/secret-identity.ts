// The identity of a secret: project, key, scope, and stagelet or environments. No two secrets share it.
import { openClient } from '../connect/client.ts'
import { isReason } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { secretName } from '../../src/kinds/secret/rest-fields.ts'
import type { EnvironmentSpec } from '../../src/kinds/shared/environment.ts'
import { notWithStagelet } from '../../src/kinds/secret/cel.ts'
import { ofKind, specOf } from '../../src/kinds/typed.ts'
import { environmentsOf, namesOf } from '../../src/secrets/project-environments.ts'
import { withHint } from '../../src/search/near-name.ts'
import { everyService, namedPlaceOf, viewersIn, type SecretPlace } from '../../src/secrets/place.ts'
import { type ProjectEntry } from '../../src/secrets/set-entry.ts'
import { type KubeApi } from '../connect/api.ts'
import { secretPath } from '../connect/rest.ts'
import { CliError, usageError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere, listObjects } from './objects.ts'
import type { SecretFlags } from './secret-flags.ts'
import { defined } from '../../src/kernel/defined.ts'

export interface SecretIdentity extends SecretPlace {
  readonly project: string
  readonly key: string
}

export const secretIdentityOf = (object: KubeObject): SecretIdentity => {
  const spec = specOf('StagelySecret', object)
  return { project: spec.projectRef.name, key: spec.key, ...namedPlaceOf(spec) }
}

/** The secret that the flags of a command name. */
export const identityOf = (
  project: string,
  key: string,
  {
    scope = everyService,
    stagelet,
    environment,
  }: Pick<SecretFlags, 'scope' | 'stagelet' | 'environment'>,
): SecretIdentity => {
  if (stagelet !== undefined && environment !== undefined)
    throw usageError(`give --stagelet or --environment: ${notWithStagelet}`)
  return { project, key, scope, stagelet, environments: environment && [...environment].sort() }
}

/** For a list: `web`, `web, stagelet prod`, `web, in production and staging`. */
export const placeText = ({ scope, stagelet, environments }: SecretPlace): string => {
  if (environments !== undefined) return `${scope}, in ${environments.join(' and ')}`
  return stagelet === undefined ? scope : `${scope}, stagelet ${stagelet}`
}

const textOf = ({ project, key, scope, stagelet, environments }: SecretIdentity): string =>
  JSON.stringify([project, key, scope, stagelet ?? '', environments ?? []])

interface NamedSecret extends SecretIdentity {
  readonly name: string
}

export interface StoredSecrets {
  readonly find: (identity: SecretIdentity) => KubeObject | undefined
  readonly hasName: (name: string) => boolean
  /** Every secret of this key in the project. */
  readonly placesOf: (project: string, key: string) => NamedSecret[]
}

/** Every secret of the namespace. */
export const readStoredSecrets = async (api: KubeApi): Promise<StoredSecrets> => {
  const objects = await listObjects(api, servedKind('StagelySecret'), { namespace: api.namespace })
  const byIdentity = new Map(objects.map((object) => [textOf(secretIdentityOf(object)), object]))
  const names = new Set(objects.map(({ metadata }) => metadata.name))
  return {
    find: (identity) => byIdentity.get(textOf(identity)),
    hasName: (name) => names.has(name),
    placesOf: (project, key) =>
      objects
        .map((object) => ({ ...secretIdentityOf(object), name: object.metadata.name }))
        .filter((secret) => secret.project === project && secret.key === key),
  }
}

/** The name that the API would choose. Another project of the namespace may have it already. */
export const nameFor = (
  identity: SecretIdentity & { readonly audience?: unknown },
  isTaken: (name: string) => boolean,
): string => {
  const name = secretName({ ...identity })
  return isTaken(name) ? `${name}.${identity.project}`.slice(0, 253) : name
}

/**
 * The given project, else the only one of the namespace, else the only one that has a secret of the key. CliError when
 * there is none.
 */
export const chosenProject = async (
  api: KubeApi,
  given: string | undefined,
  key?: string,
): Promise<string> => {
  try {
    return await requireProject(api, given, key)
  } catch (error) {
    // A token for a part of a project reads no project. What follows is judged by its own place.
    if (!isReason(error, 'Forbidden')) throw error
    if (given !== undefined) return given
    throw usageError('say which project with --project: this login lists none')
  }
}

const requireProject = async (
  api: KubeApi,
  given: string | undefined,
  key: string | undefined,
): Promise<string> => {
  const kind = servedKind('Project')
  if (given !== undefined && (await getIfThere(api, kind, api.namespace, given)) !== undefined)
    return given
  const projects = await listObjects(api, kind, { namespace: api.namespace })
  const names = projects.map(({ metadata }) => metadata.name)
  if (names.length === 0)
    throw new CliError(
      `namespace ${api.namespace} has no project${given === undefined ? '' : ` ${given}`}: apply one (kind: Project), or adopt a Compose project with "stagely init DIR"`,
    )
  if (given !== undefined)
    throw new CliError(
      `namespace ${api.namespace} has no project ${given}; there are: ${names.join(', ')}`,
    )
  if (names.length === 1) return names[0]!
  const holders = key === undefined ? [] : await projectsWith(api, key)
  if (holders.length === 1) return holders[0]!
  const which =
    holders.length === 0 ? names.join(', ') : `${holders.join(' and ')} have a secret ${key ?? ''}`
  throw usageError(`say which project with --project: ${which}`)
}

const projectsWith = async (api: KubeApi, key: string): Promise<string[]> => {
  const of = { namespace: api.namespace, fields: `spec.key=${key}` }
  const secrets = await listObjects(api, servedKind('StagelySecret'), of)
  return [...new Set(secrets.map((secret) => secretIdentityOf(secret).project))].sort()
}

/** The environments of the project. CliError when it does not list `name`. */
export const requireEnvironment = async (
  api: KubeApi,
  project: string,
  name: string,
): Promise<readonly EnvironmentSpec[]> => {
  const found = await getIfThere(api, servedKind('Project'), api.namespace, project)
  const environments = environmentsOf(found)
  const names = namesOf(environments)
  if (names.includes(name)) return environments
  const namesText =
    names.length === 0
      ? 'it has none: list them in its spec.environments'
      : `there are: ${withHint(name, names)}`
  throw new CliError(`project ${project} has no environment ${name}; ${namesText}`)
}

/** CliError when the project has none of this name, as a mistyped name would show the values of all; also where both are given. */
export const requireViewer = async (
  api: KubeApi,
  project: string,
  { stagelet, environment }: { stagelet: string | undefined; environment: string | undefined },
): Promise<void> => {
  if (stagelet !== undefined && environment !== undefined)
    throw usageError('give --stagelet or --environment: a stagelet is in its environment already')
  if (stagelet !== undefined) await requireStagelet(api, project, stagelet)
  if (environment !== undefined) await requireEnvironment(api, project, environment)
}

const requireStagelet = async (api: KubeApi, project: string, name: string): Promise<void> => {
  const stagelets = await listObjects(api, servedKind('Stagelet'), { namespace: api.namespace })
  const names = stagelets
    .filter((stagelet) => specOf('Stagelet', stagelet).projectRef.name === project)
    .map(({ metadata }) => metadata.name)
  if (names.includes(name)) return
  const namesText = names.length === 0 ? 'it has none' : `there are: ${names.join(', ')}`
  throw new CliError(`project ${project} has no stagelet ${name}; ${namesText}`)
}

/** CliError where a secret of the key and scope names some of the environments, and others too: no second one may. */
export const refuseShared = (stored: StoredSecrets, identity: SecretIdentity): void => {
  const { project, key, scope, environments = [] } = identity
  for (const other of stored.placesOf(project, key)) {
    const { environments: others = [] } = other
    const shared = others.filter((name) => environments.includes(name)).join(' and ')
    if (other.scope !== scope || shared === '') continue
    throw new CliError(
      `secret ${other.name} is ${key} of scope ${scope} in ${others.join(' and ')}. To change that one: --environment ${others.join(',')}. For another value in ${shared}: first take ${shared} out of its spec.environments`,
    )
  }
}

/** CliError when it does not exist. */
export const requireKnown = async (api: KubeApi, identity: SecretIdentity): Promise<KubeObject> => {
  const secrets = await readStoredSecrets(api)
  const found = secrets.find(identity)
  if (found !== undefined) return found
  refuseShared(secrets, identity)
  const { project, key, scope, stagelet, environments } = identity
  const only =
    environments !== undefined
      ? ` in ${environments.join(' and ')}`
      : stagelet === undefined
        ? ''
        : ` for stagelet ${stagelet}`
  const elsewhere = secrets.placesOf(project, key).map(flagsOf)
  const remedy =
    elsewhere.length === 0
      ? '"stagely secrets list" shows what there is'
      : `say which one is meant: ${elsewhere.join(' or ')}`
  throw new CliError(`project ${project} has no secret ${key} of scope ${scope}${only}; ${remedy}`)
}

/** The secret that a command names, and what the command works on it with. */
export const openSecret = async (key: string, flags: Omit<SecretFlags, 'output'>) => {
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project, key)
  const identity = identityOf(project, key, flags)
  const object = await requireKnown(api, identity)
  const { name } = object.metadata
  return { api, rest, project, identity, object, name, path: secretPath(rest, project, name) }
}

/** What names it to a command, beside its key and project. */
export const flagsOf = ({ scope, stagelet, environments }: SecretPlace): string =>
  `--scope ${scope}` +
  (stagelet === undefined ? '' : ` --stagelet ${stagelet}`) +
  (environments === undefined ? '' : ` --environment ${environments.join(',')}`)

export const newSecret = (
  identity: SecretIdentity,
  isTaken: (name: string) => boolean,
  value: object,
): KubeObject => {
  const { project, key, scope, stagelet, environments } = identity
  return {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name: nameFor({ ...identity, ...value }, isTaken) },
    spec: {
      projectRef: { name: project },
      key,
      scope,
      ...(stagelet !== undefined && { stageletRef: { name: stagelet } }),
      ...defined({ environments }),
      ...value,
    },
  }
}

/** A secret as a set holds it, but for its value. */
export const entryOf = (secret: KubeObject): ProjectEntry => {
  const { metadata, spec, status } = ofKind('StagelySecret', secret)
  const { key, scope, type, file, ...more } = spec
  return {
    secretId: metadata.uid ?? '',
    name: metadata.name,
    version: status?.version ?? 0,
    key,
    scope,
    type,
    ...viewersIn(more),
    ...(file !== undefined && { file }),
    bytes: 0,
    valueDigest: '', // only the agent and the controller have it
    ...(more.references === true && { references: [] }),
  }
}
