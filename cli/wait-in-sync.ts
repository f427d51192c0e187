// Waits until stagelets run exactly their secrets.
import { endOfSync, type End } from '../src/resources/end.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import type { Api } from './api.ts'
import { fullName, kindOf } from './kinds.ts'
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
  { judge = endOfSync, doneLine }: { judge?: Judge; doneLine: string },
): Awaited => ({
  ref: { kind: kindOf('Stagelet'), namespace, name },
  label: `stagelet/${name}`,
  judge: (object, look) => withProject(judge, object, look),
  doneLine,
})

/** Resolves when all are in sync; see waitForEnds. */
export const waitForSync = async (
  api: Api,
  names: readonly StageletName[],
  timeoutMs: number,
  judgeOf: (name: StageletName) => Judge = () => endOfSync,
): Promise<void> => {
  const awaited = names.map((one) =>
    awaitedStagelet(one, {
      judge: judgeOf(one),
      doneLine: `${fullName(kindOf('Stagelet'), one.name)} in sync`,
    }),
  )
  await waitForEnds(api, awaited, timeoutMs)
}
