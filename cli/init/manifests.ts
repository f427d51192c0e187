// The manifests of an adopted project: as objects, and as a YAML file for Git.
import { defined } from '../../src/kernel/defined.ts'
import { apiVersion, type KubeObject } from '../../src/resources/meta.ts'
import { toYaml } from '../output.ts'
import { nameFor, type KnownSecrets } from '../secrets/identity.ts'
import type { ProposedSecret } from './found-secret.ts'

export interface StageletChoice {
  readonly namespace: string
  readonly project: string
  readonly stagelet: string
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

export interface Manifests {
  /** With values; stored once. */
  readonly objects: readonly KubeObject[]
  /** Without any value. */
  readonly yaml: string
}

const head = `# Written by "stagely init", which has also loaded the values: they are not here, and a secret without
# a value keeps the stored one. Commit this file; "stagely apply -f" makes it so.
`

export const renderManifests = (
  choice: StageletChoice,
  secrets: readonly ProposedSecret[],
  known: KnownSecrets,
): Manifests => {
  const project = objectOf('Project', choice.project, choice.namespace, {})
  const named = new Set<string>()
  const bare = secrets.map(({ key, scope, refersTo }) => {
    const identity = { project: choice.project, key, scope }
    const isTaken = (name: string): boolean => known.hasName(name) || named.has(name)
    const name = known.find(identity)?.metadata.name ?? nameFor(identity, isTaken)
    named.add(name)
    const references = refersTo === undefined ? {} : { references: true }
    const spec = { projectRef: { name: choice.project }, key, scope, ...references }
    return objectOf('StagelySecret', name, choice.namespace, spec)
  })
  const stagelet = objectOf('Stagelet', choice.stagelet, choice.namespace, stageletSpec(choice))
  const withValues = bare.map((object, i) => ({
    ...object,
    spec: { ...object.spec, value: secrets[i]?.value ?? '' },
  }))
  return {
    objects: [project, ...withValues, stagelet],
    yaml: head + [project, ...bare, stagelet].map(toYaml).join('---\n'),
  }
}

const objectOf = (
  kind: string,
  name: string,
  namespace: string,
  spec: Record<string, unknown>,
): KubeObject => ({ apiVersion, kind, metadata: { name, namespace }, spec })

const stageletSpec = (choice: StageletChoice): Record<string, unknown> => {
  const { files, envFiles, profiles, variables } = choice
  return {
    projectRef: { name: choice.project },
    agentRef: { name: choice.agent },
    compose: {
      directory: choice.directory,
      ...defined({ files }),
      projectName: choice.composeProject,
      ...defined({ profiles, envFiles }),
      ...(variables.length > 0 && { variables }),
    },
  }
}
