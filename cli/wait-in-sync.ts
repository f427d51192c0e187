// Waits until stagelets run exactly their secrets.
import { endOfSync, type End } from '../src/resources/end.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import type { Api } from './api.ts'
import { projectOf } from './delete/losses.ts'
import { fullName, kindOf } from './kinds.ts'
import { listObjects } from './objects.ts'
import { waitForEnds, type Awaited, type Look } from './wait-for-ends.ts'

export interface StageletName {
  readonly namespace: string
  readonly name: string
}

type Judge = (stagelet: KubeObject | undefined, project: KubeObject | undefined) => End

/** The project is looked at only where the stagelet waits for its turn in the rollout. */
export const withProject = (judge: Judge, object: KubeObject | undefined, look: Look): End => {
  const end = judge(object, undefined)
  if (end.kind !== 'going' || end.turnIn === undefined) return end
  return judge(object, look('Project', end.turnIn))
}

/** One stagelet, judged together with its project where that has something to say. */
export const awaitedStagelet = (
  { namespace, name }: StageletName,
  { judge = endOfSync, doneLine }: { judge?: Judge; doneLine: string | undefined },
): Awaited => ({
  ref: { kind: kindOf('Stagelet'), namespace, name },
  label: `stagelet/${name}`,
  judge: (object, look) => withProject(judge, object, look),
  doneLine,
})

/** Those of a project, or just the one of that name. */
export const stageletsOf = async (
  api: Api,
  project: string,
  only?: string,
): Promise<KubeObject[]> => {
  const all = await listObjects(api, kindOf('Stagelet'), { namespace: api.namespace })
  return all.filter((stagelet) => {
    const { name } = stagelet.metadata
    return projectOf(stagelet) === project && (only ?? name) === name
  })
}

export const namesOf = (stagelets: readonly KubeObject[]): StageletName[] =>
  stagelets.map(({ metadata: { namespace = '', name } }) => ({ namespace, name }))

interface WaitOptions {
  readonly judgeOf?: (name: StageletName) => Judge
  /** Says nothing of what is done: the command prints an answer of its own. */
  readonly quiet?: boolean
}

/** Resolves when all are in sync; see waitForEnds. */
export const waitForSync = async (
  api: Api,
  names: readonly StageletName[],
  timeoutMs: number,
  { judgeOf = () => endOfSync, quiet = false }: WaitOptions = {},
): Promise<void> => {
  const awaited = names.map((one) =>
    awaitedStagelet(one, {
      judge: judgeOf(one),
      doneLine: quiet ? undefined : `${fullName(kindOf('Stagelet'), one.name)} in sync`,
    }),
  )
  await waitForEnds(api, awaited, timeoutMs)
}
