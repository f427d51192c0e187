// Rollouts: the progress of a project's newest revision on each stagelet, and their control. A project
// of a folder or a cluster is controlled there: a change here is answered with 409 and the owner.
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import { annotations, type KubeObject } from '../../../../src/resources/meta.ts'
import { projectStatus, rolloutSpec } from '../../../../src/kinds/project/schema.ts'
import { stageletStatus } from '../../../../src/kinds/stagelet/schema.ts'
import { specOf } from '../../../../src/kinds/typed.ts'
import type { Reader } from '../../../../src/store/store.ts'
import { gatherRollout } from '../../../reconcilers/rollout/gather.ts'
import { viewRollout, type StageletInRollout } from '../../../reconcilers/rollout/view.ts'
import { actionRoute, withRequest } from '../action-route.ts'
import { restNotFound } from '../access.ts'
import { idOf } from '../ids.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { answer } from '../shapes.ts'
import { readAgain, updateTracked } from '../writes.ts'

const path = '/projects/:project_id/rollout'
const counts = projectStatus.shape.rollout.unwrap().shape
const { wantedRevision, runningRevision, healthyRevision } = stageletStatus.shape

const rolloutSchema = z
  .strictObject({
    project: z.string(),
    team: z.string(),
    revision: counts.revision,
    change_set_open: z.boolean().describe('A newer revision is about to close.'),
    in_turns: z.boolean().describe('False: every stagelet takes a revision at once.'),
    state: z
      .enum([...counts.state.options, 'Failed'])
      .describe('Stopped and Braked only in turns; Failed only without.'),
    healthy: counts.healthy,
    progressing: counts.progressing,
    waiting: counts.waiting,
    held: counts.held,
    unknown: counts.unknown,
    failed: z.int().describe('Stagelets that failed or are late.'),
    message: z.string().describe('How far it is, or what stops it.'),
    stagelets: z.array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        agent: z.string(),
        standing: z.enum(['healthy', 'failed', 'late', 'busy', 'waiting', 'held', 'unknown']),
        wanted_revision: wantedRevision,
        running_revision: runningRevision,
        healthy_revision: healthyRevision,
        message: z.string().describe('Why it failed, or what it waits for; masked.'),
        reason: z
          .string()
          .optional()
          .describe('Why it does not go on by itself, such as RolledBack; absent where it does.'),
      }),
    ),
  })
  .describe('Where the newest revision of a project stands.')

type Rollout = z.infer<typeof rolloutSchema>

const response = { description: 'As it is now.', schema: rolloutSchema } as const

const shownStagelet = ({ stagelet, standing, ...why }: StageletInRollout) => ({
  ...stagelet.status,
  ...why,
  id: idOf(stagelet),
  name: stagelet.metadata.name,
  agent: stagelet.spec.agentRef.name,
  standing: standing === 'interrupted' ? ('waiting' as const) : standing,
})

const read = async (reader: Reader, project: KubeObject, now: number): Promise<Rollout> => {
  const { namespace = '', name, uid = '' } = project.metadata
  // Read before the rest: a revision that closes in between is then still shown as open.
  const { closesAt } = await reader.revisionsOf(uid)
  const input = await gatherRollout(reader, { namespace, name }, { now, always: true })
  if (input === undefined) throw restNotFound('project', name)
  const view = viewRollout(input)
  return answer(rolloutSchema, {
    ...view,
    ...view.counts,
    project: name,
    team: namespace,
    changeSetOpen: closesAt !== undefined,
    inTurns: view.isStaged,
    failed: view.counts.failed?.length ?? 0,
    stagelets: view.stagelets.map(shownStagelet),
  })
}

/** Changes the project and answers with its rollout. */
const steer =
  (edit: (project: KubeObject, now: number) => KubeObject) =>
  async (context: RestContext): Promise<{ body: Rollout }> => {
    const { store, clock } = context.deps
    const body = await store.write(context.actor, {}, async (tx) => {
      const before = await readAgain(tx, requireTarget(context), context.ifMatch)
      const after = await updateTracked(tx, before, edit(before, clock.now()), clock.now())
      return read(tx, after, clock.now())
    })
    return { body }
  }

