// Rotations of a project: credentials that are changed at their time.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import type {
  RotationRequest,
  RotationSpec,
  RotationStatus,
} from '../../../../src/kinds/rotation/schema.ts'
import { objectName } from '../../../../src/resources/schema-parts.ts'
import { gatherProject } from '../../../reconcilers/project/gather.ts'
import { isTrustedEnd, releasedWith } from '../../../rotators/proof/released.ts'
import { outputViewersOf } from '../../../rotators/proof/viewers.ts'
import { restNotFound, requireIn } from '../access.ts'
import { createRestObject, unlessTried, updateRestObject, writeQuery } from './kind-routes.ts'
import { listRoute } from '../lists.ts'
import { pagedBy, pageOf, pageQuery, type Order } from '../paging.ts'
import { deleted, deletedSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import {
  breakSchema,
  rotationFields,
  rotationSchema,
  stepSchema,
  toRotation,
  toStep,
} from '../rotation-shapes.ts'
import { createShape, updateShape } from '../shapes.ts'
import { shownAs } from '../target.ts'
import { readAgain } from '../writes.ts'

const all = '/projects/:project_id/rotations'
const rotationPath = `${all}/:rotation`

const byName: Order<KubeObject> = { of: 'rotations', placeOf: ({ metadata }) => [metadata.name] }

const kind = { kind: 'Rotation', schema: rotationSchema, fields: rotationFields }

type Rotation = KubeObject<RotationSpec, RotationStatus> & { spec: RotationSpec }

/** By its name; of the project in the path. */
const findRotation = async (context: RestContext): Promise<Rotation> => {
  const { namespace = '', name: project } = requireTarget(context).metadata
  const name = context.params['rotation'] ?? ''
  const ref = { kind: 'Rotation', namespace, name }
  const found = (await context.deps.store.get(ref)) as Rotation | undefined
  if (found?.spec.projectRef.name !== project) throw restNotFound('rotation', name)
  return found
}

/** What runs with the old credential, or would after a new one is made. */
const breaksOf = async (context: RestContext, rotation: Rotation) => {
  const { store, clock } = context.deps
  const { namespace = '', name } = requireTarget(context).metadata
  const now = toTimestamp(clock.now())
  const input = await gatherProject(store, { namespace, name }, now)
  if (input === undefined) throw restNotFound('project', name)
  const isUnderWay = (rotation.status?.phase ?? 'Idle') !== 'Idle'
  const outputs = new Set(Object.values(rotation.spec.outputs))
  const own = input.secrets.filter(({ metadata }) => outputs.has(metadata.name))
  const released = isUnderWay
    ? releasedWith(input, rotation)
    : rotation.status?.released?.filter((stack) => !isTrustedEnd(stack, rotation.spec))
  const unseen = (released ?? []).flatMap(({ stagelet, services: names, at }) =>
    (names.length === 0 ? ['?'] : names).map((service) => ({ stagelet, service, released_at: at })),
  )
  const viewers = outputViewersOf(input, own).flatMap(({ stagelet, services, late }) =>
    [...services.values()]
      .filter((service) => !isUnderWay || late.has(service.name))
      .map(({ name: service, containers }): z.infer<typeof breakSchema> => ({
        stagelet: stagelet.metadata.name,
        service,
        ...defined({ containers }),
      })),
  )
  return [...viewers, ...unseen]
}

const confirmField = z
  .string()
  .max(limits.name)
  .optional()
  .describe(
    'Name of the rotation, typed by a person: with it the old credential ends without a proof.',
  )

const unconfirmed = (name: string): StagelyError =>
  new StagelyError(
    'BadRequest',
    `confirm: give the name of the rotation, ${name}, to end the old credential without a proof: what runs with it breaks`,
  )

/** The request is a fact of the status: whichever replica leads sees it. */
const ask = async (
  context: RestContext,
  rotation: Rotation,
  more: Pick<RotationRequest, 'now' | 'withoutProof'>,
): Promise<KubeObject> => {
  const { deps, actor } = context
  const { clock, store } = deps
  // One that has begun goes on to its end, also faster.
  if (rotation.spec.paused === true && (rotation.status?.phase ?? 'Idle') === 'Idle')
    throw new StagelyError(
      'Conflict',
      `rotation "${rotation.metadata.name}" is paused: resume it first`,
    )
  return store.write(actor, {}, async (tx) => {
    const current = await readAgain(tx, rotation, undefined)
    tx.checkMayChange(current)
    const request = { at: toTimestamp(clock.now()), by: actor.name, cause: 'Run' as const, ...more }
    return tx.setStatus({ ...current, status: { ...current.status, request } })
  })
}

export const rotationRoutes = routesOf('Rotations', [
  route({
    id: 'listRotations',
    at: `GET ${all}`,
    summary: 'The rotations of a project.',
    access: { in: 'project', verb: 'list', resource: 'rotations' },
    query: z.strictObject(pageQuery),
    response: {
      description: 'In order of their names.',
      schema: pageOf('rotations', rotationSchema),
    },
    handle: async (context) => {
      const { namespace = '', name: project } = requireTarget(context).metadata
      const rotations = (await context.deps.store.list('Rotation', { namespace, project })).items
      const { items, next } = pagedBy(rotations, byName, context.query)
      return { body: { rotations: items.map(toRotation), ...next } }
    },
  }),
  route({
    id: 'getRotation',
    at: `GET ${rotationPath}`,
    summary: 'One rotation: where it stands, and who is waited for.',
    access: { in: 'project', verb: 'get', resource: 'rotations' },
    response: { description: 'The rotation.', schema: rotationSchema },
    handle: async (context) => shownAs(await findRotation(context), toRotation),
  }),
  listRoute({
    id: 'rotationBreaks',
    at: `GET ${rotationPath}/breaks`,
    summary: 'Services that break when the old credential ends now.',
    access: { in: 'project', verb: 'get', resource: 'rotations' },
    description:
      'While a rotation is under way: those that do not run the new credential. Else: all that see an output.',
    list: 'services',
    item: breakSchema,
    read: async (context) => breaksOf(context, await findRotation(context)),
    order: { of: 'breaks', placeOf: ({ stagelet, service }) => [stagelet, service] },
  }),
  route({
    id: 'rotationHistory',
    at: `GET ${rotationPath}/history`,
    summary: 'The steps of a rotation, newest first, as the audit log has them.',
    access: { in: 'project', verb: 'get', resource: 'rotations' },
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(500).default(100).describe('How many.'),
    }),
    response: {
      description: 'The newest steps.',
      schema: z.strictObject({ steps: z.array(stepSchema) }),
    },
    handle: async (context) => {
      const { metadata } = await findRotation(context)
      const { namespace, name, creationTimestamp: since } = metadata
      const filter = {
        teams: undefined,
        kind: 'Rotation',
        action: 'rotation step',
        namespace,
        name,
      }
      const { limit } = context.query
      const { records } = await context.deps.audit.list({ ...filter, since }, { limit })
      return { body: { steps: records.map(toStep) } }
    },
  }),
  route({
    id: 'createRotation',
    at: `POST ${all}`,
    summary: 'Let a credential of the project be changed by itself.',
    access: { in: 'project', verb: 'create', resource: 'rotations' },
    session: unlessTried('confirmed'),
    query: writeQuery,
    body: z
      .strictObject({ name: objectName.describe('Name of the rotation, unique in its team.') })
      .extend(createShape(rotationFields)) as unknown as z.ZodType<{ name: string }>,
    response: {
      status: 201,
      description: 'The new rotation.',
      schema: rotationSchema,
      dryRun: { description: 'Nothing was stored. What it would be.', schema: rotationSchema },
    },
    handle: (context) => {
      const { namespace = '', name: project } = requireTarget(context).metadata
      const { name, ...given } = context.body
      const spec = { projectRef: { name: project } }
      return createRestObject(context, kind, { name, namespace, given, spec })
    },
  }),
  route({
    id: 'updateRotation',
    at: `PATCH ${rotationPath}`,
    summary: 'Change what is given, such as `paused`. `null` takes a field away.',
    access: { in: 'project', verb: 'patch', resource: 'rotations' },
    session: unlessTried('confirmed'),
    heedsIfMatch: true,
    query: writeQuery,
    body: z.strictObject(updateShape(rotationFields)),
    response: {
      description: 'The rotation as it is now; of a dry run, as it would be.',
      schema: rotationSchema,
    },
    handle: async (context) => updateRestObject(context, kind, await findRotation(context)),
  }),
  route({
    id: 'deleteRotation',
    at: `DELETE ${rotationPath}`,
    summary:
      'Change the credential no more. It stays as it is; an old one that is still valid does too.',
    access: { in: 'project', verb: 'delete', resource: 'rotations' },
    session: 'confirmed',
    heedsIfMatch: true,
    response: { description: 'It is gone.', schema: deletedSchema },
    handle: async (context) => {
      const found = await findRotation(context)
      await context.deps.store.write(context.actor, {}, async (tx) => {
        await tx.remove(refOf(await readAgain(tx, found, context.ifMatch)))
      })
      return deleted
    },
  }),
  route({
    id: 'runRotation',
    at: `POST ${rotationPath}/run`,
    summary:
      'Make a new credential; `now` skips window and overlap. `without_proof` ends the old one at once, and needs the right to revoke.',
    access: { in: 'project', verb: 'create', resource: 'rotations/run' },
    body: z.strictObject({
      now: z.boolean().optional().describe('Skip window and overlap.'),
      without_proof: z.boolean().optional().describe('Skip the proof; needs `confirm`.'),
      confirm: confirmField,
    }),
    response: { status: 202, description: 'It starts, or goes on so.', schema: rotationSchema },
    handle: async (context) => {
      const rotation = await findRotation(context)
      const { now, without_proof: withoutProof, confirm } = context.body
      if (withoutProof === true) {
        const { namespace = '' } = rotation.metadata
        requireIn(context.principal, { verb: 'create', resource: 'rotations/revoke' }, namespace)
        if (context.principal.session !== undefined)
          throw new StagelyError('BadRequest', 'in a browser run it first, and then revoke')
        if (confirm !== rotation.metadata.name) throw unconfirmed(rotation.metadata.name)
      }
      const more = {
        ...((now === true || withoutProof === true) && { now: true }),
        ...(withoutProof === true && { withoutProof }),
      }
      return shownAs(await ask(context, rotation, more), toRotation)
    },
  }),
  route({
    id: 'revokeRotation',
    at: `POST ${rotationPath}/revoke`,
    summary:
      'End the old credential of the rotation that is under way, without waiting for a proof.',
    access: { in: 'project', verb: 'create', resource: 'rotations/revoke' },
    session: 'confirmed',
    body: z.strictObject({ confirm: confirmField }),
    response: { status: 202, description: 'It is ended next.', schema: rotationSchema },
    handle: async (context) => {
      const rotation = await findRotation(context)
      const { name } = rotation.metadata
      const { phase = 'Idle', hasOld, step, failure } = rotation.status ?? {}
      const isTakenBack = step === 'Back' || failure !== undefined
      if (phase === 'Idle' || hasOld !== true || isTakenBack)
        throw new StagelyError(
          'Conflict',
          `rotation "${name}" has no old credential that is still valid`,
        )
      if (context.body.confirm !== name) throw unconfirmed(name)
      return shownAs(await ask(context, rotation, { now: true, withoutProof: true }), toRotation)
    },
  }),
])
