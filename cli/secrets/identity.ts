// Which secret is meant: project, key, scope and stagelet, which no two secrets share.
import type { KubeObject } from '../../src/resources/meta.ts'
import { secretName } from '../../src/resources/secret-fields.ts'
import type { SecretSpec } from '../../src/resources/stagelysecret.ts'
import type { Api } from '../api.ts'
import { CliError, usageError } from '../errors.ts'
import { kindOf } from '../kinds.ts'
import { listObjects } from '../objects.ts'

export interface Identity {
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
}

export const specOf = (object: KubeObject): SecretSpec => object.spec as unknown as SecretSpec

export const identityOf = (object: KubeObject): Identity => {
  const { projectRef, key, scope, stageletRef } = specOf(object)
  return { project: projectRef.name, key, scope, stagelet: stageletRef?.name }
}

const textOf = ({ project, key, scope, stagelet }: Identity): string =>
  JSON.stringify([project, key, scope, stagelet ?? ''])

export interface KnownSecrets {
  readonly find: (identity: Identity) => KubeObject | undefined
  readonly hasName: (name: string) => boolean
}

/** Every secret of the namespace. */
export const readKnownSecrets = async (api: Api): Promise<KnownSecrets> => {
  const objects = await listObjects(api, kindOf('StagelySecret'), { namespace: api.namespace })
  const byIdentity = new Map(objects.map((object) => [textOf(identityOf(object)), object]))
  const names = new Set(objects.map(({ metadata }) => metadata.name))
  return {
    find: (identity) => byIdentity.get(textOf(identity)),
    hasName: (name) => names.has(name),
  }
}

/** The name that the API gives as well. Another project of the namespace may have it already. */
export const nameFor = (identity: Identity, isTaken: (name: string) => boolean): string => {
  const name = secretName({ ...identity })
  return isTaken(name) ? `${name}.${identity.project}`.slice(0, 253) : name
}

/** The one that the flag names, else the only one of the namespace. */
export const projectOf = async (api: Api, given: string | undefined): Promise<string> => {
  if (given !== undefined) return given
  const projects = await listObjects(api, kindOf('Project'), { namespace: api.namespace })
  const names = projects.map(({ metadata }) => metadata.name)
  if (names.length === 1) return names[0]!
  const choice = names.length === 0 ? '' : `: ${names.join(', ')}`
  throw usageError(`say which project with --project${choice}`)
}

/** CliError where there is none. */
export const requireKnown = async (api: Api, identity: Identity): Promise<KubeObject> => {
  const found = (await readKnownSecrets(api)).find(identity)
  if (found !== undefined) return found
  const { project, key, scope, stagelet } = identity
  const only = stagelet === undefined ? '' : ` for stagelet ${stagelet}`
  throw new CliError(
    `project ${project} has no secret ${key} of scope ${scope}${only}; "stagely secrets list" shows what there is`,
  )
}
