// Keys: how old they are, what they seal, and their rotation. For admins only.
import { z } from 'zod'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { describeWrap } from '../../../src/secrets/key-provider.ts'
import { keyProviderNames } from '../../../src/secrets/providers/settings.ts'
import type { BegunRotation, KeyStatus } from '../../../src/store/keys/key-store.ts'
import type { ProjectKeyStatus } from '../../../src/store/keys/project-key-use.ts'
import type { Rotation } from '../../../src/store/keys/rotations.ts'
import { notFound } from './access.ts'
import type { RestDeps } from './deps.ts'
import { parseId, renderId } from './ids.ts'
import { time } from './representations.ts'
import { route, type RestRoute } from './route.ts'

const tag = 'Keys'
const access = { in: 'admin' } as const

const rotationSchema = z.strictObject({
  id: z.uuid(),
  kind: z.enum(['data', 'master']),
  project_id: z.string().optional().describe('Of `data`: the one project; absent for all.'),
  target: z.string().optional().describe('Of `master`: the key that wraps from now on.'),
  state: z.enum(['Running', 'Succeeded', 'Failed']),
  done: z.int().describe('How many rows were sealed or wrapped anew.'),
  started_at: time,
  started_by: z.string(),
  updated_at: time,
  finished_at: time.optional(),
  message: z.string().describe('Why it waits or failed; else empty.'),
})

const toRotation = (rotation: Rotation): z.infer<typeof rotationSchema> => {
  const { id, kind, projectUid, target, state, done, startedBy, finishedAt, message } = rotation
  return {
    id,
    kind,
    ...(projectUid === undefined ? {} : { project_id: renderId('Project', projectUid) }),
    ...(target === undefined ? {} : { target: describeWrap(target) }),
    state,
    done,
    started_at: toTimestamp(rotation.startedAt),
    started_by: startedBy,
    updated_at: toTimestamp(rotation.updatedAt),
    ...(finishedAt === undefined ? {} : { finished_at: toTimestamp(finishedAt) }),
    message,
  }
}

const due = time.optional().describe('From then on it is due for rotation.')

/** Since when a key is used, and when it is due, in fields of these names; none where that is not known. */
const datesOf = <Since extends string, Due extends string>(
  [sinceField, dueField]: readonly [Since, Due],
  since: number | undefined,
  rotationMs: number,
): Partial<Record<Since | Due, string>> =>
  since === undefined
    ? {}
    : ({
        [sinceField]: toTimestamp(since),
        [dueField]: toTimestamp(since + rotationMs),
      } as Partial<Record<Since | Due, string>>)

const begunSchema = rotationSchema.extend({
  not_rotated: z
    .array(
      z.strictObject({
        project_id: z.string(),
        project: z.string().describe('`team/name`.'),
        message: z.string(),
      }),
    )
    .optional()
    .describe('Projects that keep their data key, since the key that wraps it does not answer.'),
})

const toBegun = ({ left, ...rotation }: BegunRotation): z.infer<typeof begunSchema> => {
  const notRotated = left.map(({ projectUid, project, message }) => ({
    project_id: renderId('Project', projectUid),
    project,
    message,
  }))
  return { ...toRotation(rotation), ...(left.length === 0 ? {} : { not_rotated: notRotated }) }
}

const projectKeySchema = z.strictObject({
  name: z.string(),
  provider: z.enum(keyProviderNames),
  key_id: z.string(),
  teams: z.array(z.string()).optional().describe('The teams that may name it; absent: all.'),
  projects: z.int().describe('How many projects name it.'),
  since: time
    .optional()
    .describe('Since when it wraps keys here, in its newest version; absent while none.'),
  due,
  ok: z.boolean().describe('Whether it answers.'),
  message: z.string().describe('Why it does not; else empty.'),
})

const toProjectKey = (
  key: ProjectKeyStatus,
  { ages, rotationMs }: KeyStatus,
): z.infer<typeof projectKeySchema> => ({
  name: key.name,
  provider: key.provider as z.infer<typeof projectKeySchema>['provider'],
  key_id: key.keyId,
  ...(key.teams === undefined ? {} : { teams: [...key.teams] }),
  projects: key.projects,
  ...datesOf(['since', 'due'], ages.named.get(key.name), rotationMs),
  ok: key.health.ok,
  message: key.health.reason ?? '',
})

