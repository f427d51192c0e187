// Parts of the status of a Rotation.
import * as z from 'zod'
import {
  count,
  instant,
  limits,
  mapOf,
  message,
  name,
  path,
  twoNames,
  word,
} from '../../resources/limits.ts'

export const causes = ['First', 'Schedule', 'Run', 'Expiry', 'Revealed', 'Refused'] as const
export type Cause = (typeof causes)[number]

export const blockedBySpec = z.strictObject({
  stagelet: word.optional().describe('The stagelet that is waited for.'),
  reason: word.describe(
    'One word for programs: AgentAway, Paused, ContainerPaused, Drained, StoppedByHand, Quarantined, NotHealthy, StartedAgain, OldContainer, Released, StillUsed, SeenElsewhere, NewRefused, NotRevoked, ProjectMissing, OtherRotation.',
  ),
  message: message.describe('The same for people, with the remedy.'),
})

export const evidenceSpec = z.strictObject({
  stagelet: word.describe('Where it was seen.'),
  revision: count.describe('The revision that was healthy there.'),
  containers: count.describe('How many containers were looked at.'),
  ended: z
    .array(word)
    .max(20)
    .optional()
    .describe(
      'Ended containers with older secrets, such as of "compose run": refused where somebody starts them again.',
    ),
})

export const useSpec = z.strictObject({
  looks: count.describe('How often sessions of the old credential were looked for.'),
  since: instant.describe('When they were looked for first.'),
  at: instant.describe('When they were looked for last. Nobody knows what was between two looks.'),
  watchedMs: count
    .optional()
    .describe(
      'How many milliseconds these looks have watched, together; absent where each was one moment, or nobody tells.',
    ),
  seenAt: instant.optional().describe('When a session was seen last; absent where none was.'),
})

export const releasedSpec = z.strictObject({
  stagelet: word.describe('Name that the stagelet had.'),
  agent: word.describe('Agent on whose machine the stack was left.'),
  directory: path.describe('Folder of its compose file.'),
  composeProject: word.optional().describe('Its Compose project, where that was seen.'),
  at: instant.describe('When Stagely let it go. Nobody has seen it since.'),
  services: z
    .array(name)
    .max(limits.services)
    .describe('Services that may run on with the credential; empty: nobody knows which.'),
  revision: count
    .optional()
    .describe('Oldest revision that they ran at that time; absent where nobody saw them.'),
  ended: z
    .strictObject({
      revision: count.optional().describe('Revision that it was last seen with, if it was seen.'),
    })
    .optional()
    .describe(
      'The machine was ephemeral, and was ended: by declaration nothing of the stack runs. spec.ended says whether that is trusted.',
    ),
})

export const requestSpec = z.strictObject({
  at: instant.describe('When it was asked for.'),
  by: word.describe('Who asked for it.'),
  cause: z.enum(causes).describe('What it is asked for.'),
  now: z.boolean().optional().describe('True: window and overlap are skipped.'),
  withoutProof: z
    .boolean()
    .optional()
    .describe('True: the old credential ends without a proof that nothing runs with it.'),
})

/** Untested, Refused, Renewing: nothing is delivered to the stagelets of the project. */
const restoredStates = [
  ...(['Untested', 'Refused', 'Renewing', 'Accepted', 'Renewed', 'Unknown'] as const),
] as const

export const restoredSpec = z.strictObject({
  at: instant.describe('When the controller first started on the backup that was restored.'),
  takenAt: instant.describe('When that backup was taken.'),
  state: z
    .enum(restoredStates)
    .describe(
      'Untested: it is not known yet whether what the outputs hold is accepted. Refused: it is not, and nobody could be asked yet for the other credential of the attempt of then. Renewing: it is not; the outputs get another credential. Until then nothing is delivered to the stagelets of the project. Accepted. Renewed. Unknown: nobody could be asked for 60 s.',
    ),
  message: message.describe('The same for people. Never a value.'),
  revision: count
    .optional()
    .describe('No earlier revision is delivered: its credential is not known to be accepted.'),
  project: z
    .strictObject({
      uid: word.describe('metadata.uid of the Project.'),
      since: instant.describe('Its creation time: another one may have its uid.'),
    })
    .optional()
    .describe('The project that has this revision.'),
  awaiting: z
    .array(name)
    .max(limits.stagelets)
    .optional()
    .describe(
      'Stagelets whose agents were away when nobody could be asked: nothing is delivered to them before it was asked again after their return, which takes 60 s at most.',
    ),
})

export const provenRunsSpec = z.strictObject({
  of: word.describe('Digest over the starts of all containers that see an output.'),
  restarts: mapOf(count, { most: limits.allServices, key: twoNames }).describe(
    'By stagelet/service, the restarts before the new values ran; absent for none.',
  ),
  starts: mapOf(word, { most: limits.stagelets, key: name })
    .optional()
    .describe('By stagelet, a digest over the starts of its containers among them.'),
  started: z
    .array(name)
    .max(limits.listed)
    .optional()
    .describe('Stagelets with the newest start among them.'),
})

export type BlockedBy = z.infer<typeof blockedBySpec>
export type Evidence = z.infer<typeof evidenceSpec>
export type ReleasedStack = z.infer<typeof releasedSpec>
export type RotationRequest = z.infer<typeof requestSpec>
export type Restored = z.infer<typeof restoredSpec>
