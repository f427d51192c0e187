// stores: SecretStores, how fresh they are, and the actions that a person may ask for.
import type { Store } from '../../src/generated/rest-types.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { nextSyncOf } from '../../src/kinds/secret-store/next-sync.ts'
import { findCondition, statusConditions } from '../../src/resources/conditions.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { failed, pending, waitDone, type WaitOutcome } from '../../src/rollout/wait-outcome.ts'
import { openApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { get, listCommandOf } from '../objects/get.ts'
import {
  collect,
  newCommand,
  newGroup,
  timeoutOption,
  type Command,
  type CommonFlags,
} from '../options.ts'
import { printAs } from '../output/output.ts'
import { note, oneLine, out } from '../print.ts'
import { openRest, type RestClient } from '../connect/rest.ts'
import { requestAction } from '../objects/objects.ts'
import { waitForOutcomes } from '../wait/wait-for-outcomes.ts'

const verbs = {
  refresh: annotations.refresh,
  check: annotations.check,
  resume: annotations.resumeStore,
} as const

type Verb = keyof typeof verbs

const pathOf = (rest: RestClient, flags: CommonFlags, name: string): string =>
  `/stores/${encodeURIComponent(`${flags.namespace ?? rest.namespace}/${name}`)}`

export const command = (): Command =>
  newGroup('stores', 'Manage external secret stores: state, refresh, check.', [
    'stagely stores list',
    'stagely stores show prod-aws',
    'stagely stores refresh prod-aws --key prod/shop/db',
  ]).having(listCommand, showCommand, checkCommand, refreshCommand, resumeCommand)

const listCommand = (): Command =>
  listCommandOf('secretstores', {
    summary: 'List the stores: state, freshness, calls.',
    examples: ['stagely stores list', 'stagely stores list -A -o wide'],
  })

const showCommand = (): Command =>
  newCommand('show -o', 'Show one store and its conditions.', ['stagely stores show prod-aws'])
    .argument('<name>', 'name of the store')
    .action(show)

/** `-o json` and `-o yaml` print the answer of REST. */
const show = async (name: string, flags: CommonFlags): Promise<void> => {
  const { output: format } = flags
  if (format === 'name') return get(['secretstore', name], flags)
  const rest = await openRest(flags)
  const { body } = await rest.call<Store>(pathOf(rest, flags, name))
  if (format === 'json' || format === 'yaml') {
    await printAs(body, format, () => '')
    return
  }
  await get(['secretstore', name], flags)
  const next = nextSyncOf(body, realClock.now())
  if (next !== undefined) out(`Next read: ${next}`)
  for (const { type, status, reason, message } of body.conditions)
    out(oneLine(`${type}=${status} ${reason}: ${message}`))
}

interface AskFlags extends CommonFlags {
  readonly timeout: number
  readonly key?: readonly string[]
}

/** Asks the controller, and waits until the status says that the request is done. */
const ask = async (verb: Verb, name: string, flags: AskFlags): Promise<KubeObject> => {
  const api = await openApi(flags)
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
      await show(name, flags)
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
      else await show(name, flags)
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
