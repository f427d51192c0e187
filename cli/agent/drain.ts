// agent drain and undrain: for maintenance of a machine. No new rollout starts there; drain waits for
// running ones. Containers keep running.
import type { Command } from 'commander'
import { Option } from 'commander'
import { isAbort } from '../../src/kernel/errors.ts'
import { currentCondition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/resources/typed.ts'
import { type Api, mergePatch, openApi, pathOf } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { fullName, kindOf, nameOf } from '../objects/kinds.ts'
import { followObject, listObjects } from '../objects/objects.ts'
import { newCommand, timeoutOption, parseWait, type CommonFlags } from '../options.ts'
import { note, oneLine, out } from '../print.ts'

interface DrainFlags extends CommonFlags {
  readonly wait: boolean | string
  readonly timeout: number
}

export const drainCommand = (): Command =>
  newCommand(
    'drain',
    'Roll nothing new out to agents, and wait until what is on its way has settled. Containers run on.',
    ['stagely agent drain web-1', 'stagely agent drain web-1 web-2 --timeout 10m'],
  )
    .argument('<name...>', 'names of agents')
    .addOption(
      new Option(
        '--wait [yes]',
        'wait for rollouts that run; --wait=false returns at once',
      ).default('true'),
    )
    .addOption(timeoutOption(300_000))
    .action(drain)

export const undrainCommand = (): Command =>
  newCommand(
    'undrain',
    'Let agents have what is new again: their stagelets catch up with the newest revision.',
    ['stagely agent undrain web-1'],
  )
    .argument('<name...>', 'names of agents')
    .action(async (words: string[], flags: CommonFlags) => {
      const names = agentNames(words)
      const api = await openApi(flags)
      for (const name of names) {
        await setDrained(api, name, false)
        out(`${fullName(kindOf('Agent'), name)} undrained`)
      }
    })

const agentNames = (words: readonly string[]): string[] =>
  words.map((word) => nameOf(kindOf('Agent'), word))

const setDrained = async (api: Api, name: string, drained: boolean): Promise<void> => {
  const body = { spec: { drained } }
  await api.call(pathOf(kindOf('Agent'), api.namespace, name), {
    method: 'PATCH',
    body,
    contentType: mergePatch,
  })
}

const drain = async (words: string[], flags: DrainFlags): Promise<void> => {
  const names = agentNames(words)
  const timeoutMs = parseWait(flags.wait, flags.timeout)
  const api = await openApi(flags)
  for (const name of names) await setDrained(api, name, true)
  if (timeoutMs !== undefined) await waitUntilIdle(api, new Set(names), timeoutMs)
  for (const name of names) out(`${fullName(kindOf('Agent'), name)} drained`)
  note(
    `Containers run on, and are kept as they are. When the work is done: stagely agent undrain ${names.join(' ')}`,
  )
}

/** An agent that is away counts as idle: nobody knows when its machine would be. */
const isBusy = (object: KubeObject | undefined): boolean =>
  object !== undefined &&
  currentCondition(object, 'Progressing')?.status === 'True' &&
  currentCondition(object, 'AgentReachable')?.status === 'True'

const waitUntilIdle = async (
  api: Api,
  agents: ReadonlySet<string>,
  timeoutMs: number,
): Promise<void> => {
  const kind = kindOf('Stagelet')
  const all = await listObjects(api, kind, { namespace: api.namespace })
  const here = all.filter((s) => agents.has(specOf('Stagelet', s).agentRef.name))
  const signal = AbortSignal.timeout(timeoutMs)
  const late: string[] = []
  await Promise.all(
    here.map(async ({ metadata: { name } }) => {
      let last = ''
      const isIdle = (object: KubeObject | undefined): boolean => {
        if (object === undefined || !isBusy(object)) return true
        const { reason, message } = currentCondition(object, 'Progressing')!
        if (message !== last)
          note(oneLine(`stagelet/${name}: ${reason}: ${message.split('\n')[0] ?? ''}`))
        last = message
        return false
      }
      try {
        await followObject(api, { kind, namespace: api.namespace, name }, isIdle, { signal })
      } catch (error) {
        if (!isAbort(error)) throw error
        late.push(`stagelet/${name}: ${last}`)
      }
    }),
  )
  if (late.length === 0) return
  throw new CliError(
    `drained, and nothing new comes; but after ${Math.round(timeoutMs / 1000)} s these are still on their way:\n  ${late.join('\n  ')}`,
  )
}
