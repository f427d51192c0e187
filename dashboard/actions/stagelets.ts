// Actions on stagelets, on the rollout of a project, and on rotations.
import type { Stagelet } from '../../src/generated/rest-types.ts'
import { objectId, requestApi } from '../api/request.ts'
import type { ApiAction } from './copy-as.ts'
import { manifestNames, manifestOf, patchObject, type ObjectName } from './kinds.ts'
import type { Word } from '../api/text.ts'

type Named = Pick<Stagelet, 'team' | 'name'>
type PausedStagelet = Named & Pick<Stagelet, 'project' | 'agent' | 'compose' | 'paused'>

/** Another one at each run. */
const stamp = '$(date -u +%Y-%m-%dT%H:%M:%SZ)'

const annotate = ({ team, name }: Named, annotation: string): Word[] => [
  ...['annotate', '-n', team, 'stagelet', name],
  { raw: `"stagely.dev/${annotation}=${stamp}"` },
  '--overwrite',
]

/** Pauses a stagelet, or goes on with a paused one. */
export const pauseStagelet = (stagelet: PausedStagelet): ApiAction => {
  const { team, name, project, agent, compose } = stagelet
  const [paused, verb] = [!stagelet.paused, stagelet.paused ? 'Resume' : 'Pause']
  const spec = {
    projectRef: { name: project },
    agentRef: { name: agent },
    compose: manifestNames(compose),
    paused,
  }
  return {
    ...patchObject('Stagelet', stagelet, { paused }),
    name: `${verb} ${name}`,
    stagely: ['rollout', verb.toLowerCase(), `stagelet/${name}`, '-n', team],
    objects: { namespace: team, list: [manifestOf('Stagelet', stagelet, spec)] },
  }
}

export const deployStagelet = (stagelet: Named): ApiAction => ({
  name: `Deploy ${stagelet.name}`,
  request: requestApi('post', '/stagelets/{stagelet_id}/deploy', {
    stagelet_id: objectId(stagelet),
  }),
  stagely: ['deploy', stagelet.name, '-n', stagelet.team],
  kubectl: annotate(stagelet, 'redeploy'),
})

export const retryStagelet = (stagelet: Named): ApiAction => ({
  name: `Retry ${stagelet.name}`,
  request: requestApi('post', '/stagelets/{stagelet_id}/retry', {
    stagelet_id: objectId(stagelet),
  }),
  stagely: ['rollout', 'retry', `stagelet/${stagelet.name}`, '-n', stagelet.team],
  kubectl: annotate(stagelet, 'retry'),
})

/** By its ttl. */
export const extendStagelet = (stagelet: Named): ApiAction<Stagelet> => ({
  name: `Extend ${stagelet.name}`,
  request: requestApi(
    'post',
    '/stagelets/{stagelet_id}/extend',
    { stagelet_id: objectId(stagelet) },
    {},
  ),
  stagely: ['preview', 'extend', stagelet.name, '-n', stagelet.team],
  kubectl: annotate(stagelet, 'extend'),
})

export const countPrinted = (stagelet: Named) => ({
  name: `Leak test of ${stagelet.name}`,
  request: requestApi(
    'post',
    '/stagelets/{stagelet_id}/printed',
    { stagelet_id: objectId(stagelet) },
    {},
  ),
  stagely: ['where', '--logs', stagelet.name, '-n', stagelet.team],
})

const rolloutAction = (verb: 'pause' | 'resume' | 'retry', { team, name }: Named) => ({
  stagely: ['rollout', verb, `project/${name}`, '-n', team],
})

const patchProject = ({ team, name }: Named, patch: Word): readonly Word[] => [
  ...['patch', '-n', team, 'project.stagely.dev', name, '--type', 'merge', '-p'],
  patch,
]

export const pauseRollout = (project: Named) => ({
  name: `Pause the rollout of ${project.name}`,
  request: requestApi('post', '/projects/{project_id}/rollout/pause', {
    project_id: objectId(project),
  }),
  ...rolloutAction('pause', project),
  kubectl: patchProject(project, JSON.stringify({ spec: { rollout: { paused: true } } })),
})

export const resumeRollout = (project: Named) => ({
  name: `Resume the rollout of ${project.name}`,
  request: requestApi('post', '/projects/{project_id}/rollout/resume', {
    project_id: objectId(project),
  }),
  ...rolloutAction('resume', project),
  kubectl: patchProject(project, {
    raw: `'{"spec":{"rollout":{"paused":null}},"metadata":{"annotations":{"stagely.dev/resumed":"'"${stamp}"'"}}}'`,
  }),
})

export const retryRollout = (project: Named): ApiAction => ({
  name: `Retry what failed in ${project.name}`,
  request: requestApi('post', '/projects/{project_id}/rollout/retry', {
    project_id: objectId(project),
  }),
  ...rolloutAction('retry', project),
})

type RotationName = Required<ObjectName>

const rotationWords = (verb: string, { team, project, name }: RotationName): readonly string[] => [
  ...['rotation', verb, name, '-n', team, '--project', project],
]

export const runRotation = (rotation: RotationName): ApiAction => ({
  name: `Rotate ${rotation.name}`,
  request: requestApi(
    'post',
    '/projects/{project_id}/rotations/{rotation}/run',
    { project_id: `${rotation.team}/${rotation.project}`, rotation: rotation.name },
    {},
  ),
  stagely: rotationWords('run', rotation),
})

export const pauseRotation = (rotation: RotationName, paused: boolean): ApiAction => {
  const verb = paused ? 'Pause' : 'Resume'
  return {
    ...patchObject('Rotation', rotation, { paused }),
    name: `${verb} ${rotation.name}`,
    stagely: rotationWords(verb.toLowerCase(), rotation),
  }
}
