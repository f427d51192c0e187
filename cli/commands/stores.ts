// stores: SecretStores, how fresh they are, and the actions that a person may ask for.
import { openClient } from '../connect/client.ts'
import { findCondition, statusConditions } from '../../src/resources/conditions.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { failed, pending, waitDone, type WaitOutcome } from '../../src/rollout/wait-outcome.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { get } from '../objects/get.ts'
import {
  collect,
  newCommand,
  newGroup,
  timeoutOption,
  type Command,
  type CommonFlags,
} from '../options.ts'
import { note, oneLine, out } from '../print.ts'
import { requestAction } from '../objects/objects.ts'
import { waitForOutcomes } from '../wait/wait-for-outcomes.ts'

const verbs = {
  refresh: annotations.refresh,
  check: annotations.check,
  resume: annotations.resumeStore,
} as const

type Verb = keyof typeof verbs

export const command = (): Command =>
  newGroup('stores', 'Refresh and check external secret stores.', [
    'stagely stores check prod-aws',
    'stagely stores refresh prod-aws --key prod/shop/db',
  ]).having(checkCommand, refreshCommand, resumeCommand)

interface AskFlags extends CommonFlags {
  readonly timeout: number
  readonly key?: readonly string[]
}

/** Asks the controller, and waits until the status says that the request is done. */
const ask = async (verb: Verb, name: string, flags: AskFlags): Promise<KubeObject> => {
  const { api } = await openClient(flags)
  const kind = servedKind('SecretStore')
  const { request } = await requestAction(api, { kind, name }, verbs[verb], flags.key)
  const label = `secretstore/${name}`
  const judge = (store: KubeObject | undefined): WaitOutcome => {
    if (store === undefined) return failed('NotFound', 'it does not exist')
    return statusOf('SecretStore', store).answered?.[verb] === request
      ? waitDone('done')
      : pending('waits for the controller')
  }
  const ref = { kind, namespace: api.namespace, name }
  const last = await waitForOutcomes(
    api,
    [{ ref, label, judge, doneLine: undefined }],
    flags.timeout,
  )
  return last.get(label)!
}

const failIf = (store: KubeObject, type: string): void => {
  const found = findCondition(statusConditions(store), type)
  if (found?.status === 'False')
    throw new CliError(`${type}=False ${found.reason}: ${found.message}`)
}

const failIfThrottled = (store: KubeObject, say: (why: string) => string): void => {
  const throttled = findCondition(statusConditions(store), 'Throttled')
  if (throttled?.status === 'True') throw new CliError(say(throttled.message))
}

const show = async (store: KubeObject, flags: CommonFlags): Promise<void> => {
  await get(['secretstore', store.metadata.name], flags)
  if (flags.output !== undefined && flags.output !== 'wide') return
  for (const { type, status, reason, message } of statusConditions(store))
    out(oneLine(`${type}=${status} ${reason}: ${message}`))
}

const checkCommand = (): Command =>
  newCommand(
    'check -o',
    'Check whether the store accepts the credential, also after a refusal. Exits with 1 when it does not.',
    ['stagely stores check prod-aws'],
  )
    .argument('<name>', 'name of the store')
    .addOption(timeoutOption())
    .action(async (name: string, flags: AskFlags) => {
      const store = await ask('check', name, flags)
      await show(store, flags)
      failIfThrottled(store, (why) => `secretstore/${name} was not asked: ${why}`)
      failIf(store, 'Ready')
    })

const refreshCommand = (): Command =>
  newCommand('refresh -o', 'Read the store now, and fetch what has changed.', [
    'stagely stores refresh prod-aws',
    'stagely stores refresh prod-aws --key prod/shop/db',
  ])
    .argument('<name>', 'name of the store')
    .option('--key <key>', 'ask for this key of the store; may be given again', collect)
    .addOption(timeoutOption())
    .action(async (name: string, flags: AskFlags) => {
      const store = await ask('refresh', name, flags)
      failIfThrottled(
        store,
        (why) => `secretstore/${name} was not read yet: ${why}; it is read then`,
      )
      failIf(store, 'Ready')
      failIf(store, 'Fresh')
      if (flags.output === undefined) out(`secretstore/${name} refreshed`)
      else await show(store, flags)
    })

const resumeCommand = (): Command =>
  newCommand(
    'resume',
    'Remove the secrets that the store no longer has, although they are more than half. They can be restored.',
    ['stagely stores resume prod-aws'],
  )
    .argument('<name>', 'name of the store')
    .addOption(timeoutOption())
    .action(async (name: string, flags: AskFlags) => {
      await ask('resume', name, flags)
      note('The next read removes what is still missing; "stagely secrets restore" undoes it.')
      out(`secretstore/${name} resumed`)
    })
