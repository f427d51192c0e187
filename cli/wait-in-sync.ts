// Waits until stagelets run exactly their secrets, with a line for each step.
import { isAbort } from '../src/kernel/errors.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import type { StageletStatus } from '../src/resources/stagelet.ts'
import type { Api } from './api.ts'
import { CliError } from './errors.ts'
import { kindOf } from './kinds.ts'
import { currentCondition, followObject } from './objects.ts'
import { note, out } from './print.ts'

export interface StageletName {
  readonly namespace: string
  readonly name: string
}

const stageOf = (object: KubeObject | undefined): string => {
  if (object === undefined) return 'is not there'
  const condition = currentCondition(object, 'SecretsInSync')
  if (condition === undefined) return 'is not judged yet'
  const status = object.status as StageletStatus | undefined
  const revision =
    status?.wantedRevision === undefined ? '' : ` (revision ${status.wantedRevision})`
  return condition.status === 'True'
    ? `in sync${revision}`
    : `${condition.reason}: ${condition.message.split('\n')[0] ?? ''}${revision}`
}

export const isInSync = (object: KubeObject | undefined): boolean =>
  object !== undefined && currentCondition(object, 'SecretsInSync')?.status === 'True'

/**
 * Resolves when `done` holds for each stagelet. On timeout throws with what each one still says.
 * A stagelet that is deleted meanwhile counts as failed.
 */
export const waitForStagelets = async (
  api: Api,
  names: readonly StageletName[],
  timeoutMs: number,
  done: (object: KubeObject | undefined) => boolean = isInSync,
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs)
  const late: string[] = []
  await Promise.all(
    names.map(async ({ namespace, name }) => {
      let last = ''
      const check = (object: KubeObject | undefined): boolean => {
        const stage = stageOf(object)
        if (stage !== last) note(`stagelet/${name}: ${stage}`)
        last = stage
        if (object === undefined) throw new CliError(`stagelet "${name}" was deleted while waiting`)
        return done(object)
      }
      try {
        await followObject(api, { kind: kindOf('Stagelet'), namespace, name }, check, signal)
        out(`stagelet.stagely.dev/${name} in sync`)
      } catch (error) {
        if (!isAbort(error)) throw error
        late.push(`stagelet/${name}: ${last}`)
      }
    }),
  )
  if (late.length > 0) {
    throw new CliError(
      `timed out after ${Math.round(timeoutMs / 1000)} s waiting for:\n  ${late.join('\n  ')}`,
    )
  }
}
