// deploy: rolls out pending edits of the user's compose files.
import { openClient } from '../connect/client.ts'
import { deployOutcome, rolloutStartOf } from '../../src/rollout/wait-outcome.ts'
import { annotations } from '../../src/resources/meta.ts'
import { fullName, nameOf, servedKind } from '../output/kinds.ts'
import { newCommand, waitOf, type Command, type CommonFlags, type WaitFlags } from '../options.ts'
import { out } from '../print.ts'
import { requestAction } from '../objects/objects.ts'
import { waitForSync } from '../wait/wait-in-sync.ts'

export const command = (): Command =>
  newCommand('deploy', 'Roll out pending edits of Compose files.', [
    'stagely deploy shop',
    'stagely deploy shop web --wait=10m',
  ])
    .waiting('follow the rollout until it is done')
    .argument('<stagelet...>', 'names of stagelets')
    .action(deploy)

const deploy = async (words: string[], flags: CommonFlags & WaitFlags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api } = await openClient(flags)
  const kind = servedKind('Stagelet')
  const earlier = new Map<string, string>()
  for (const word of words) {
    const name = nameOf(kind, word)
    const { object } = await requestAction(api, { kind, name }, annotations.redeploy)
    earlier.set(name, rolloutStartOf(object))
    out(`${fullName(kind, name)} deploying`)
  }
  if (timeoutMs === undefined) return
  const names = [...earlier.keys()].map((name) => ({ namespace: api.namespace, name }))
  await waitForSync(api, names, timeoutMs, {
    judgeOf:
      ({ name }) =>
      (object, project) =>
        deployOutcome(object, earlier.get(name) ?? '', project),
  })
}
