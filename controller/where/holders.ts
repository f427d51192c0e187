// Which agents have got a version of a secret: they know its value already, and others must not learn it by a look.
import { agentKeyOf } from '../../src/protocol/agent-key.ts'
import { refOf } from '../../src/resources/meta.ts'
import { environmentsOf } from '../../src/secrets/project-environments.ts'
import { projectRefOf } from '../../src/resources/project-ref.ts'
import { statusOf, type ObjectOf } from '../../src/kinds/typed.ts'
import { isolatedIn, type Layout } from '../../src/secrets/layout.ts'
import { reaches } from '../../src/secrets/place.ts'
import type { SecretVersion } from '../../src/store/core/history.ts'
import type { Store } from '../../src/store/store.ts'

export type HolderStore = Pick<Store, 'get' | 'list' | 'versionsOf' | 'deliveries'>

/** Names of the agents that have got the version. */
type HoldersOf = (version: number) => ReadonlySet<string>

const isIn = ({ fromRevision, toRevision = Infinity }: SecretVersion, revision: number): boolean =>
  fromRevision <= revision && revision < toRevision

/**
 * An agent holds a version where a stagelet of its own that sees the secret, and saw it then, was sent a revision with it,
 * sealed to the keys that the agent has now: a new machine of the same name has not got what the old one got.
 */
export const holdersIn = async (
  store: HolderStore,
  secret: ObjectOf<'StagelySecret'>,
): Promise<HoldersOf> => {
  const { namespace } = refOf(secret)
  const project = await store.get(projectRefOf(secret))
  if (project === undefined) return () => new Set()
  const [versions, { items: agents }, { items: stagelets }] = await Promise.all([
    store.versionsOf(secret.metadata.uid ?? ''),
    store.list('Agent', { namespace }),
    store.list('Stagelet', { namespace, project: project.metadata.name }),
  ])
  const layout: Layout = {
    isolated: isolatedIn(environmentsOf(project)),
    stagelets: new Map(
      stagelets.flatMap(({ metadata: { name }, spec: { environment } }) =>
        environment === undefined ? [] : [[name, environment] as const],
      ),
    ),
  }
  const keysOf = new Map(
    agents.map((agent) => [
      agentKeyOf(namespace, agent.metadata.name),
      statusOf('Agent', agent).keyFingerprint,
    ]),
  )
  const agentOf = new Map(
    stagelets.map(
      ({ metadata, spec }) => [metadata.name, agentKeyOf(namespace, spec.agentRef.name)] as const,
    ),
  )
  const deliveries = await store.deliveries(namespace, project.metadata.uid ?? '', [
    ...agentOf.keys(),
  ])
  return (wanted) => {
    const version = versions.find((row) => row.version === wanted)
    // What is for the controller alone reaches no agent.
    if (version === undefined || version.audience === 'Controller') return new Set()
    return new Set(
      deliveries
        .filter(
          ({ stagelet, agent, keys, revision, layout: then }) =>
            isIn(version, revision) &&
            agentOf.get(stagelet) === agent &&
            keys !== null &&
            keys === keysOf.get(agent) &&
            reaches(version, stagelet, then) &&
            reaches(version, stagelet, layout),
        )
        .map(({ agent }) => agent.slice(namespace.length + 1)),
    )
  }
}
