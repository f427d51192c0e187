// The condition Ready of a stagelet: pure.
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import { awaitsDeploy } from './not-started.ts'
import { no, unknown, yes, type Verdict } from '../verdict.ts'

/** The agent may not have told yet why, nor begun to start it. */
const notRunning = (observation: Partial<ObservationSpec>): Verdict | undefined => {
  const pending = new Set(observation.pendingEdits)
  const down = (observation.services ?? []).filter(
    (s) => ['exited', 'missing', 'created'].includes(s.state) && !awaitsDeploy(s, pending),
  )
  if (down.length === 0) return undefined
  return no('ServiceNotRunning', down.map(({ name, state }) => `${name} is ${state}`).join('; '))
}

export const ready = (
  verdicts: Record<string, Verdict>,
  observation: Partial<ObservationSpec> = {},
): Verdict => {
  for (const [type, good] of [
    ['AgentReachable', 'True'],
    ['Degraded', 'False'],
    ['Drifted', 'False'],
    ['SecretsInSync', 'True'],
  ] as const) {
    const verdict = verdicts[type]
    if (verdict !== undefined && verdict.status !== good) {
      const make = verdict.status === 'Unknown' ? unknown : no
      return make(verdict.reason, verdict.message)
    }
  }
  // Services without secrets are in sync before they are healthy.
  const going = verdicts['Progressing']
  if (going?.status === 'True' && ['Applying', 'Gating'].includes(going.reason))
    return no(going.reason, going.message)
  return notRunning(observation) ?? yes('Ready', 'in sync, reachable and healthy')
}
