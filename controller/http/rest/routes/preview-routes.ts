// Previews: Stagelets that are made of the template of their project, each in one write.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { lifetime } from '../../../../src/resources/duration.ts'
import { imagesSpec } from '../../../../src/kinds/stagelet/compose.ts'
import { previewStageletName } from '../../../../src/kinds/project/preview.ts'
import { limits, mapOf } from '../../../../src/resources/limits.ts'
import { annotations, apiVersion, refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import { ofKind } from '../../../../src/kinds/typed.ts'
import type { Transaction, WriteOptions } from '../../../../src/store/store.ts'
import { planPreview, previewOf, type PreviewWorld } from '../../../previews/plan-preview.ts'
import { restNotFound } from '../access.ts'
import { withRequest } from '../action-route.ts'
import { stageletSchema, toStagelet } from '../kinds.ts'
import { requireTarget, route, routesOf, type RestContext, type RestRoute } from '../route.ts'
import { shownAs } from '../target.ts'
import { createTracked, updateTracked } from '../writes.ts'

const previewBody = z.strictObject({
  ttl: lifetime
    .optional()
    .describe('How long it lives after its last deploy; as the template says when absent.'),
  images: imagesSpec
    .optional()
    .describe('By service, the image that takes the place of the one in the Compose file.'),
  set: mapOf(z.string().max(limits.value), {
    most: 100,
    key: z
      .string()
      .max(255)
      .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'must be the name of a variable'),
  })
    .optional()
    .describe('Plain values that each of its services gets as variables. They are no secrets.'),
})

type PreviewBody = z.infer<typeof previewBody>

const at = '/projects/:project_id/previews/:preview' as const

const worldOf = async (tx: Transaction, target: KubeObject): Promise<PreviewWorld> => {
  const { namespace } = refOf(target)
  // Read again: the target was read before this write.
  const project = await tx.get(refOf(target))
  if (project === undefined) throw restNotFound('project', target.metadata.name)
  const [stagelets, agents, secrets] = [
    await tx.listWhole('Stagelet', namespace),
    await tx.listWhole('Agent', namespace),
    await tx.listWhole('StagelySecret', namespace),
  ]
  const names = new Set(secrets.map(({ metadata }) => metadata.name))
  return {
    project: ofKind('Project', project),
    stagelets,
    agents,
    // What belongs to a team as a whole is none of a narrowed login.
    hidesAgents: tx.isNarrowed(namespace),
    secrets: secrets.filter((secret) => projectNameOf(secret) === target.metadata.name),
    isSecretName: (name) => names.has(name),
    isNameFree: (name) =>
      tx.isNameFree({
        apiVersion,
        kind: 'Stagelet',
        metadata: { name, namespace },
        spec: { projectRef: { name: target.metadata.name } },
      }),
  }
}

const wholePreview = (): WriteOptions => ({ changeSet: { id: randomUUID(), last: true } })

const putPreview = ({
  deps,
  actor,
  ...context
}: RestContext<unknown, PreviewBody>): Promise<KubeObject> =>
  // It is whole: nothing else is to be awaited before its first rollout.
  deps.store.write({ ...actor, followsTemplate: true }, wholePreview(), async (tx) => {
    const world = await worldOf(tx, requireTarget(context))
    const wish = { name: context.params['preview'] ?? '', ...context.body }
    const { before, stagelet, secrets } = planPreview(world, wish, Math.random)
    const now = deps.clock.now()
    const write = (former: KubeObject | undefined, next: KubeObject): Promise<KubeObject> =>
      former === undefined ? createTracked(tx, next, now) : updateTracked(tx, former, next, now)
    // A deploy, with edits of the files, also of what has failed.
    const asked = [annotations.redeploy, annotations.retry] as const
    const next =
      before === undefined
        ? stagelet
        : asked.reduce((object, name) => withRequest(object, name, now), stagelet)
    const made = await write(before && { ...before, spec: { ...before.spec } }, next)
    for (const { before: former, after } of secrets)
      await write(former && { ...former, spec: { ...former.spec } }, after)
    return (await tx.get(refOf(made))) ?? made
  })

/** The preview of the path. NotFound also for a stagelet that is no preview. */
const takeDown = ({ deps, actor, params, ...context }: RestContext): Promise<KubeObject> =>
  deps.store.write(actor, {}, async (tx) => {
    const { namespace, name: project } = refOf(requireTarget(context))
    const name = params['preview'] ?? ''
    const ref = { kind: 'Stagelet', namespace, name: previewStageletName(project, name) } as const
    const stagelet = await tx.get(ref)
    const isOwn =
      stagelet !== undefined && previewOf(stagelet) === name && projectNameOf(stagelet) === project
    if (!isOwn) throw restNotFound('preview', name)
    return (await tx.remove(ref)).object
  })

export const previewRoutes: readonly RestRoute[] = routesOf('Previews', [
  route<unknown, PreviewBody>({
    id: 'putPreview',
    at: `PUT ${at}`,
    summary:
      'Make a preview from the template of the project (`preview`), or deploy it anew with other images and values. What is not given stays.',
    access: { in: 'project', verb: 'update', resource: 'stagelets/preview', placed: true },
    body: previewBody,
    response: { description: 'The stagelet that the preview is.', schema: stageletSchema },
    handle: async (context) => shownAs(await putPreview(context), toStagelet),
  }),
  route({
    id: 'deletePreview',
    at: `DELETE ${at}`,
    summary:
      'Take a preview down, with its containers, networks, volumes and own secrets. Its agent does that: the stagelet is there until then.',
    access: { in: 'project', verb: 'delete', resource: 'stagelets/preview', placed: true },
    response: { description: 'The stagelet as it goes.', schema: stageletSchema },
    handle: async (context) => ({ body: toStagelet(await takeDown(context)) }),
  }),
])
