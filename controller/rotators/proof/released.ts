// Stacks that were released, and may run the credential that is to end: nobody sees them. Pure.
import type {
  BlockedBy,
  ReleasedStack,
  RotationSpec,
  RotationStatus,
} from '../../../src/kinds/rotation/schema.ts'
import type { Typed } from '../../../src/kinds/typed.ts'
import type { ProjectInput } from '../../reconcilers/project/gather.ts'

/** Since a stagelet has the stack again, the proof counts that one. */
const isSeenAgain = ({ stagelets }: ProjectInput, stack: ReleasedStack): boolean =>
  stagelets.some(({ spec, status = {} }) => {
    const { composeProject, lastReportAt = '' } = status
    const isThere =
      stack.composeProject === undefined
        ? spec.compose.directory === stack.directory
        : composeProject === stack.composeProject
    return (
      spec.agentRef.name === stack.agent &&
      isThere &&
      Date.parse(lastReportAt) > Date.parse(stack.at)
    )
  })

/** By declaration nothing of the stack runs, and the Rotation takes that for true. */
export const isTrustedEnd = (
  stack: ReleasedStack,
  { ended }: Pick<RotationSpec, 'ended'>,
): boolean => stack.ended !== undefined && ended !== 'Wait'

/** Those that may run a credential that the attempt under way ends. */
const unseenWith = (
  input: ProjectInput,
  { released = [], revision = 0, step, startedAt = '' }: RotationStatus,
): readonly ReleasedStack[] =>
  released.filter((stack) => {
    if (stack.revision !== undefined && stack.revision >= revision) return false
    // What was let go before the attempt cannot have its new credential, which is to end then.
    if (step === 'Back' && Date.parse(stack.at) < Date.parse(startedAt)) return false
    return !isSeenAgain(input, stack)
  })

type Ending = Pick<Typed<'Rotation'>, 'spec' | 'status'>

/** Those of them that are waited for. */
export const releasedWith = (
  input: ProjectInput,
  { spec, status = {} }: Ending,
): readonly ReleasedStack[] =>
  unseenWith(input, status).filter((stack) => !isTrustedEnd(stack, spec))

/** Those of them that are not waited for, in words: `web-pr-42: ended at …, ephemeral, last seen with the old value`. */
export const trustedEnds = (
  input: ProjectInput,
  { spec, status = {} }: Ending,
): readonly string[] =>
  unseenWith(input, status)
    .filter((stack) => isTrustedEnd(stack, spec))
    .map(({ stagelet, at: endedAt, ended }) => {
      const isNew = (ended?.revision ?? 0) >= (status.revision ?? 0)
      const last =
        ended?.revision === undefined
          ? 'not seen before its end'
          : `last seen with the ${isNew ? 'new' : 'old'} value`
      return `${stagelet}: ended at ${endedAt}, ephemeral, ${last}`
    })

/** After the old credential has ended: those that run the one that is in use. */
export const stillReleased = ({
  released = [],
  revision = 0,
}: RotationStatus): readonly ReleasedStack[] =>
  released.filter((stack) => stack.revision !== undefined && stack.revision >= revision)

const wordsOf = (
  { agent, directory, at, services, revision }: ReleasedStack,
  { isBack, rotation }: { readonly isBack: boolean; readonly rotation: string },
): string => {
  const which =
    services.length === 0
      ? 'its services'
      : `${services.length === 1 ? 'service' : 'services'} ${services.join(', ')}`
  const lastRevision =
    revision === undefined ? 'nobody saw then what ran' : `revision ${revision} ran then`
  const credential = isBack ? 'new' : 'old'
  const wayOut = isBack
    ? `or delete rotation "${rotation}", which ends no credential`
    : `or take it down there and end the old credential: stagely rotation revoke ${rotation}`
  return `its stack on agent "${agent}" (${directory}) was released at ${at}, and nobody has seen it since: ${which} may run the ${credential} credential (${lastRevision}). Create the stagelet again, ${wayOut}`
}

export const releasedBlocks = (input: ProjectInput, rotation: Typed<'Rotation'>): BlockedBy[] =>
  releasedWith(input, rotation).map((stack) => ({
    stagelet: stack.stagelet,
    reason: 'Released',
    message: wordsOf(stack, {
      isBack: rotation.status?.step === 'Back',
      rotation: rotation.metadata.name,
    }),
  }))