const statusSchema = z
  .strictObject({
    provider: z.enum(keyProviderNames),
    key_id: z.string().describe('Names the master key without telling anything about it.'),
    master_key_since: time.optional(),
    master_key_due: due,
    wrapped: z
      .array(z.strictObject({ by: z.string(), count: z.int() }))
      .describe(
        'How many keys each master key wraps. More than the master key and project_keys only until a rotation ends.',
      ),
    project_keys: z
      .array(projectKeySchema)
      .describe('Keys that projects may name as their key_provider, in place of the master key.'),
    data_keys: z.int(),
    oldest_data_key: time.optional().describe('When the oldest data key in use was made.'),
    oldest_data_key_due: due,
    sealing_key_since: time.optional().describe('When the key of `stagely seal` was made.'),
    sealing_key_due: due,
    sealed_by_old_keys: z.int().describe('Versions that are still sealed by a retired data key.'),
    rotation_days: z.number().describe('A key that is older is due for rotation.'),
    rotation_due: z.boolean().describe('One of them is due.'),
    rotations: z.array(rotationSchema).describe('The newest ten.'),
  })
  .describe('Keys and their age; never a key.')

const dayMs = 86_400_000

const toStatus = (status: KeyStatus, now: number): z.infer<typeof statusSchema> => {
  const { ages, rotationMs } = status
  const { masterSince, oldestDataKey, sealingSince, named } = ages
  const all = [masterSince, oldestDataKey, sealingSince, ...named.values()]
  return {
    provider: status.provider as z.infer<typeof statusSchema>['provider'],
    key_id: status.keyId,
    ...datesOf(['master_key_since', 'master_key_due'], masterSince, rotationMs),
    wrapped: [...status.wrapped],
    project_keys: status.projectKeys.map((key) => toProjectKey(key, status)),
    data_keys: ages.dataKeys,
    ...datesOf(['oldest_data_key', 'oldest_data_key_due'], oldestDataKey, rotationMs),
    ...datesOf(['sealing_key_since', 'sealing_key_due'], sealingSince, rotationMs),
    sealed_by_old_keys: status.sealedOld,
    rotation_days: rotationMs / dayMs,
    rotation_due: all.some((since) => since !== undefined && since + rotationMs < now),
    rotations: status.rotations.map(toRotation),
  }
}

export const keyRoutes = (deps: RestDeps): RestRoute[] => [getKeys(deps), rotateKeys(deps)]

const getKeys = (deps: RestDeps): RestRoute =>
  route({
    id: 'getKeys',
    method: 'GET',
    path: '/keys',
    tag,
    summary: 'Which keys there are, how old they are, and how far rotations are.',
    access,
    response: { status: 200, schema: statusSchema, description: 'The keys.' },
    handle: async () => ({
      status: 200,
      body: toStatus(await deps.keys.status(), deps.clock.now()),
    }),
  })

const findProject = async ({ store }: RestDeps, given: string): Promise<string> => {
  const uid = parseId('Project', given)
  const [namespace = '', name = ''] = given.split('/')
  const project =
    uid === undefined
      ? await store.get({ kind: 'Project', namespace, name })
      : await store.getByUid('Project', uid)
  if (project?.metadata.uid === undefined) throw notFound('project', given)
  return project.metadata.uid
}

const refuseOther = (asked: string | undefined, provider: string): void => {
  if (asked === undefined || asked === provider) return
  throw new StagelyError(
    'BadRequest',
    `keys are wrapped by ${provider}: start the controllers with STAGELY_KEY_PROVIDER=${asked} and its key, and with the key of ${provider} as the previous one; they then move by themselves`,
  )
}

const rotateKeys = (deps: RestDeps): RestRoute =>
  route({
    id: 'rotateKeys',
    method: 'POST',
    path: '/keys/rotations',
    tag,
    summary: 'Begins a rotation. No container restarts, and nothing waits for it.',
    access,
    body: z.strictObject({
      kind: z
        .enum(['data', 'master'])
        .describe(
          '`data`: new data keys; `master`: every key wrapped by the master key of now, or the key of its project.',
        ),
      project_id: z
        .string()
        .optional()
        .describe('Of `data`: only this project, as `proj_…` or `team/name`.'),
      provider: z
        .enum(keyProviderNames)
        .optional()
        .describe('Of `master`: refused unless this provider is the one that wraps.'),
    }),
    response: { status: 202, schema: begunSchema, description: 'The rotation has begun.' },
    handle: async ({ actor, body }) => {
      const { kind, project_id: project, provider } = body
      if (kind === 'master') {
        refuseOther(provider, (await deps.keys.status()).provider)
        return { status: 202, body: toRotation(await deps.keys.rotateMasterKey(actor)) }
      }
      const uid = project === undefined ? undefined : await findProject(deps, project)
      return { status: 202, body: toBegun(await deps.keys.rotateDataKeys(actor, uid)) }
    },
  })
