// rollout pause, resume, retry: change the spec, as an edit of the object would.
import { openClient } from '../connect/client.ts'
import type { Rollout } from '../../src/generated/rest-types.ts'
import { retryOutcome, rolloutStartOf, syncOutcome } from '../../src/rollout/wait-outcome.ts'
import { type KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { getObject, mergePatchObject } from '../objects/objects.ts'
import { newCommand, waitOf, type Command, type CommonFlags, type WaitFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { stageletNames, stageletsOfProject, waitForSync } from '../wait/wait-in-sync.ts'
import { findRolloutTarget, rolloutPath, type RolloutTarget } from './target.ts'

const targetWords = 'a project, or KIND/NAME: project/shop, stagelet/shop'

const steering = (
  name: string,
  summary: string,
  run: (target: RolloutTarget, api: KubeApi, flags: CommonFlags) => Promise<void>,
): Command =>
  newCommand(name, summary, [
    `stagely rollout ${name} shop`,
    `stagely rollout ${name} stagelet/shop`,
  ])
    .argument('<target...>', targetWords)
    .action(async (words: string[], flags: CommonFlags) => {
      const { api } = await openClient(flags)
      await run(await findRolloutTarget(api, words), api, flags)
    })

const nameOf = ({ kind, name }: RolloutTarget): string => fullName(servedKind(kind), name)

/** As in kubectl, pausing a paused stagelet is an error. */
const setStageletPaused = async (api: KubeApi, name: string, paused: boolean): Promise<void> => {
  const kind = servedKind('Stagelet')
  const { spec } = await getObject(api, kind, api.namespace, name)
  const word = paused ? 'already paused' : 'not paused'
  if ((spec?.['paused'] === true) === paused) throw new CliError(`stagelet "${name}" is ${word}`)
  await mergePatchObject(api, { kind, name }, { spec: { paused: paused ? true : null } })
}

const setProjectPaused = async (
  { project }: RolloutTarget,
  flags: CommonFlags,
  paused: boolean,
): Promise<void> => {
  const { rest } = await openClient(flags)
  const path = rolloutPath(rest, project)
  const { body } = await rest.call<Rollout>(path)
  const isSo = paused ? body.state === 'Paused' : !['Paused', 'Braked'].includes(body.state)
  if (isSo) throw new CliError(`project "${project}" is ${paused ? 'already' : 'not'} paused`)
  await rest.call(`${path}/${paused ? 'pause' : 'resume'}`, { method: 'POST' })
}

export const pauseCommand = (): Command =>
  steering(
    'pause',
    'Pause the rollouts of a project, or all changes of one stagelet.',
    async (target, api, flags) => {
      if (target.kind === 'Stagelet') await setStageletPaused(api, target.name, true)
      else await setProjectPaused(target, flags, true)
      out(`${nameOf(target)} paused`)
    },
  )

export const resumeCommand = (): Command =>
  steering(
    'resume',
    'Resume after a pause, or after the stop that follows the loss of many agents.',
    async (target, api, flags) => {
      if (target.kind === 'Stagelet') await setStageletPaused(api, target.name, false)
      else await setProjectPaused(target, flags, false)
      out(`${nameOf(target)} resumed`)
    },
  )

export const retryCommand = (): Command =>
  newCommand(
    'retry',
    'Retry rollouts that failed or are late: on every stagelet of a project, or on one.',
    [
      'stagely rollout retry shop',
      'stagely rollout retry stagelet/shop',
      'stagely rollout retry shop --wait --timeout 5m',
    ],
  )
    .waiting('the stagelets run the revision')
    .argument('<target...>', targetWords)
    .action(retry)

const retry = async (words: string[], flags: CommonFlags & WaitFlags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api, rest } = await openClient(flags)
  const { kind, name, project } = await findRolloutTarget(api, words)
  const before = await stageletsOfProject(api, project, {
    stagelet: kind === 'Stagelet' ? name : undefined,
  })
  const path =
    kind === 'Project'
      ? rolloutPath(rest, project)
      : `/stagelets/${encodeURIComponent(`${rest.namespace}/${name}`)}`
  const { body } = await rest.call<{ retried: string[] }>(`${path}/retry`, { method: 'POST' })
  for (const stagelet of body.retried) out(`${fullName(servedKind('Stagelet'), stagelet)} retried`)
  if (body.retried.length === 0) note('nothing to try again: no stagelet failed or is late')
  if (timeoutMs === undefined) return
  const starts = new Map(before.map((object) => [object.metadata.name, rolloutStartOf(object)]))
  await waitForSync(api, stageletNames(before), timeoutMs, {
    judgeOf: (stagelet) => (object, inProject) =>
      body.retried.includes(stagelet.name)
        ? retryOutcome(object, starts.get(stagelet.name) ?? '', inProject)
        : syncOutcome(object, inProject),
  })
}
