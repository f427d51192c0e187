// Keys: their age, what they protect, and their rotation. For admins only.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { describeWrap } from '../../../../src/secrets/key-provider.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import { keyProviderNames } from '../../../../src/secrets/providers/settings.ts'
import type { BegunRotation } from '../../../../src/store/keys/key-store.ts'
import type { KeyStatus } from '../../../../src/store/keys/key-status.ts'
import type { RunningKeyRotation } from '../../../../src/store/secrets/key-rotations.ts'
import { findTarget, restNotFound } from '../access.ts'
import type { RestDeps } from '../deps.ts'
import { idOf, renderId } from '../ids.ts'
import { restConditionsOf, timeSchema } from '../representations.ts'
import { route, routesOf } from '../route.ts'
import { answer } from '../shapes.ts'

const access = { in: 'admin' } as const

const rotationSchema = z.strictObject({
  id: z.uuid(),
  kind: z.enum(['data', 'master']),
  project_id: z.string().optional().describe('Of `data`: the one project; absent for all.'),
  target: z.string().optional().describe('Of `master`: the key that wraps from now on.'),
  state: z.enum(['Running', 'Succeeded', 'Failed']),
  done: z.int().describe('How many rows were sealed or wrapped anew.'),
  started_at: timeSchema,
  started_by: z.string(),
  updated_at: timeSchema,
  finished_at: timeSchema.optional(),
  message: z.string().describe('Why it waits or failed; else empty.'),
})

const shownRotation = ({ projectUid, target, ...rotation }: RunningKeyRotation) => ({
  ...rotation,
  projectId: projectUid === undefined ? undefined : renderId('Project', projectUid),
  target: target === undefined ? undefined : describeWrap(target),
})

const due = timeSchema.optional().describe('From then on it is due for rotation.')

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

const shownBegun = ({ left, ...rotation }: BegunRotation) => {
  const notRotated = left.map((project) => ({
    ...project,
    projectId: renderId('Project', project.projectUid),
  }))
  return {
    ...shownRotation(rotation),
    notRotated: left.length === 0 ? undefined : notRotated,
  }
}

const projectKeySchema = z.strictObject({
  name: z.string(),
  provider: z.enum(keyProviderNames),
  key_id: z.string(),
  teams: z.array(z.string()).optional().describe('The teams that may name it; absent: all.'),
  projects: z.int().describe('How many projects name it.'),
  since: timeSchema
    .optional()
    .describe('Since when it wraps keys here, in its newest version; absent while none.'),
  due,
  ok: z.boolean().describe('Whether it answers.'),
  message: z.string().describe('Why it does not; else empty.'),
})

const statusSchema = z
  .strictObject({
    provider: z.enum(keyProviderNames),
    key_id: z.string().describe('Names the master key without telling anything about it.'),
    master_key_since: timeSchema.optional(),
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
    oldest_data_key: timeSchema.optional().describe('When the oldest data key in use was made.'),
    oldest_data_key_due: due,
    sealing_key_since: timeSchema.optional().describe('When the key of `stagely seal` was made.'),
    sealing_key_due: due,
    sealed_by_old_keys: z.int().describe('Versions that are still sealed by a retired data key.'),
    rotation_days: z.number().describe('A key that is older is due for rotation.'),
    rotation_due: z.boolean().describe('One of them is due.'),
    rotation: z
      .enum(['auto', 'off'])
      .describe('auto: the controller replaces data keys and the sealing key when they are due.'),
    projects_due: z
      .array(
        z.strictObject({
          project_id: z.string(),
          project: z.string().describe('`team/name`.'),
          message: z.string().describe('Which key is due, and the command that replaces it.'),
        }),
      )
      .describe(
        'Projects with a key that is due, as their condition `KeyRotationDue` says; the first hundred.',
      ),
    rotations: z.array(rotationSchema).describe('The newest ten.'),
  })
  .describe('Keys and their age; never a key.')

const dayMs = 86_400_000

type Provider = (typeof keyProviderNames)[number]

const mostProjects = 100