/** What a section without fields comes to. */
const bySilence = rolloutSpec.parse({})

/** A pause of a project without turns makes the section; its end takes the section away, unless somebody changed it. */
const withPaused = (stored: KubeObject, paused: boolean): KubeObject => {
  const { metadata, spec: _spec, ...project } = stored
  const { rollout, ...others } = specOf('Project', stored) ?? {}
  const { paused: _, ...turns } = rollout ?? {}
  const { [annotations.turnsByPause]: made, ...texts } = metadata.annotations ?? {}
  const mark = (value: string | undefined) => ({
    ...metadata,
    annotations: value === undefined ? texts : { ...texts, [annotations.turnsByPause]: value },
  })
  if (paused) {
    const value = rollout === undefined ? 'true' : made
    return { ...project, metadata: mark(value), spec: { ...others, rollout: { ...turns, paused } } }
  }
  const isOver = made !== undefined && isDeepStrictEqual(turns, bySilence)
  const left = isOver ? others : { ...others, rollout: turns }
  return { ...project, metadata: mark(undefined), spec: left }
}

const retried = z
  .strictObject({ retried: z.array(z.string()).describe('Names of the stagelets.') })
  .describe('What is tried again.')

export const rolloutRoutes = routesOf('Rollouts', [
  route({
    id: 'getRollout',
    at: `GET ${path}`,
    summary: 'Where the newest revision of a project stands on each stagelet.',
    access: { in: 'project', verb: 'get', resource: 'projects' },
    response,
    handle: async (context) => {
      const { store, clock } = context.deps
      return { body: await read(store, requireTarget(context), clock.now()) }
    },
  }),
  route({
    id: 'pauseRollout',
    at: `POST ${path}/pause`,
    summary: 'Start no further stagelet on a new revision. What has begun goes on.',
    access: { in: 'project', verb: 'patch', resource: 'stagelets/pause' },
    heedsIfMatch: true,
    response,
    handle: steer((project) => withPaused(project, true)),
  }),
  route({
    id: 'resumeRollout',
    at: `POST ${path}/resume`,
    summary: 'Go on after a pause, or after the brake that many vanished agents put on.',
    access: { in: 'project', verb: 'patch', resource: 'stagelets/pause' },
    heedsIfMatch: true,
    response,
    handle: steer((project, now) => {
      const rollout = specOf('Project', project)?.rollout
      const going = rollout?.paused === true ? withPaused(project, false) : project
      return withRequest(going, annotations.resumed, now)
    }),
  }),
  route({
    id: 'retryRollout',
    at: `POST ${path}/retry`,
    summary: 'Try again what failed or is late, on every stagelet of the project.',
    access: { in: 'project', verb: 'create', resource: 'stagelets/deploy' },
    response: { status: 202, description: 'The agents are told.', schema: retried },
    handle: async (context) => {
      const { store, clock } = context.deps
      const { namespace = '', name } = requireTarget(context).metadata
      const names = await store.write(context.actor, {}, async (tx) => {
        const now = clock.now()
        const input = await gatherRollout(tx, { namespace, name }, { now, always: true })
        if (input === undefined) throw restNotFound('project', name)
        const failed = viewRollout(input).stagelets.filter(
          ({ standing }) => standing === 'failed' || standing === 'late',
        )
        for (const { stagelet } of failed)
          await updateTracked(tx, stagelet, withRequest(stagelet, annotations.retry, now), now)
        return failed.map(({ stagelet }) => stagelet.metadata.name)
      })
      return { body: { retried: names } }
    },
  }),
  actionRoute({
    id: 'retryStagelet',
    at: 'POST /stagelets/:stagelet_id/retry',
    summary: 'Try again what failed on a stagelet: ends its quarantine.',
    access: { in: 'stagelet', verb: 'create', resource: 'stagelets/deploy' },
    heedsIfMatch: true,
    response: { description: 'The agent is told.', schema: retried },
    annotation: annotations.retry,
    show: ({ metadata }) => ({ body: { retried: [metadata.name] } }),
  }),
])
