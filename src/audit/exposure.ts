// Receipts of exposure: where a version of a secret was, when, and who read it. Signed by the key of the audit log, and
// checked anywhere. Pure.
import * as z from 'zod'
import { issuedText } from './signed-report.ts'
import { reportTime as time, signedSchema } from './signed-schema.ts'

const bounds = z
  .object({ earliest: time, latest: time })
  .describe('Not before the one, and not after the other.')

const exposure = z.object({
  team: z.string(),
  project: z.string(),
  secret: z.string(),
  key: z.string(),
  scope: z.string(),
  version: z.int(),
  valid_from: time.describe('When the version was written.'),
  superseded_at: time.optional().describe('When a newer version was written.'),
  refused_since: time
    .optional()
    .describe(
      'When a Rotation measured that the credential is refused. Absent: nobody has measured that.',
    ),
  holders: z.array(
    z.object({
      stagelet: z.string(),
      service: z.string(),
      container: z
        .string()
        .optional()
        .describe('Its id as `docker ps` shows it. Absent where the times follow from rollouts.'),
      from: bounds,
      until: bounds
        .optional()
        .describe('Absent: as far as its agent has told, a container holds it still.'),
      certain: z
        .boolean()
        .describe('True: it held it between the bounds. False: it may have, and nobody knows.'),
    }),
  ),
  known_from: time
    .optional()
    .describe(
      'The oldest container or rollout that is kept. Before it, nobody knows which containers held it.',
    ),
  unknown: z.array(z.string()).describe('What nobody knows of stagelets, in words.'),
  lost_by: time
    .optional()
    .describe('When the last container had lost it, at the latest. Absent: one may hold it.'),
  readers: z.array(z.object({ at: time, by: z.string(), way: z.string() })),
  readers_from: time
    .optional()
    .describe('The oldest row of the audit log. Before it, nobody knows who read it.'),
  issued_at: time,
})

export type Exposure = z.infer<typeof exposure>

export const signedExposure = signedSchema('exposure', exposure)
export type SignedExposure = z.infer<typeof signedExposure>

const boundsText = ({ earliest, latest }: z.infer<typeof bounds>): string =>
  earliest === latest ? earliest : `between ${earliest} and ${latest}`

const holderText = ({
  stagelet,
  service,
  container,
  from,
  until,
  certain,
}: Exposure['holders'][number]): string => {
  const held = certain ? 'held it' : 'may have held it (not measured)'
  const end = until === undefined ? 'and holds it still' : `until ${boundsText(until)}`
  const which = container === undefined ? '' : ` (container ${container})`
  return `${stagelet}/${service}${which} ${held} from ${boundsText(from)} ${end}.`
}

/** What it says, a sentence a line. */
export const exposureWords = ({ exposure: told }: SignedExposure): readonly string[] => {
  const { team, project, key, scope, version, valid_from: from, superseded_at: superseded } = told
  const { holders, unknown, readers, refused_since: refused, lost_by: lost, head } = told
  return [
    `Version ${version} of ${key} (${team}/${project}, ${scope}) is valid since ${from}.`,
    ...(superseded === undefined ? [] : [`A newer version is valid since ${superseded}.`]),
    ...(told.known_from === undefined
      ? ['Which containers held it is not known: nothing is kept.']
      : [`Containers are known since ${told.known_from}.`]),
    ...holders.map(holderText),
    ...unknown,
    lost === undefined
      ? 'A container may hold it.'
      : `No container holds it since ${lost} at the latest.`,
    refused === undefined
      ? 'That it is refused was not measured.'
      : `It is refused since ${refused}.`,
    readers.length === 0
      ? `Nobody has read it since ${told.readers_from ?? from}.`
      : `Read by: ${readers.map(({ by, at, way }) => `${by} at ${at} (${way})`).join(', ')}.`,
    issuedText(told.issued_at, head),
  ]
}
