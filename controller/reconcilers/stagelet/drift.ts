// The condition Drifted: containers that somebody or something changed from outside. Pure.
import { annotations } from '../../../src/resources/meta.ts'
import type { Drift, ObservationSpec } from '../../../src/resources/observation.ts'
import type { RolloutStatus } from '../../../src/resources/stagelet.ts'

export interface DriftVerdict {
  readonly status: 'True' | 'False'
  readonly reason: 'AsDeclared' | 'ContainersDiffer' | 'StoppedByHand' | 'Flapping' | 'Healed'
  readonly message: string
}

type Change = Drift['changes'][number]

const describeChange = ({ service, container, what, exitCode }: Change): string => {
  const name = `${service} (${container})`
  const code = exitCode === undefined ? '' : `, exit code ${exitCode}`
  switch (what) {
    case 'Removed':
      return `${name} was removed`
    case 'Replaced':
      return `${name} was re-created without its secrets, as by a plain "docker compose up"`
    case 'Stopped':
      return `${name} was stopped by hand${code}`
    case 'Killed':
      return `${name} was killed by a signal${code}`
    case 'Died':
      return `${name} died${code}`
  }
}

const describe = ({ changes }: Drift): string =>
  changes.length === 0 ? 'containers differ' : changes.map(describeChange).join('; ')

/** Agents of before 0.2 tell of drift only by a rollout of the revision that ran already. */
const fromRollout = (rollout: RolloutStatus | undefined): DriftVerdict | undefined => {
  if (rollout?.cause !== 'Drift') return undefined
  const { revision, recreated = [], result } = rollout
  if (result === 'Progressing') {
    const message = `containers differ from revision ${revision}: healing`
    return { status: 'True', reason: 'ContainersDiffer', message }
  }
  if (result !== 'Healthy') return undefined
  const what = recreated.length === 0 ? '' : `; re-created: ${recreated.join(', ')}`
  return { status: 'False', reason: 'Healed', message: `revision ${revision} runs again${what}` }
}

export const drifted = (
  name: string,
  observation: ObservationSpec | undefined,
  rollout: RolloutStatus | undefined,
): DriftVerdict => {
  const drift = observation?.drift
  if (drift === undefined) {
    const message = 'the containers are as declared'
    return fromRollout(rollout) ?? { status: 'False', reason: 'AsDeclared', message }
  }
  const what = describe(drift)
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
