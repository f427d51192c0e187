// agent drain and undrain: for maintenance of a machine. No new rollout starts there; drain waits for
// running ones. Containers keep running.
import { openClient } from '../connect/client.ts'
import { currentCondition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { pending, waitDone, type WaitOutcome } from '../../src/rollout/wait-outcome.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { type KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { fullName, nameOf, servedKind } from '../output/kinds.ts'
import { listObjects, mergePatchObject } from '../objects/objects.ts'
import { newCommand, waitOf, type Command, type CommonFlags, type WaitFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { waitForOutcomes } from '../wait/wait-for-outcomes.ts'

type DrainFlags = CommonFlags & WaitFlags

export const drainCommand = (): Command =>
  newCommand(
    'drain',
    'Start no new rollout on agents, and wait for the running ones. Containers keep running.',
    ['stagely agent drain web-1', 'stagely agent drain web-1 web-2 --timeout 20m'],
  )
    .waitingByDefault('rollouts that run have ended')
    .argument('<name...>', 'names of agents')
    .action(drain)

export const undrainCommand = (): Command =>
  newCommand('undrain', 'Allow rollouts again: the stagelets catch up with the newest revision.', [
    'stagely agent undrain web-1',
  ])
    .argument('<name...>', 'names of agents')
    .action(async (words: string[], flags: CommonFlags) => {
      const names = agentNames(words)
      const { api } = await openClient(flags)
      for (const name of names) {
        await setDrained(api, name, false)
        out(`${fullName(servedKind('Agent'), name)} undrained`)
      }
    })

const agentNames = (words: readonly string[]): string[] =>
  words.map((word) => nameOf(servedKind('Agent'), word))

const setDrained = async (api: KubeApi, name: string, drained: boolean): Promise<void> => {
  await mergePatchObject(api, { kind: servedKind('Agent'), name }, { spec: { drained } })
}

const drain = async (words: string[], flags: DrainFlags): Promise<void> => {
  const names = agentNames(words)
  const timeoutMs = waitOf(flags)
  const { api } = await openClient(flags)
  for (const name of names) await setDrained(api, name, true)
  if (timeoutMs !== undefined) await waitUntilIdle(api, new Set(names), timeoutMs)
  for (const name of names) out(`${fullName(servedKind('Agent'), name)} drained`)
  note(
    `Containers run on, and are kept as they are. When the work is done: stagely agent undrain ${names.join(' ')}`,
  )
}

/** An agent that is away counts as idle: nobody knows when its machine would be. */
const idleOutcome = (stagelet: KubeObject | undefined): WaitOutcome => {
  const progressing = stagelet && currentCondition(stagelet, 'Progressing')
  const isReachable = stagelet && currentCondition(stagelet, 'AgentReachable')?.status === 'True'
  if (progressing?.status !== 'True' || isReachable !== true) return waitDone('idle')
  return pending(`${progressing.reason}: ${progressing.message}`)
}

const waitUntilIdle = async (
  api: KubeApi,
  agents: ReadonlySet<string>,
  timeoutMs: number,
): Promise<void> => {
  const kind = servedKind('Stagelet')
  const { namespace } = api
  const all = await listObjects(api, kind, { namespace })
  const awaited = all
    .filter((stagelet) => agents.has(specOf('Stagelet', stagelet).agentRef.name))
    .map(({ metadata: { name } }) => ({
      ref: { kind, namespace, name },
      label: `stagelet/${name}`,
      judge: idleOutcome,
      doneLine: undefined,
    }))
  try {
    await waitForOutcomes(api, awaited, timeoutMs)
  } catch (error) {
    if (error instanceof CliError) note('The agents are drained: no new rollout starts there.')
    throw error
  }
}
