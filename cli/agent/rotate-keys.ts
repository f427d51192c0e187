// agent rotate-keys: requests new keys from agents, and waits until they have them. No container
// restarts.
import type { Command } from 'commander'
import { Option } from 'commander'
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'
import { agentOutcome } from '../../src/resources/wait-outcome.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/resources/typed.ts'
import { type Api, mergePatch, openApi, pathOf } from '../connect/api.ts'
import { CliError, usageError } from '../errors.ts'
import { fullName, kindOf } from '../objects/kinds.ts'
import { listObjects } from '../objects/objects.ts'
import { newCommand, timeoutOption, parseWait, type CommonFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { waitForOutcomes } from '../wait/wait-for-outcomes.ts'

interface Flags extends CommonFlags {
  readonly all?: boolean
  readonly wait: boolean | string
  readonly timeout: number
}

export const rotateKeysCommand = (): Command =>
  newCommand(
    'rotate-keys',
    'Give agents new keys. They stay joined, and no container restarts. An agent that is away does it when it is back.',
    ['stagely agent rotate-keys web-1', 'stagely agent rotate-keys --all --timeout 5m'],
  )
    .argument('[name...]', 'names of agents')
    .option('--all', 'every agent of the namespace')
    .addOption(
      new Option('--wait [yes]', 'wait until they have them; --wait=false returns at once').default(
        'true',
      ),
    )
    .addOption(timeoutOption(60_000))
    .action(rotate)

const rotate = async (given: string[], flags: Flags): Promise<void> => {
  if (given.length === 0 && flags.all !== true) throw usageError('name agents, or give --all')
  if (given.length > 0 && flags.all === true) throw usageError('give names or --all, not both')
  const timeoutMs = parseWait(flags.wait, flags.timeout)
  const api = await openApi(flags)
  const kind = kindOf('Agent')
  const names =
    given.length > 0
      ? given
      : (await listObjects(api, kind, { namespace: api.namespace })).map((a) => a.metadata.name)
  const request = toFineTimestamp(realClock.now())
  for (const name of names) {
    const body = { metadata: { annotations: { [annotations.rotateKeys]: request } } }
    const path = pathOf(kind, api.namespace, name)
    await api.call(path, { method: 'PATCH', body, contentType: mergePatch })
    if (timeoutMs === undefined) out(`${fullName(kind, name)} asked for new keys`)
  }
  if (timeoutMs !== undefined) await waitUntilDone(api, names, { request, timeoutMs })
}

const waitUntilDone = async (
  api: Api,
  names: readonly string[],
  { request, timeoutMs }: { request: string; timeoutMs: number },
): Promise<void> => {
  const kind = kindOf('Agent')
  const hasThem = (agent: KubeObject): boolean => statusOf('Agent', agent).keyRotation === request
  const awaited = names.map((name) => ({
    ref: { kind, namespace: api.namespace, name },
    label: `agent/${name}`,
    judge: (object: KubeObject | undefined) => agentOutcome(object, hasThem),
    doneLine: `${fullName(kind, name)} has new keys`,
  }))
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
