// After the restore of a backup: logs in with the credentials that the backup knows, before they are delivered.
import { StagelyError } from '../../../src/kernel/errors.ts'
import { pause, within } from '../../../src/kernel/async/pause.ts'
import { awayIn } from '../proof/away-stagelets.ts'
import { readOld } from './logins.ts'
import { dropStagedValues, type EffectOutcome } from './outcome.ts'
import {
  decideRestored,
  hasReturned,
  isWritten,
  mostTestTries,
  stayUntested,
  type TestedCredentials,
  type UnansweredTest,
} from '../machine/restored.ts'
import { endVersions } from './revoke.ts'
import { isUntestable } from '../machine/after-end.ts'
import { RotatorFault, type Accepted } from '../providers/rotator.ts'
import { stagedPlaceOf, projectOfRotation, type EffectContext } from './work.ts'

/** So long the project of a Rotation waits for an answer. */
const patienceMs = 60_000
const againMs = 2_000
/** What cannot be asked for long counts for nothing. */
const noneAccepted = { candidate: undefined, old: undefined } as const

const testAll = async (
  work: EffectContext,
  onOutputs: (outputs: Accepted) => void,
): Promise<TestedCredentials> => {
  const { rotator, rotation, staged, status, signal } = work
  const [outputs, candidate, old] = [
    await readOld(work),
    await staged.open(stagedPlaceOf(work, 'new')),
    status.hasOld === true && status.oldIsLogin !== true
      ? await staged.open(stagedPlaceOf(work, 'old'))
      : undefined,
  ]
  if (outputs === undefined || isUntestable(rotation.spec))
    return { outputs: undefined, candidate: undefined, old: undefined }
  const ofOutputs = await rotator.checkAccepted(outputs, signal)
  onOutputs(ofOutputs)
  return {
    outputs: ofOutputs,
    candidate: candidate && (await rotator.checkAccepted(candidate, signal)),
    old: old && (await rotator.checkAccepted(old, signal)),
  }
}

const failedTest = 'the test failed, see the log of the controller'
const late = `there is no answer within ${String(patienceMs / 1000)} s`

interface NoAnswer extends Omit<UnansweredTest, 'away'> {
  /** What nobody has thought of. */
  readonly bug?: unknown
}

const testOnce = async (
  work: EffectContext,
  until: number,
): Promise<TestedCredentials | NoAnswer> => {
  const { clock, signal } = work
  let outputs: Accepted | undefined
  const testing = testAll(work, (accepted) => {
    outputs = accepted
  })
  try {
    const leftMs = Math.max(0, until - clock.now())
    return await within(clock, leftMs, testing, () => ({ why: late, outputs }))
  } catch (error) {
    if (signal.aborted) throw error
    const isKnown = error instanceof RotatorFault || error instanceof StagelyError
    return isKnown ? { why: error.message, outputs } : { why: failedTest, outputs, bug: error }
  }
}

/**
 * An agent comes back some seconds after its controller, and a database may start meanwhile. Who went away, or was
 * found to be, during the last look is away too.
 */
const testPatiently = async (work: EffectContext): Promise<TestedCredentials | UnansweredTest> => {
  const { store, rotation, status, gathered, nowMs, clock, signal, log } = work
  const { namespace, name: project } = projectOfRotation(rotation)
  const until = nowMs + patienceMs
  const isPatient =
    status.restored?.state === 'Untested' || hasReturned(status, gathered.facts.away)
  let { away } = gathered.facts
  for (;;) {
    const tested = await testOnce(work, until)
    if (!('why' in tested)) return tested
    const isLast = !isPatient || clock.now() + againMs >= until
    const goesOn = !isLast && (await pause(clock, againMs, signal))
    const now = await awayIn(store, { namespace, project })
    if (!goesOn) {
      const { bug, ...unanswered } = tested
      if (bug !== undefined) log.error({ err: bug }, 'a credential could not be tested')
      return { ...unanswered, away: [...new Set([...away, ...now])] }
    }
    away = now
  }
}

/** The secret may come back, with the credential of the backup (stagely secrets restore). */
const whyMissing = ({ rotation, gathered }: EffectContext): string | undefined => {
  const missing = Object.entries(rotation.spec.outputs).find(([key]) => !gathered.outputs.has(key))
  return missing && `secret "${missing[1]}" of output ${missing[0]} does not exist`
}

/** A part of a credential that is refused may be accepted as a whole: it is held until the rest is back. */
const testWithout = async (
  work: EffectContext,
  why: string,
): Promise<TestedCredentials | UnansweredTest> => {
  const { outputs, facts } = work.gathered
  const hasPart = [...outputs.values()].some(({ status }) => status?.version !== undefined)
  if (!hasPart) return { why, away: [] }
  const tested = await testPatiently(work)
  const isRefused = !('why' in tested) && tested.outputs === 'refused'
  return isRefused ? { why, outputs: 'refused', away: facts.away } : tested
}

export const verify = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotation, status, nowMs, gathered } = work
  const why = whyMissing(work)
  const tested = await (why === undefined ? testPatiently(work) : testWithout(work, why))
  const isRefused = 'why' in tested && tested.outputs === 'refused'
  const isLast = why === undefined && (status.tries ?? 0) >= mostTestTries
  if ('why' in tested && !(isRefused && isLast))
    return stayUntested(status, work.clock.now(), tested)
  const credentials = 'why' in tested ? { ...noneAccepted, outputs: tested.outputs } : tested
  const next = decideRestored(
    rotation.spec,
    status,
    { nowMs, faults: gathered.facts.faults, project: gathered.facts.project },
    credentials,
  )
  const isOver = next.status.phase === 'Idle' || next.status.attempt !== status.attempt
  if (isOver) return { ...next, write: dropStagedValues(work) }
  // The old one is dead: no rollback leads back to it.
  const isEnded = status.revokeStartedAt === undefined && next.status.revokeStartedAt !== undefined
  if (!isEnded || !isWritten(status)) return next
  const ending = endVersions(work, status.versions ?? {})
  return {
    ...next,
    write: async (tx) => {
      await ending(tx)
      return undefined
    },
  }
}
