// The condition Drifted: containers that were changed from outside. Pure.
import { findCondition } from '../../../src/resources/conditions.ts'
import type { RolloutStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { annotations } from '../../../src/resources/meta.ts'
import {
  describeManualRun,
  describeOutOfMemory,
  runAsTold,
  type Drift,
  type ObservationSpec,
} from '../../../src/kinds/observation/schema.ts'

export interface DriftVerdict {
  readonly status: 'True' | 'False'
  readonly reason:
    'AsDeclared' | 'ContainersDiffer' | 'StoppedByHand' | 'Flapping' | 'Healed' | 'ByHand'
  readonly message: string
}

/** A rollout that healed what nobody had told as drift: it was changed while the agent was not running. */
export const isUntoldHealing = (
  { cause, result, recreated = [] }: RolloutStatus,
  conditions: StageletStatus['conditions'],
): boolean =>
  cause === 'Drift' &&
  result === 'Healthy' &&
  recreated.length > 0 &&
  findCondition(conditions, 'Drifted')?.reason === 'AsDeclared'

type Change = Drift['changes'][number]

const describeChange = (change: Change, agent: string): string =>
  change.by === undefined ? whatOf(change) : `${whatOf(change)}, by ${runAsTold(change.by, agent)}`

const whatOf = (change: Change): string => {
  const { service, container, what, exitCode, outOfMemory } = change
  const name = `${service} (${container})`
  const memory = outOfMemory === undefined ? '' : `, ${describeOutOfMemory(outOfMemory)}`
  const code = (exitCode === undefined ? '' : `, exit code ${exitCode}`) + memory
  switch (what) {
    case 'Removed':
      return `${name} was removed`
    case 'Replaced':
      return `${name} runs without the secrets that it should have, as after a plain "docker compose up"`
    case 'Stopped':
      return `${name} was stopped by hand${code}`
    case 'Killed':
      return `${name} was killed by a signal${code}`
    case 'Died':
      return `${name} died${code}`
  }
}

/** `agent`: the name of the agent that told it; '' where nobody knows which. */
export const describeDrift = ({ changes }: Pick<Drift, 'changes'>, agent: string): string =>
  changes.length === 0
    ? 'containers differ'
    : changes.map((change) => describeChange(change, agent)).join('; ')

const agentIn = ({ agent = '' }: Partial<ObservationSpec>): string =>
  agent.slice(agent.indexOf('/') + 1)

/** Where a person ran `stagely compose`, and everything is as declared after it. */
const byHand = (observation: Partial<ObservationSpec>): DriftVerdict | undefined => {
  const { drift, hand } = observation
  if (hand === undefined || (drift !== undefined && drift.since >= hand.at)) return undefined
  const { at, exitCode, touched } = hand
  const what = touched.length === 0 ? 'no container was touched' : `touched: ${touched.join(', ')}`
  const message = `as declared, after ${runAsTold(describeManualRun(hand), agentIn(observation))} at ${at}: exit code ${exitCode}; ${what}`
  return { status: 'False', reason: 'ByHand', message }
}

export const drifted = (name: string, observation: ObservationSpec | undefined): DriftVerdict => {
  const drift = observation?.drift
  const hand =
    drift === undefined || drift.state === 'Healed' ? byHand(observation ?? {}) : undefined
  if (hand !== undefined) return hand
  if (drift === undefined)
    return { status: 'False', reason: 'AsDeclared', message: 'the containers are as declared' }
  const what = describeDrift(drift, agentIn(observation ?? {}))
  switch (drift.state) {
    case 'Found': {
      const next = observation?.phase === 'Paused' ? 'paused: not healed' : 'healing'
      return { status: 'True', reason: 'ContainersDiffer', message: `${next}: ${what}` }
    }
    case 'Held':
      return {
        status: 'True',
        reason: 'StoppedByHand',
        message: `the whole stack was stopped by hand and stays so; "stagely deploy ${name}" (or the annotation ${annotations.redeploy}) starts it, and so does starting any of its containers: ${what}`,
      }
    case 'Flapping':
      return {
        status: 'True',
        reason: 'Flapping',
        message: `healing does not last and pauses for some minutes: ${what}`,
      }
    case 'Healed':
      return { status: 'False', reason: 'Healed', message: `healed, since ${drift.since}: ${what}` }
  }
}
