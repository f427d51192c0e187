// The identity of a secret: project, key, scope and stagelet, which no two secrets share.
import type { KubeObject } from '../../src/resources/meta.ts'
import { secretName } from '../../src/resources/schemas/secret-fields.ts'
import { specOf } from '../../src/resources/typed.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError, usageError } from '../errors.ts'
import { servedKind } from '../objects/kinds.ts'
import { getIfThere, listObjects } from '../objects/objects.ts'

export interface SecretIdentity {
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
}

export const secretIdentityOf = (object: KubeObject): SecretIdentity => {
  const { projectRef, key, scope, stageletRef } = specOf('StagelySecret', object)
  return { project: projectRef.name, key, scope, stagelet: stageletRef?.name }
}

const textOf = ({ project, key, scope, stagelet }: SecretIdentity): string =>
  JSON.stringify([project, key, scope, stagelet ?? ''])

export interface StoredSecrets {
  readonly find: (identity: SecretIdentity) => KubeObject | undefined
  readonly hasName: (name: string) => boolean
  /** Every scope and stagelet for which the project has this key. */
  readonly placesOf: (project: string, key: string) => SecretIdentity[]
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
        .map(secretIdentityOf)
        .filter((identity) => identity.project === project && identity.key === key),
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

/** The given project, else the only one of the namespace. CliError when there is none. */
export const chosenProject = async (api: KubeApi, given: string | undefined): Promise<string> => {
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
  throw usageError(`say which project with --project: ${names.join(', ')}`)
}

/**
 * CliError when the project has no such stagelet: otherwise a mistyped name would show the values of
 * all.
 */
export const requireStagelet = async (
  api: KubeApi,
  project: string,
  name: string,
): Promise<void> => {
  const stagelets = await listObjects(api, servedKind('Stagelet'), { namespace: api.namespace })
  const names = stagelets
    .filter((stagelet) => specOf('Stagelet', stagelet).projectRef.name === project)
    .map(({ metadata }) => metadata.name)
  if (names.includes(name)) return
  const namesText = names.length === 0 ? 'it has none' : `there are: ${names.join(', ')}`
  throw new CliError(`project ${project} has no stagelet ${name}; ${namesText}`)
}

/** CliError when it does not exist. */
export const requireKnown = async (api: KubeApi, identity: SecretIdentity): Promise<KubeObject> => {
  const secrets = await readStoredSecrets(api)
  const found = secrets.find(identity)
  if (found !== undefined) return found
  const { project, key, scope, stagelet } = identity
  const only = stagelet === undefined ? '' : ` for stagelet ${stagelet}`
  const elsewhere = secrets.placesOf(project, key).map(flagsOf)
  const remedy =
    elsewhere.length === 0
      ? '"stagely secrets list" shows what there is'
      : `say which one is meant: ${elsewhere.join(' or ')}`
  throw new CliError(`project ${project} has no secret ${key} of scope ${scope}${only}; ${remedy}`)
}

const flagsOf = ({ scope, stagelet }: SecretIdentity): string =>
  `--scope ${scope}${stagelet === undefined ? '' : ` --stagelet ${stagelet}`}`
