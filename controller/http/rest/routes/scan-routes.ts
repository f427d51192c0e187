// What scanners of repositories ask: fingerprints of strong values, and whether words are weak ones.
import * as z from 'zod'
import { refOf } from '../../../../src/resources/meta.ts'
import { statusOf } from '../../../../src/kinds/typed.ts'
import {
  scannerFileOf,
  type FingerprintedValue,
} from '../../../../src/store/history/fingerprints.ts'
import { renderId } from '../ids.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { answer } from '../shapes.ts'

const path = '/projects/:project_id/fingerprints'
const access = { in: 'project', verb: 'get', resource: 'stagelysecrets/fingerprints' } as const

const mac = z.string().max(64).describe('128 bits of an HMAC of the bytes, in base64url.')

const valueSchema = z.strictObject({
  mac,
  secret_id: z.string(),
  key: z.string(),
  scope: z.string(),
  stagelet: z.string().optional(),
  version: z.int().describe('Newest version with the value.'),
  state: z
    .enum(['current', 'superseded', 'revoked', 'deleted'])
    .describe('`superseded`: it may still be accepted. `revoked`: nothing accepts it.'),
  since: timeSchema,
  services: z.array(z.string()).describe('Services that see the secret now.'),
})

const fingerprintsSchema = z.strictObject({
  key: z.string().describe('Of the MACs and the rolling hash, in base64url.'),
  strong: z.array(
    valueSchema.extend({
      filter: z.int().describe('24 bits of a rolling hash of the first 16 bytes.'),
      length: z.int(),
    }),
  ),
  weak_lengths: z
    .array(z.int())
    .describe('Lengths of values that could be guessed. Nothing else is told of them.'),
})

const mostMacs = 10_000

const shownValue =
  ({ store }: RestContext['deps'], namespace: string) =>
  async ({ fingerprint, secretId, name, mayAsk: _, ...value }: FingerprintedValue) => {
    const isThere = value.state !== 'deleted'
    const secret = isThere
      ? await store.getStored({ kind: 'StagelySecret', namespace, name })
      : undefined
    const services =
      secret === undefined ? [] : (statusOf('StagelySecret', secret.object).services ?? [])
    return {
      ...value,
      mac: fingerprint.mac,
      secretId: renderId('StagelySecret', secretId),
      services: [...services],
    }
  }

const perMinute = 100_000
const perDay = 1_000_000

const matchesSchema = z.strictObject({ matches: z.array(valueSchema) })

export const scanRoutes = routesOf('Values', [
  route({
    id: 'getFingerprints',
    at: `GET ${path}`,
    summary: 'What a scanner needs to find the values of a project, and nobody can guess one from.',
    access,
    response: { description: 'Of all kept versions.', schema: fingerprintsSchema },
    handle: async (context) => {
      const { deps, actor } = context
      const project = requireTarget(context)
      const { namespace } = refOf(project)
      const { scanKey, values } = await deps.store.fingerprints(
        actor,
        refOf(project),
        'read fingerprints',
      )
      const show = shownValue(deps, namespace)
      const strong = await Promise.all(
        values.flatMap((value) => {
          const { fingerprint, mayAsk } = value
          if (fingerprint.strength === 'weak' || !mayAsk) return []
          const { filter, length } = fingerprint
          return [show(value).then((shown) => ({ ...shown, filter, length }))]
        }),
      )
      const { key, weak_lengths: weakLengths } = scannerFileOf(scanKey, values)
      const body = { key, strong, weakLengths }
      return { body: answer(fingerprintsSchema, body) }
    },
  }),
  route({
    id: 'matchFingerprints',
    at: `POST ${path}/matches`,
    summary: `Which of these MACs are of values. ${perMinute} a minute and ${perDay} a day for each login.`,
    access,
    body: z.strictObject({ macs: z.array(mac).min(1).max(mostMacs) }),
    response: {
      description: 'Only those that are.',
      schema: matchesSchema,
    },
    handle: async (context) => {
      const { deps, actor, body, principal } = context
      const project = requireTarget(context)
      const wanted = new Set(body.macs)
      await deps.matchLimit.take(principal.id, wanted.size)
      const { values } = await deps.store.fingerprints(
        actor,
        refOf(project),
        `match ${wanted.size} fingerprints`,
      )
      const matched = values.filter(
        ({ fingerprint, mayAsk }) => mayAsk && wanted.has(fingerprint.mac),
      )
      const show = shownValue(deps, refOf(project).namespace)
      const matches = await Promise.all(matched.map(show))
      return { body: answer(matchesSchema, { matches }) }
    },
  }),
])
