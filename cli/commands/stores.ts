// stores: SecretStores, how fresh they are, and what a person may ask of them.
import type { Condition, Store } from '../../src/rest/types.ts'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { realClock } from '../../src/kernel/clock.ts'
import { comingLook } from '../../src/rest/coming-look.ts'
import { CliError } from '../errors.ts'
import {
  collect,
  newCommand,
  newGroup,
  outputOption,
  timeoutOption,
  type CommonFlags,
} from '../options.ts'
import { parseOutput, toYaml } from '../output/output.ts'
import { note, oneLine, out } from '../print.ts'
import { printRecord, printRecords, type RecordView } from '../output/records.ts'
import { openRest, type Rest } from '../connect/rest.ts'

type Verb = 'refresh' | 'check' | 'resume'

const conditionOf = ({ conditions }: Store, type: string): Condition | undefined =>
  conditions.find((one) => one.type === type)

/** `True`, or what is wrong: `False/Stale`. */
const stateOf = (store: Store, type: string): string => {
  const found = conditionOf(store, type)
  if (found === undefined) return ''
  return found.status === 'True' ? 'True' : `${found.status}/${found.reason}`
}

const view: RecordView<Store> = {
  columns: [
    { header: 'NAME', cell: (s) => s.name },
    { header: 'TEAM', cell: (s) => s.team, wide: true },
    { header: 'PROVIDER', cell: (s) => s.provider },
    { header: 'READY', cell: (s) => stateOf(s, 'Ready') },
    { header: 'FRESH', cell: (s) => stateOf(s, 'Fresh') },
    { header: 'SECRETS', cell: (s) => s.secrets },
    { header: 'LAST LOOK', cell: (s) => s.last_look_at },
    { header: 'NEXT LOOK', cell: (s) => comingLook(s, realClock.now()), wide: true },
    { header: 'CALLS/MIN', cell: (s) => s.calls_per_minute, wide: true },
    { header: 'LAG', cell: (s) => s.lag_seconds && `${s.lag_seconds} s`, wide: true },
    { header: 'BRAKED', cell: (s) => conditionOf(s, 'Braked')?.status, wide: true },
  ],
  nameOf: (s) => `secretstore/${s.name}`,
  empty: 'No stores found.',
}

const pathOf = (rest: Rest, flags: CommonFlags, name: string): string =>
  `/stores/${encodeURIComponent(`${flags.namespace ?? rest.namespace}/${name}`)}`

export const command = (): Command => {
  const group = newGroup('stores', 'Stores of secrets elsewhere: how fresh they are.', [
    'stagely stores list',
    'stagely stores show prod-aws',
    'stagely stores refresh prod-aws --key prod/shop/db',
  ])
  for (const make of [listCommand, showCommand, checkCommand, refreshCommand, resumeCommand])
    group.addCommand(make())
  return group
}

const listCommand = (): Command =>
  newCommand('list', 'List the stores of a namespace.', [
    'stagely stores list',
    'stagely stores list -n shop -o wide',
  ])
    .addOption(outputOption())
    .action(async (flags: CommonFlags) => {
      const rest = await openRest(flags)
      const team = flags.namespace ?? rest.namespace
      const stores = await rest.list<Store>('/stores', 'stores', { team })
      printRecords(stores, view, flags.output)
    })

const showCommand = (): Command =>
  newCommand('show', 'Show one store, and what its conditions say.', [
    'stagely stores show prod-aws',
  ])
    .argument('<name>', 'name of the store')
    .addOption(outputOption())
    .action(async (name: string, flags: CommonFlags) => {
      const rest = await openRest(flags)
      const { body } = await rest.call<Store>(pathOf(rest, flags, name))
      show(body, flags.output)
    })

const show = (store: Store, output: string | undefined): void => {
  const format = output === undefined ? undefined : parseOutput(output)
  if (format === 'json') out(JSON.stringify(store, null, 4))
  else if (format === 'yaml') out(toYaml(store))
  else {
    printRecord(store, view, output)
    if (format === 'name') return
    for (const { type, status, reason, message } of store.conditions)
      out(oneLine(`${type}=${status} ${reason}: ${message}`))
  }
}

interface AskFlags extends CommonFlags {
  readonly timeout: number
  readonly key?: readonly string[]
}

const pollMs = 200

/** Asks, and waits until whoever leads has done it. */
const ask = async (verb: Verb, name: string, flags: AskFlags): Promise<Store> => {
  const rest = await openRest(flags)
  const path = pathOf(rest, flags, name)
  const body = flags.key === undefined ? {} : { keys: flags.key }
  const call = verb === 'refresh' ? { method: 'POST' as const, body } : { method: 'POST' as const }
  const { body: answer } = await rest.call<{ asked: string }>(`${path}/${verb}`, call)
  const until = realClock.now() + flags.timeout
  for (;;) {
    const { body: store } = await rest.call<Store>(path)
    if (store.answered?.[verb] === answer.asked) return store
    if (realClock.now() > until)
      throw new CliError(
        `store "${name}" was asked and has not answered in ${flags.timeout / 1000} s; see "stagely stores show ${name}"`,
      )
    await pause(pollMs)
  }
}

const failIf = (store: Store, type: string): void => {
  const found = conditionOf(store, type)
  if (found?.status === 'False')
    throw new CliError(`${type}=False ${found.reason}: ${found.message}`)
}

const failIfThrottled = (store: Store, say: (why: string) => string): void => {
  const throttled = conditionOf(store, 'Throttled')
  if (throttled?.status === 'True') throw new CliError(say(throttled.message))
}

const checkCommand = (): Command =>
  newCommand(
    'check',
    'Ask the store whether it takes the credential, also after it did not. Exits with 1 where it does not.',
    ['stagely stores check prod-aws'],
  )
    .argument('<name>', 'name of the store')
    .addOption(timeoutOption(30_000))
    .addOption(outputOption())
    .action(async (name: string, flags: AskFlags) => {
      const store = await ask('check', name, flags)
      show(store, flags.output)
      failIfThrottled(store, (why) => `secretstore/${name} was not asked: ${why}`)
      failIf(store, 'Ready')
    })

const refreshCommand = (): Command =>
  newCommand('refresh', 'Look at the store now, and fetch what has changed.', [
    'stagely stores refresh prod-aws',
    'stagely stores refresh prod-aws --key prod/shop/db',
  ])
    .argument('<name>', 'name of the store')
    .option('--key <key>', 'ask for this key of the store; may be given again', collect)
    .addOption(timeoutOption(60_000))
    .addOption(outputOption())
    .action(async (name: string, flags: AskFlags) => {
      const store = await ask('refresh', name, flags)
      failIfThrottled(
        store,
        (why) => `secretstore/${name} was not looked at yet: ${why}; the look follows then`,
      )
      failIf(store, 'Ready')
      failIf(store, 'Fresh')
      if (flags.output === undefined) out(`secretstore/${name} was looked at`)
      else printRecord(store, view, flags.output)
    })

const resumeCommand = (): Command =>
  newCommand(
    'resume',
    'Let secrets be removed that the store no longer has, although they are more than half. They can be restored.',
    ['stagely stores resume prod-aws'],
  )
    .argument('<name>', 'name of the store')
    .addOption(timeoutOption(60_000))
    .action(async (name: string, flags: AskFlags) => {
      await ask('resume', name, flags)
      note(
        'What is still missing in the next look is removed; "stagely secrets restore" undoes it.',
      )
      out(`secretstore/${name} resumed`)
    })
