// wait: returns when a condition holds for the current spec, or when the objects are gone.
import { openClient } from '../connect/client.ts'
import { Option } from 'commander'
import { append } from '../../src/kernel/append.ts'
import { statusConditions, currentCondition } from '../../src/resources/conditions.ts'
import {
  waitDone,
  agentOutcome,
  secretOutcome,
  syncOutcome,
  failed,
  pending,
  type WaitOutcome,
} from '../../src/rollout/wait-outcome.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { KindNames } from '../../src/resources/kind-names.ts'
import { withHint } from '../../src/search/near-name.ts'
import { CliError, usageError } from '../errors.ts'
import { fullName, parseTargets } from '../output/kinds.ts'
import { listObjects, objectSelection } from '../objects/objects.ts'
import { printAs } from '../output/output.ts'
import { newCommand, timeoutOption, type Command, type CommonFlags } from '../options.ts'
import { waitForOutcomes, type LookUp } from '../wait/wait-for-outcomes.ts'
import { withProject } from '../wait/wait-in-sync.ts'

interface Flags extends CommonFlags {
  readonly for: string
  readonly timeout: number
  readonly all?: boolean
}

export const command = (): Command =>
  newCommand('wait -A -l', 'Wait until a condition holds, or until objects are gone.', [
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
    .addOption(timeoutOption())
    .option('--all', 'every object of the kind')
    .choice('-o, --output <format>', 'the objects as they are then: json or yaml', ['json', 'yaml'])
    .action(wait)

interface Goal {
  /** Printed when the wait succeeds. */
  readonly verb: string
  judge(kind: KindNames, object: KubeObject | undefined, lookUp?: LookUp): WaitOutcome
}

const syncWith = (object: KubeObject, lookUp: LookUp): WaitOutcome =>
  withProject(syncOutcome, object, lookUp)

/** How the reasons of a condition end a wait for it. */
const endsOf: Record<string, (object: KubeObject, lookUp: LookUp) => WaitOutcome> = {
  'Stagelet SecretsInSync': syncWith,
  'Stagelet Ready': syncWith,
  'StagelySecret InSync': secretOutcome,
  'Agent Ready': (object) => agentOutcome(object, () => false),
}

const whileThere = (object: KubeObject): WaitOutcome => {
  const finalizers = object.metadata.finalizers?.join(', ')
  return pending(finalizers === undefined ? 'still there' : `still there, waits for ${finalizers}`)
}

const shown = (object: KubeObject, type: string): string => {
  const condition = currentCondition(object, type)
  if (condition === undefined) {
    const types = statusConditions(object).map((other) => other.type)
    const others =
      types.length === 0 || types.some((other) => other.toLowerCase() === type.toLowerCase())
        ? ''
        : `; there are: ${withHint(type, types)}`
    return `${type} is not known for generation ${object.metadata.generation ?? 0} yet${others}`
  }
  return `${type}=${condition.status} ${condition.reason}: ${condition.message}`
}

/** `condition=Ready`, `condition=Ready=False`, `delete`. Throws a usage error for anything else. */
export const parseGoal = (text: string): Goal => {
  if (text === 'delete') {
    const judge: Goal['judge'] = (_kind, object) =>
      object === undefined ? waitDone('deleted') : whileThere(object)
    return { verb: 'deleted', judge }
  }
  const match = /^condition=([A-Za-z0-9._/-]+)(?:=(\w+))?$/.exec(text)
  if (match === null)
    throw usageError('--for must be condition=TYPE, condition=TYPE=STATUS, or delete')
  const type = match[1]!
  const wanted = (match[2] ?? 'True').toLowerCase()
  const judge: Goal['judge'] = (kind, object, lookUp = () => undefined) => {
    // A missing object is an error at once, as with kubectl.
    if (object === undefined) return failed('NotFound', 'it is not there')
    const now = shown(object, type)
    if (currentCondition(object, type)?.status.toLowerCase() === wanted) return waitDone(now)
    const ends = Object.entries(endsOf).find(
      ([name]) => name.toLowerCase() === `${kind.kind} ${type}`.toLowerCase(),
    )
    const end = wanted === 'true' ? ends?.[1](object, lookUp) : undefined
    return end?.kind === 'failed' ? end : pending(now)
  }
  return { verb: 'condition met', judge }
}

const wait = async (words: string[], flags: Flags): Promise<void> => {
  const goal = parseGoal(flags.for)
  const targets = parseTargets(words)
  const wide = flags.all === true || flags.selector !== undefined
  for (const { names } of targets) {
    if (names.length === 0 && !wide) throw usageError('give names, -l or --all')
    if (names.length > 0 && wide) throw usageError('give names, or -l or --all, not both')
  }
  const { api } = await openClient(flags)
  const selection = objectSelection(api, flags)
  const objects: { kind: KindNames; namespace: string; name: string }[] = []
  for (const { kind, names } of targets) {
    append(
      objects,
      names.map((name) => ({ kind, namespace: api.namespace, name })),
    )
    if (names.length > 0) continue
    for (const { metadata } of await listObjects(api, kind, selection)) {
      objects.push({ kind, namespace: metadata.namespace ?? '', name: metadata.name })
    }
  }
  if (objects.length === 0 && flags.for !== 'delete')
    throw new CliError('no matching resources found')
  const awaited = objects.map((ref) => ({
    ref,
    label: fullName(ref.kind, ref.name),
    judge: (object: KubeObject | undefined, lookUp: LookUp) => goal.judge(ref.kind, object, lookUp),
    doneLine:
      flags.output === undefined ? `${fullName(ref.kind, ref.name)} ${goal.verb}` : undefined,
  }))
  const last = await waitForOutcomes(api, awaited, flags.timeout)
  if (flags.output === undefined) return
  const found = [...last.values()].filter((object) => object !== undefined)
  const answer = found.length === 1 ? found[0] : { apiVersion: 'v1', kind: 'List', items: found }
  await printAs(answer, flags.output, () => '')
}
