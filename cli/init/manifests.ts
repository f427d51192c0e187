// The manifests of an adopted project: as objects, and as a YAML file for Git.
import { defined } from '../../src/kernel/defined.ts'
import type { EnvironmentSpec } from '../../src/kinds/shared/environment.ts'
import { apiVersion, type KubeObject } from '../../src/resources/meta.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { toYaml } from '../output/yaml.ts'
import { nameFor, type StoredSecrets } from '../objects/secret-identity.ts'
import type { ProposedSecret } from './found-secret.ts'

interface NewStagelet {
  readonly namespace: string
  readonly project: string
  readonly stagelet: string
  /** undefined: none. */
  readonly environment: string | undefined
  /** Those that the project lists already. */
  readonly environments: readonly EnvironmentSpec[]
  readonly agent: string
  /** On the agent's machine. */
  readonly directory: string
  /** undefined: the files that Compose chooses. */
  readonly files: readonly string[] | undefined
  readonly envFiles: readonly string[] | undefined
  readonly profiles: readonly string[] | undefined
  readonly composeProject: string
  /** Global secrets that the files may use elsewhere than in variables of containers. */
  readonly variables: readonly string[]
}

type Fields = Record<string, unknown>

export interface InitManifests {
  /** With values; stored once. */
  readonly objects: readonly KubeObject[]
  /** Names of the secrets that Stagely holds already: they stay as they are there. */
  readonly held: readonly string[]
  /** Without any value. */
  readonly yaml: string
}

const head = `# Written by "stagely init", which has also loaded the values: they are not here, and a secret without
# a value keeps the stored one. Commit this file; "stagely apply -f" makes it so.
`

/**
 * Where the value of a secret that Stagely holds comes from. It may have changed since the files were read, by a
 * rotation too. undefined: it has no value.
 */
const heldOf = (object: KubeObject | undefined): Fields | undefined => {
  if (object === undefined) return undefined
  const { references, valueFrom, visibility } = specOf('StagelySecret', object)
  const { version = 0 } = statusOf('StagelySecret', object)
  if (version === 0 && valueFrom === undefined) return undefined
  return defined({ references, valueFrom, visibility })
}

/** A stored secret keeps its visibility: only a person makes a masked value plain. */
const visibilityOf = (there: KubeObject | undefined, plain: true | undefined): Fields => {
  const stored = there && specOf('StagelySecret', there).visibility
  const visibility = there === undefined && plain === true ? ('Plain' as const) : stored
  return defined({ visibility })
}

/** `reload`: also secrets that Stagely holds already get the values of the files. */
export const renderManifests = (
  choice: NewStagelet,
  secrets: readonly ProposedSecret[],
  { stored, reload = false }: { readonly stored: StoredSecrets; readonly reload?: boolean },
): InitManifests => {
  const project = objectOf('Project', choice.project, choice.namespace, projectSpec(choice))
  const environments = choice.environment === undefined ? undefined : [choice.environment]
  const named = new Set<string>()
  const held = new Set<string>()
  const bare = secrets.map(({ key, scope, refersTo, plain }) => {
    const identity = { project: choice.project, key, scope, ...defined({ environments }) }
    const isTaken = (name: string): boolean => stored.hasName(name) || named.has(name)
    const there = stored.find(identity)
    const name = there?.metadata.name ?? nameFor(identity, isTaken)
    named.add(name)
    const spec = { projectRef: { name: choice.project }, key, scope, ...defined({ environments }) }
    const proposed = {
      ...(refersTo !== undefined && { references: true }),
      ...visibilityOf(there, plain),
    }
    const kept = reload ? undefined : heldOf(there)
    if (kept !== undefined) held.add(name)
    return objectOf('StagelySecret', name, choice.namespace, { ...spec, ...(kept ?? proposed) })
  })
  const stagelet = objectOf('Stagelet', choice.stagelet, choice.namespace, stageletSpec(choice))
  const withValues = bare.map((object, i) =>
    held.has(object.metadata.name)
      ? object
      : { ...object, spec: { ...(object.spec as Fields), value: secrets[i]?.value ?? '' } },
  )
  return {
    objects: [project, ...withValues, stagelet],
    held: [...held],
    yaml: head + [project, ...bare, stagelet].map(toYaml).join('---\n'),
  }
}

const objectOf = (kind: string, name: string, namespace: string, spec: Fields): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  spec,
})

/** Repeats the environments that are there: an apply would take others away. */
const projectSpec = ({ environment, environments }: NewStagelet): Fields => {
  const isListed =
    environment === undefined || environments.some(({ name }) => name === environment)
  if (isListed && environments.length === 0) return {}
  return { environments: isListed ? environments : [...environments, { name: environment }] }
}

const stageletSpec = (choice: NewStagelet): Record<string, unknown> => {
  const { files, envFiles, profiles, variables } = choice
  return {
    projectRef: { name: choice.project },
    agentRef: { name: choice.agent },
    ...defined({ environment: choice.environment }),
    compose: {
      directory: choice.directory,
      ...defined({ files }),
      projectName: choice.composeProject,
      ...defined({ profiles, envFiles }),
      ...(variables.length > 0 && { variables }),
    },
  }
}
