// deploy: rolls out pending edits of the user's compose files.
import type { Command } from 'commander'
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { mergePatch, pathOf } from '../api.ts'
import { kindOf } from '../kinds.ts'
import { currentCondition } from '../objects.ts'
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

const deploy = async (
  names: string[],
  flags: CommonFlags & { wait?: boolean | string },
): Promise<void> => {
  const timeoutMs = parseWait(flags.wait, 300_000)
  const api = await openApi(flags)
  const kind = kindOf('Stagelet')
  // Milliseconds, so that two deploys within a second are two.
  const now = realClock.now()
  const stamp = `${toTimestamp(now).slice(0, -1)}.${String(now % 1000).padStart(3, '0')}Z`
  for (const word of names) {
    const name = word.replace(/^stagelets?\//, '')
    const body = { metadata: { annotations: { [annotations.redeploy]: stamp } } }
    await api.call(pathOf(kind, api.namespace, name), {
      method: 'PATCH',
      body,
      contentType: mergePatch,
    })
    out(`stagelet.stagely.dev/${name} deploying`)
  }
  if (timeoutMs === undefined) return
  const stagelets = names.map((word) => ({
    namespace: api.namespace,
    name: word.replace(/^stagelets?\//, ''),
  }))
  await waitForStagelets(api, stagelets, timeoutMs, isDeployed)
}

/** Nothing pending is left, nothing is on its way, and every container has its secrets. */
const isDeployed = (object: KubeObject | undefined): boolean =>
  isInSync(object) &&
  object !== undefined &&
  currentCondition(object, 'ComposeFileChanged')?.status !== 'True' &&
  currentCondition(object, 'Progressing')?.status !== 'True'
