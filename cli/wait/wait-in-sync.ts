// Waits until stagelets run exactly their secrets.
import { appliedOutcome, type WaitOutcome } from '../../src/rollout/wait-outcome.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { projectNameOf } from '../../src/resources/project-ref.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { SecretPlace } from '../../src/secrets/place.ts'
import type { KubeApi } from '../connect/api.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { listObjects } from '../objects/objects.ts'
import { waitForOutcomes, type AwaitedObject, type LookUp } from './wait-for-outcomes.ts'

export interface StageletName {
  readonly namespace: string
  readonly name: string
}

type Judge = (stagelet: KubeObject | undefined, project: KubeObject | undefined) => WaitOutcome

/** Reads the project only when the stagelet waits for its turn in the rollout. */
export const withProject = (
  judge: Judge,
  object: KubeObject | undefined,
  lookUp: LookUp,
): WaitOutcome => {
  const end = judge(object, undefined)
  if (end.kind !== 'pending' || end.turnIn === undefined) return end
  return judge(object, lookUp('Project', end.turnIn))
}

/** One stagelet; its project is considered when it matters. */
const awaitedStagelet = (
  { namespace, name }: StageletName,
  { judge = appliedOutcome, doneLine }: { judge?: Judge; doneLine: string | undefined },
): AwaitedObject => ({
  ref: { kind: servedKind('Stagelet'), namespace, name },
  label: `stagelet/${name}`,
  judge: (object, lookUp) => withProject(judge, object, lookUp),
  doneLine,
})

/**
 * The stagelets of a project: all, the one with that name, or those of the environments. All are also those that inherit
 * nothing: what is there may follow a secret of the project.
 */
export const stageletsOfProject = async (
  api: KubeApi,
  project: string,
  { stagelet: only, environments }: Partial<SecretPlace> = {},
): Promise<KubeObject[]> => {
  const all = await listObjects(api, servedKind('Stagelet'), { namespace: api.namespace })
  return all.filter((stagelet) => {
    const { name } = stagelet.metadata
    const { environment = '' } = specOf('Stagelet', stagelet)
    return (
      projectNameOf(stagelet) === project &&
      (only ?? name) === name &&
      (environments?.includes(environment) ?? true)
    )
  })
}

export const stageletNames = (stagelets: readonly KubeObject[]): StageletName[] =>
  stagelets.map(({ metadata: { namespace = '', name } }) => ({ namespace, name }))

interface WaitOptions {
  readonly judgeOf?: (name: StageletName) => Judge
  /** True: print nothing at success; the command prints an answer of its own. */
  readonly quiet?: boolean
}

/** Resolves when all are in sync; see waitForOutcomes. */
export const waitForSync = async (
  api: KubeApi,
  names: readonly StageletName[],
  timeoutMs: number,
  { judgeOf = () => appliedOutcome, quiet = false }: WaitOptions = {},
): Promise<void> => {
  const awaited = names.map((stagelet) =>
    awaitedStagelet(stagelet, {
      judge: judgeOf(stagelet),
      doneLine: quiet ? undefined : `${fullName(servedKind('Stagelet'), stagelet.name)} in sync`,
    }),
  )
  await waitForOutcomes(api, awaited, timeoutMs)
}
