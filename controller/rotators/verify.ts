// After the restore of a backup: logs in with the credentials that the backup knows, before they are delivered.
import { StagelyError } from '../../src/kernel/errors.ts'
import { pause, within } from '../../src/kernel/pause.ts'
import { readOld } from './logins.ts'
import { dropStaged, type Outcome } from './outcome.ts'
import { decideRestored, stayUntested, type Seen } from './restored.ts'
import { RotatorFault } from './rotator.ts'
import { placeOf, type Work } from './work.ts'

/** So long the project of a Rotation waits for an answer. */
const patienceMs = 60_000
const againMs = 2_000

const lookAtAll = async (work: Work): Promise<Seen> => {
  const { rotator, rotation, staged, status, signal } = work
  const [outputs, candidate, old] = [
    await readOld(work),
    await staged.open(placeOf(work, 'new')),
    status.hasOld === true ? await staged.open(placeOf(work, 'old')) : undefined,
  ]
  if (outputs === undefined || rotation.spec.rotator.generate !== undefined)
    return { outputs: undefined, candidate: undefined, old: undefined }
  return {
    outputs: await rotator.look(outputs, signal),
    candidate: candidate && (await rotator.look(candidate, signal)),
    old: old && (await rotator.look(old, signal)),
  }
}

interface Fault {
  readonly fault: string
}

const late: Fault = { fault: `there is no answer within ${String(patienceMs / 1000)} s` }

const lookOnce = async (work: Work, until: number): Promise<Seen | Fault> => {
  const { clock, signal } = work
  try {
    return await within(clock, Math.max(0, until - clock.now()), lookAtAll(work), () => late)
  } catch (error) {
    const isKnown = error instanceof RotatorFault || error instanceof StagelyError
    if (!isKnown || signal.aborted) throw error
    return { fault: error.message }
  }
}

/** An agent comes back some seconds after its controller, and a database may start meanwhile. */
const look = async (work: Work): Promise<Seen | Fault> => {
  const { status, nowMs, clock, signal } = work
  const until = nowMs + patienceMs
  for (;;) {
    const seen = await lookOnce(work, until)
    const isLast = status.restored?.state !== 'Untested' || clock.now() + againMs >= until
    if (!('fault' in seen) || isLast || !(await pause(clock, againMs, signal))) return seen
  }
}

export const verify = async (work: Work): Promise<Outcome> => {
  const { rotation, status, nowMs, gathered } = work
  const seen = await look(work)
  if ('fault' in seen) return stayUntested(status, work.clock.now(), seen.fault)
  const next = decideRestored(rotation.spec, status, { nowMs, faults: gathered.facts.faults }, seen)
  const isOver = next.status.phase === 'Idle' || next.status.attempt !== status.attempt
  return isOver ? { ...next, write: dropStaged(work) } : next
}
