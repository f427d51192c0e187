// What each guard of the machine looks at. A guard that holds says what the status gets.
import { illAgain, retestDue, wellAgain } from './after-end.ts'
import { due, foreignValues, notDue, requestExpired, requestHurries } from './idle.ts'
import type { Observed } from './enter.ts'
import type { RotationSituation } from './facts.ts'
import type { Guard } from './machine.ts'
import { hasRemoveStep, nextLookAt } from './old-use.ts'
import * as proving from './proving.ts'
import { projectReplaced, testAt } from './restored.ts'

const retryLater = ({ status: { retryAt }, facts }: RotationSituation): Observed | undefined => {
  const until = retryAt === undefined ? 0 : Date.parse(retryAt)
  return until > facts.nowMs ? { until } : undefined
}

const projectMissing = ({ spec, status, facts }: RotationSituation): Observed | undefined => {
  if (facts.hasProject) return undefined
  const { provenSince: _, ...rest } = status
  const message = `project "${spec.projectRef.name}" does not exist, so that nobody knows what runs: create it again, or delete the rotation, which ends no credential`
  return { status: rest, set: { blockedBy: [{ reason: 'ProjectMissing', message }] } }
}

const testDue = (situation: RotationSituation): Observed | undefined =>
  (testAt(situation) ?? Infinity) <= situation.facts.nowMs ? {} : undefined

/** Without a time it is waited for a change. */
const testLater = (situation: RotationSituation): Observed | undefined => {
  const until = testAt(situation)
  return until !== undefined && until > situation.facts.nowMs && until < Infinity
    ? { until }
    : undefined
}

const lookSkipped = ({ status }: RotationSituation): Observed | undefined =>
  status.withoutProof === true ? {} : undefined

const lookLater = ({ spec, status, facts }: RotationSituation): Observed | undefined => {
  const until = nextLookAt(spec, status)
  return until > facts.nowMs ? { until } : undefined
}

export const guards: Readonly<
  Record<Guard, (situation: RotationSituation) => Observed | undefined>
> = {
  ProjectReplaced: projectReplaced,
  TestDue: testDue,
  TestLater: testLater,
  TestHeld: (situation) => (testAt(situation) === Infinity ? {} : undefined),
  ProjectMissing: projectMissing,
  RequestHurries: requestHurries,
  ForeignValues: foreignValues,
  RequestExpired: requestExpired,
  Due: due,
  IllAgain: illAgain,
  WellAgain: wellAgain,
  RetestDue: retestDue,
  NotDue: notDue,
  RetryLater: retryLater,
  OutputChanged: proving.outputChanged,
  CredentialFails: proving.credentialFails,
  StackFailed: proving.stackFailed,
  ProofPending: proving.proofPending,
  AddProven: proving.addProven,
  RemoveProven: proving.removeProven,
  NothingToEnd: proving.nothingToEnd,
  ProofSkipped: proving.proofSkipped,
  ProvenAgain: proving.provenAgain,
  Proven: proving.proven,
  ProofLost: proving.proofLost,
  ProofInterrupted: proving.proofInterrupted,
  EndHeld: proving.endHeld,
  LookSkippedBeforeRemove: (situation) =>
    hasRemoveStep(situation.facts) && lookSkipped(situation)
      ? { set: { step: 'Remove' } }
      : undefined,
  LookSkipped: lookSkipped,
  LookLater: lookLater,
  Otherwise: () => ({}),
}
