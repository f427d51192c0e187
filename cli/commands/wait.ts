// wait: returns when a condition holds for the current spec, or when the objects are gone.
import type { Command } from 'commander'
import { Option } from 'commander'
import { isAbort } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Kind } from '../../src/resources/registry.ts'
import type { Api } from '../api.ts'
import { CliError, usageError } from '../errors.ts'
import { fullName, parseTargets } from '../kinds.ts'
import { currentCondition, followObject, listObjects, selectionOf } from '../objects.ts'
import {
  allNamespacesOption,
  newCommand,
  openApi,
  timeoutOption,
  selectorOption,
  type CommonFlags,
} from '../options.ts'
import { out } from '../print.ts'

interface Flags extends CommonFlags {
  readonly for: string
  readonly timeout: number
  readonly all?: boolean
}

export const command = (): Command =>
  newCommand('wait', 'Wait until a condition holds, or until objects are gone.', [
    'stagely wait --for=condition=SecretsInSync stagelet/shop',
    'stagely wait --for=condition=SecretsInSync stagelets --all -A --timeout 5m',
    'stagely wait --for=condition=Degraded=False stagelet shop web',
    'stagely wait --for=delete stagelet/shop',
  ])
    .argument('<kind...>', 'KIND NAME... or KIND/NAME...')
    .addOption(
      new Option(
        '--for <what>',
        'condition=TYPE, condition=TYPE=STATUS, or delete',
      ).makeOptionMandatory(),
    )
    .addOption(timeoutOption(60_000))
    .option('--all', 'every object of the kind')
    .addOption(selectorOption())
    .addOption(allNamespacesOption())
    .action(wait)

interface Goal {
  readonly verb: string
  reached(object: KubeObject | undefined): boolean
  explain(object: KubeObject | undefined): string
}

/** `condition=Ready`, `condition=Ready=False`, `delete`. Throws a usage error for anything else. */
export const parseGoal = (text: string): Goal => {
  if (text === 'delete') {
    return {
      verb: 'deleted',
      reached: (object) => object === undefined,
      explain: (object) => {
        const finalizers = object?.metadata.finalizers?.join(', ')
        return finalizers === undefined ? 'still there' : `still there, waits for ${finalizers}`
      },
    }
  }
  const match = /^condition=([A-Za-z0-9._/-]+)(?:=(\w+))?$/.exec(text)
  if (match === null)
    throw usageError('--for must be condition=TYPE, condition=TYPE=STATUS, or delete')
  const type = match[1]!
  const wanted = (match[2] ?? 'True').toLowerCase()
  return {
    verb: 'condition met',
    reached: (object) =>
      object !== undefined && currentCondition(object, type)?.status.toLowerCase() === wanted,
    explain: (object) => {
      if (object === undefined) return 'does not exist'
      const condition = currentCondition(object, type)
      if (condition === undefined)
        return `${type} is not known for generation ${object.metadata.generation ?? 0} yet`
      return `${type}=${condition.status} ${condition.reason}: ${condition.message.split('\n')[0] ?? ''}`
    },
  }
}

const wait = async (words: string[], flags: Flags): Promise<void> => {
  const goal = parseGoal(flags.for)
  const targets = parseTargets(words)
  const wide = flags.all === true || flags.selector !== undefined
  for (const { names } of targets) {
    if (names.length === 0 && !wide) throw usageError('give names, -l or --all')
    if (names.length > 0 && wide) throw usageError('give names, or -l or --all, not both')
  }
  const api = await openApi(flags)
  const selection = selectionOf(api, flags)
  const objects: { kind: Kind; namespace: string; name: string }[] = []
  for (const { kind, names } of targets) {
    objects.push(...names.map((name) => ({ kind, namespace: api.namespace, name })))
    if (names.length > 0) continue
    for (const { metadata } of await listObjects(api, kind, selection)) {
      objects.push({ kind, namespace: metadata.namespace ?? '', name: metadata.name })
    }
  }
  if (objects.length === 0 && flags.for !== 'delete')
    throw new CliError('no matching resources found')
  await waitForAll(api, objects, goal, flags.timeout)
}

const waitForAll = async (
  api: Api,
  objects: readonly { kind: Kind; namespace: string; name: string }[],
  goal: Goal,
  timeoutMs: number,
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs)
  const failed: string[] = []
  await Promise.all(
    objects.map(async ({ kind, namespace, name }) => {
      let last: KubeObject | undefined
      let seen = false
      const check = (object: KubeObject | undefined): boolean => {
        // Asked for a condition of what is not there: an error at once, as with kubectl.
        if (object === undefined && goal.verb !== 'deleted') {
          throw new CliError(`${fullName(kind, name)} ${seen ? 'was deleted' : 'is not there'}`)
        }
        seen = true
        last = object
        return goal.reached(object)
      }
      try {
        await followObject(api, { kind, namespace, name }, check, signal)
        out(`${fullName(kind, name)} ${goal.verb}`)
      } catch (error) {
        if (isAbort(error)) failed.push(`timed out: ${fullName(kind, name)}: ${goal.explain(last)}`)
        else if (error instanceof CliError) failed.push(error.message)
        else throw error
      }
    }),
  )
  if (failed.length > 0) throw new CliError(failed.join('\n'))
}
