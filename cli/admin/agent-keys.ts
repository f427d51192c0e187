// admin agent-keys: new keys for agents.
import { openClient } from '../connect/client.ts'
import { annotations } from '../../src/resources/meta.ts'
import { agentOutcome } from '../../src/rollout/wait-outcome.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { CliError, usageError } from '../errors.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { listObjects, requestAction } from '../objects/objects.ts'
import { newCommand, waitOf, type Command, type CommonFlags, type WaitFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { waitForOutcomes, type AwaitedObject } from '../wait/wait-for-outcomes.ts'

interface Flags extends CommonFlags, WaitFlags {
  readonly all?: boolean
}

export const command = (): Command =>
  newCommand(
    'agent-keys',
    'Give agents new keys. They stay joined, and no container restarts. An agent that is away does it when it is back.',
    ['stagely admin agent-keys web-1', 'stagely admin agent-keys --all --timeout 5m'],
  )
    .waitingByDefault('they have them')
    .argument('[name...]', 'names of agents')
    .option('--all', 'every agent of the namespace')
    .action(rotate)

const rotate = async (given: string[], flags: Flags): Promise<void> => {
  if (given.length === 0 && flags.all !== true) throw usageError('name agents, or give --all')
  if (given.length > 0 && flags.all === true) throw usageError('give names or --all, not both')
  const timeoutMs = waitOf(flags)
  const { api } = await openClient(flags)
  const kind = servedKind('Agent')
  const names =
    given.length > 0
      ? given
      : (await listObjects(api, kind, { namespace: api.namespace })).map((a) => a.metadata.name)
  const awaited: AwaitedObject[] = []
  for (const name of names) {
    const { request } = await requestAction(api, { kind, name }, annotations.rotateKeys)
    if (timeoutMs === undefined) out(`${fullName(kind, name)} asked for new keys`)
    awaited.push({
      ref: { kind, namespace: api.namespace, name },
      label: `agent/${name}`,
      judge: (object) =>
        agentOutcome(object, (agent) => statusOf('Agent', agent).keyRotation === request),
      doneLine: `${fullName(kind, name)} has new keys`,
    })
  }
  if (timeoutMs === undefined) return
  try {
    await waitForOutcomes(api, awaited, timeoutMs)
  } catch (error) {
    if (error instanceof CliError)
      note(
        'An agent changes its keys when it is connected; one of an older version does not know how: update it.',
      )
    throw error
  }
}
