// deploy: rolls out pending edits of the user's compose files.
import type { Command } from 'commander'
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import type { RolloutStatus, StageletStatus } from '../../src/resources/stagelet.ts'
import { mergePatch, pathOf } from '../api.ts'
import { CliError } from '../errors.ts'
import { fullName, kindOf, nameOf } from '../kinds.ts'
import { newCommand, openApi, parseWait, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'
import { isInSync, waitForStagelets } from '../wait-in-sync.ts'

export const command = (): Command =>
  newCommand('deploy', 'Roll out pending edits of the compose files of stagelets.', [
    'stagely deploy shop',
    'stagely deploy shop web --wait=5m',
  ])
    .argument('<stagelet...>', 'names of stagelets')
    .option('--wait [timeout]', 'follow the rollout until it is done (5m when no time is given)')
    .action(deploy)

const lastRollout = (object: KubeObject | undefined): RolloutStatus | undefined =>
  (object?.status as StageletStatus | undefined)?.lastRollout

const deploy = async (
  words: string[],
  flags: CommonFlags & { wait?: boolean | string },
): Promise<void> => {
  const timeoutMs = parseWait(flags.wait, 300_000)
  const api = await openApi(flags)
  const kind = kindOf('Stagelet')
  const stamp = toFineTimestamp(realClock.now())
  const earlier = new Map<string, string>()
  for (const word of words) {
    const name = nameOf(kind, word)
    const body = { metadata: { annotations: { [annotations.redeploy]: stamp } } }
    const path = pathOf(kind, api.namespace, name)
    const call = { method: 'PATCH', body, contentType: mergePatch } as const
    const object = (await api.call(path, call)) as KubeObject
    earlier.set(name, startOf(object))
    out(`${fullName(kind, name)} deploying`)
  }
  if (timeoutMs === undefined) return
  const names = [...earlier.keys()].map((name) => ({ namespace: api.namespace, name }))
  await waitForStagelets(api, names, timeoutMs, (object) => isDeployed(object, earlier))
}

/** Tells one rollout from another; a deploy always makes a new one. */
const startOf = (object: KubeObject | undefined): string => lastRollout(object)?.startedAt ?? ''

/** A rollout that began after the deploy has ended. One that failed is an error with its reason. */
const isDeployed = (
  object: KubeObject | undefined,
  earlier: ReadonlyMap<string, string>,
): boolean => {
  const rollout = lastRollout(object)
  if (object === undefined || rollout === undefined) return false
  const { name } = object.metadata
  if (startOf(object) === earlier.get(name)) return false
  if (rollout.result === 'Failed') {
    const service = rollout.service === undefined ? '' : ` (service ${rollout.service})`
    throw new CliError(
      `the rollout of stagelet "${name}" failed${service}: ${rollout.message ?? ''}`,
    )
  }
  return rollout.result === 'Healthy' && isInSync(object)
}