const projectsDue = (projects: readonly KubeObject[]) =>
  projects
    .flatMap((project) => {
      const due = restConditionsOf(project).find(({ type }) => type === 'KeyRotationDue')
      const { namespace = '', name } = project.metadata
      return due?.status === 'True'
        ? [{ projectId: idOf(project), project: `${namespace}/${name}`, message: due.message }]
        : []
    })
    .slice(0, mostProjects)

const shownStatus = (status: KeyStatus, projects: readonly KubeObject[], now: number) => {
  const { ages, rotationMs } = status
  const due = projectsDue(projects)
  const { masterSince, oldestDataKey, sealingSince, named } = ages
  const all = [masterSince, oldestDataKey, sealingSince, ...named.values()]
  const dueAfter = (since?: number): number | undefined =>
    since === undefined ? undefined : since + rotationMs
  return {
    ...status,
    provider: status.provider as Provider,
    masterKeySince: masterSince,
    masterKeyDue: dueAfter(masterSince),
    projectKeys: status.projectKeys.map((key) => ({
      ...key,
      provider: key.provider as Provider,
      since: named.get(key.name),
      due: dueAfter(named.get(key.name)),
      ok: key.health.ok,
      message: key.health.reason ?? '',
    })),
    dataKeys: ages.dataKeys,
    oldestDataKey,
    oldestDataKeyDue: dueAfter(oldestDataKey),
    sealingKeySince: sealingSince,
    sealingKeyDue: dueAfter(sealingSince),
    sealedByOldKeys: status.sealedOld,
    rotationDays: rotationMs / dayMs,
    rotationDue:
      due.length > 0 || all.some((since) => since !== undefined && since + rotationMs < now),
    rotation: status.rotatesKeys ? ('auto' as const) : ('off' as const),
    projectsDue: due,
    rotations: status.rotations.map(shownRotation),
  }
}

const findProject = async ({ store }: Pick<RestDeps, 'store'>, given: string): Promise<string> => {
  const project = await findTarget(store, 'project', given)
  if (project?.metadata.uid === undefined) throw restNotFound('project', given)
  return project.metadata.uid
}

const refuseOther = (asked: string | undefined, provider: string): void => {
  if (asked === undefined || asked === provider) return
  throw new StagelyError(
    'BadRequest',
    `keys are wrapped by ${provider}: start the controllers with STAGELY_KEY_PROVIDER=${asked} and its key, and with the key of ${provider} as the previous one; they then move by themselves`,
  )
}

const rotationBody = z.strictObject({
  kind: z
    .enum(['data', 'master'])
    .describe(
      '`data`: new data keys; `master`: every key wrapped by the master key of now, or the key of its project.',
    ),
  project_id: z
    .string()
    .max(2 * limits.name)
    .optional()
    .describe('Of `data`: only this project, as `proj_…` or `team/name`.'),
  provider: z
    .enum(keyProviderNames)
    .optional()
    .describe('Of `master`: refused unless this provider is the one that wraps.'),
})

export const keyRoutes = routesOf('Keys', [
  route({
    id: 'getKeys',
    at: 'GET /keys',
    summary: 'Which keys there are, how old they are, and how far rotations are.',
    access,
    response: { schema: statusSchema, description: 'The keys.' },
    handle: async ({ deps: { keys, store, clock } }) => {
      const { items } = await store.list('Project')
      return { body: answer(statusSchema, shownStatus(await keys.status(), items, clock.now())) }
    },
  }),
  route({
    id: 'rotateKeys',
    at: 'POST /keys/rotations',
    summary: 'Begins a rotation. No container restarts, and nothing waits for it.',
    access,
    session: 'confirmed',
    body: rotationBody,
    response: { status: 202, schema: begunSchema, description: 'The rotation has begun.' },
    handle: async ({ deps, actor, body: { kind, project_id: project, provider } }) => {
      if (kind === 'master') {
        refuseOther(provider, (await deps.keys.status()).provider)
        const begun = await deps.keys.rotateMasterKey(actor)
        return { body: answer(rotationSchema, shownRotation(begun)) }
      }
      const uid = project === undefined ? undefined : await findProject(deps, project)
      const begun = await deps.keys.rotateDataKeys(actor, uid)
      return { body: answer(begunSchema, shownBegun(begun)) }
    },
  }),
])
