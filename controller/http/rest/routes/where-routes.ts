// Where a value lies on the machines: agents look, and names of places come back. No value and no line does.
import { toFineTimestamp } from '../../../../src/kernel/clock.ts'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { mostValues, placeKinds } from '../../../../src/protocol/look.ts'
import { minPatternBytes } from '../../../../src/masking/min-pattern-bytes.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { refOf } from '../../../../src/resources/meta.ts'
import { ofKind } from '../../../../src/kinds/typed.ts'
import { statesOf, type StatedVersion } from '../../../../src/secrets/version-states.ts'
import { holdersIn } from '../../../where/holders.ts'
import type { WantedValue } from '../../../where/prints.ts'
import { lookEverywhere, type AgentLook } from '../../../where/where.ts'
import { invalidInput } from '../input.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { secretOf } from '../secrets.ts'
import { answer } from '../shapes.ts'

const state = z.enum(['current', 'superseded', 'revoked'])

const placeSchema = z.strictObject({
  agent: z.string(),
  kind: z.enum(placeKinds),
  container: z.string().optional().describe('Name of the container, or of the image.'),
  service: z.string().optional().describe('`project/service` of the container, by its labels.'),
  managed: z.boolean().optional().describe('False: the container is in no stack of Stagely.'),
  at: z.string().optional().describe('Name of the variable or label, or `path:line`.'),
  version: z.int().optional().describe('Newest version of the secret with this value.'),
  state: state.optional().describe('Of that version.'),
  since: timeSchema.optional().describe('Since when the version is in that state.'),
  created_at: timeSchema.optional().describe('When the container was created.'),
})

const whereSchema = z.strictObject({
  versions: z
    .array(z.strictObject({ version: z.int(), state, since: timeSchema }))
    .describe('What was looked for: the newest version of each value. Empty for a given value.'),
  places: z.array(placeSchema),
  agents: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['looked', 'unknown']).describe('`unknown`: nobody looked on this machine.'),
      since: timeSchema.optional().describe('When something was last heard of an unknown agent.'),
      message: z.string().optional().describe('Why nobody looked there.'),
      unread: z.array(z.string()).describe('What was not looked through on its machine.'),
    }),
  ),
})

const nobody: ReadonlySet<string> = new Set()
const mostGuesses = 20

/** A look tells of all containers of the machines, also of other projects. */
const refuseNarrowed = ({ principal }: RestContext): void => {
  if (principal.limits?.narrowing === undefined) return
  throw new StagelyError(
    'Forbidden',
    `${principal.name} may not look: the token is narrowed to places, and a look goes through whole machines`,
  )
}

const tooShort = (field: string): StagelyError => {
  const message = `values under ${minPatternBytes} bytes are found everywhere: they are not looked for`
  return invalidInput([{ field, reason: 'FieldValueInvalid', message }])
}

const shownPlaces = ({ agent, places }: AgentLook, versions: ReadonlyMap<string, StatedVersion>) =>
  places.flatMap(({ values, since: created, ...place }) =>
    values.map((name) => ({
      agent,
      ...defined(place),
      ...versions.get(name),
      ...(created !== undefined && { createdAt: toFineTimestamp(created * 1000) }),
    })),
  )

const look = async (
  { deps, signal }: RestContext,
  namespace: string,
  values: readonly WantedValue[],
  versions: readonly StatedVersion[],
): Promise<{ body: unknown }> => {
  const wanted = { values, containersOnly: false }
  const looks = await lookEverywhere(deps, namespace, wanted, signal)
  const byName = new Map(versions.map((version) => [String(version.version), version]))
  const agents = looks.map(({ agent: name, state: how, since, message, unread }) => ({
    ...defined({ name, state: how, since, message }),
    unread,
  }))
  const places = looks.flatMap((found) => shownPlaces(found, byName))
  return { body: answer(whereSchema, { versions, places, agents }) }
}

const response = { description: 'The places.', schema: whereSchema }

export const whereRoutes = routesOf('Values', [
  route({
    id: 'whereIsSecret',
    at: 'POST /projects/:project_id/secrets/:secret_id/where',
    summary:
      'Look for the values of a secret, old ones too, on every machine of the team. Only names of places come back.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets/value' },
    session: 'confirmed',
    body: z.strictObject({}),
    response,
    handle: async (context) => {
      refuseNarrowed(context)
      const { deps, actor } = context
      const secret = ofKind('StagelySecret', await secretOf(context))
      const all = statesOf(await deps.store.versionsOf(secret.metadata.uid ?? ''))
      const versions = all.slice(0, mostValues)
      const holdersOf = await holdersIn(deps.store, secret)
      const opened = await Promise.all(
        versions.map(async ({ version, state: is }) => {
          const which = is === 'current' ? {} : { version }
          const { value, drawn } = await deps.store.revealSecret(actor, refOf(secret), {
            ...which,
            way: 'where',
          })
          const generated = drawn === true
          return { name: String(version), value, generated, holders: holdersOf(version) }
        }),
      )
      const values = opened.filter(({ value }) => value.length >= minPatternBytes)
      if (values.length === 0) throw tooShort('value')
      return look(context, secret.metadata.namespace ?? '', values, versions)
    },
  }),
  route({
    id: 'whereIsValue',
    at: 'POST /teams/:team/where',
    summary:
      'Look for a value that you give on every machine of the team. 20 an hour for each login.',
    access: { in: 'team', verb: 'get', resource: 'stagelysecrets/fingerprints' },
    session: 'confirmed',
    body: z
      .strictObject({
        value: z.string().max(limits.value).optional(),
        value_base64: z.base64().max(limits.value).optional().describe('Where it is no text.'),
      })
      .refine(
        ({ value, value_base64: base64 }) => (value === undefined) !== (base64 === undefined),
        'give value or value_base64',
      ),
    response,
    handle: async (context) => {
      refuseNarrowed(context)
      const { deps, actor, body, principal } = context
      const team = requireTarget(context).metadata.name
      const value =
        body.value === undefined
          ? Buffer.from(body.value_base64 ?? '', 'base64')
          : Buffer.from(body.value)
      if (value.length < minPatternBytes) throw tooShort('value')
      const counted = `where ${principal.id}`
      const why = `you have looked for ${mostGuesses} values`
      deps.store.guesses.check(counted, { most: mostGuesses, why })
      deps.store.guesses.note(counted, randomUUID())
      const object = { kind: 'Namespace', namespace: '', name: team }
      await deps.audit.record(actor, object, { action: 'look for a given value' })
      return look(context, team, [{ name: 'given', value, generated: false, holders: nobody }], [])
    },
  }),
])
